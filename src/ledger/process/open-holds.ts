/** Holds that nobody has seen ended. Runs in the ledger's process only. */

import type Database from 'better-sqlite3'
import { advance } from '../../model/event.ts'
import type { OpenHold } from '../../model/event.ts'
import type { OtherHold, ServiceWay } from '../../model/service-way.ts'
import { answerMax } from '../protocol.ts'
import { bounded, reader, type Row, type Say } from './answers.ts'
import { wayColumns, whoseIs, type WrittenWay } from './ways.ts'

/** Of this service, asked for in this way. */
export function openHolds(database: Database.Database, way: ServiceWay | null, say: Say): readonly OpenHold[] {
  const ours = standing(database, say).flatMap(({ hold, by }) => (whoseIs(by, way) === null ? [hold] : []))
  return bounded(ours, answerMax.openHolds, 'open holds', say)
}

/** All others. */
export function otherHolds(database: Database.Database, ours: ServiceWay | null, say: Say): readonly OtherHold[] {
  const others = standing(database, say).flatMap(({ hold, by }) => {
    const whose = whoseIs(by, ours)
    const { service, via, address, config } = by
    return whose === null ? [] : [{ ...hold, whose, service, via, address, config }]
  })
  return bounded(others, answerMax.openHolds, 'open holds of others', say)
}

interface Standing {
  readonly hold: OpenHold
  /** Who asked for it. */
  readonly by: WrittenWay
}

/** A fold over the events of those holds that are not seen ended; years of other holds are not read. */
function standing(database: Database.Database, say: Say): readonly Standing[] {
  const rows = database.prepare<[], Row & WrittenWay>(`
    select sequence, at, run, kind, event, ${wayColumns} from line left join way on way.id = line.way
    where holder in (select holder from open_holder) order by sequence`)
  const read = reader(say)
  // Holds do not touch each other. Each is folded by itself, because the fold copies what it is given.
  const open = new Map<string, Standing>()
  for (const row of rows.iterate()) {
    const line = read(row)
    if (line === null || !('holder' in line.event)) continue
    const { holder } = line.event
    const known = open.get(holder)
    const before = new Map(known === undefined ? [] : [[holder, known.hold]])
    const hold = advance(before, line.event, line.at, line.run).get(holder)
    if (hold === undefined) open.delete(holder)
    else open.set(holder, { hold, by: known?.by ?? row })
  }
  return [...open.values()]
}
