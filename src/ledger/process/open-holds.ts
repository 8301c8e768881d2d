/** Holds whose end was not seen. Runs in the ledger's process only. */

import type Database from 'better-sqlite3'
import { advance } from '../../model/event.ts'
import type { OpenHold } from '../../model/event.ts'
import type { OtherHold, ServiceWay } from '../../model/service-way.ts'
import { answerMax } from '../protocol.ts'
import { limitItems, reader, type Row, type AddNotice } from './answers.ts'
import { wayColumns, whoseIs, type WrittenWay } from './ways.ts'

/** Open holds of this service, asked for in this way. */
export function openHolds(
  database: Database.Database,
  way: ServiceWay | null,
  addNotice: AddNotice,
): readonly OpenHold[] {
  const ours = allOpenHolds(database, addNotice).flatMap(({ hold, by }) => (whoseIs(by, way) === null ? [hold] : []))
  return limitItems(ours, answerMax.openHolds, 'open holds', addNotice)
}

/** All other open holds. */
export function otherHolds(
  database: Database.Database,
  ours: ServiceWay | null,
  addNotice: AddNotice,
): readonly OtherHold[] {
  const others = allOpenHolds(database, addNotice).flatMap(({ hold, by }) => {
    const whose = whoseIs(by, ours)
    const { service, via, address, config } = by
    return whose === null ? [] : [{ ...hold, whose, service, via, address, config }]
  })
  return limitItems(others, answerMax.openHolds, 'open holds of others', addNotice)
}

interface HoldWithWay {
  readonly hold: OpenHold
  /** The service that was asked for it, and the way. */
  readonly by: WrittenWay
}

/** Folds the events of the open holds alone: years of other holds are not read. */
function allOpenHolds(database: Database.Database, addNotice: AddNotice): readonly HoldWithWay[] {
  const rows = database.prepare<[], Row & WrittenWay>(`
    select sequence, at, run, kind, event, ${wayColumns} from line left join way on way.id = line.way
    where holder in (select holder from open_holder) order by sequence`)
  const read = reader(addNotice)
  // Each hold is folded by itself, because `advance` copies the map that it gets.
  const open = new Map<string, HoldWithWay>()
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
