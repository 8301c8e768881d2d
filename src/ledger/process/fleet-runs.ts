/**
 * Runs on this machine that did a part of a run of the fleet. Their results are sent again if the fleet has lost them.
 * Runs in the ledger's process only.
 */

import type Database from 'better-sqlite3'
import type { ServiceWay } from '../../model/service-way.ts'
import type { LocalFleetRun } from '../ledger.ts'
import { answerMax } from '../protocol.ts'
import { reader, type AddNotice, type Row } from './answers.ts'
import { numbersOf } from './ways.ts'

/**
 * A page of them, the oldest first.
 * @param after number of a line; 0 for the first page
 * @returns `next`: null after the last page
 */
export function fleetRunsAfter(
  database: Database.Database,
  way: ServiceWay | null,
  after: number,
  addNotice: AddNotice,
): { readonly runs: readonly LocalFleetRun[]; readonly next: number | null } {
  const { service } = numbersOf(database, way)
  const rows = database
    .prepare<[number, string, number], Row>(
      `select sequence, at, run, kind, event from line
       where kind = 'run-started' and sequence > ? and way in (select value from json_each(?))
       order by sequence limit ?`,
    )
    .all(after, service, answerMax.lines)
  const read = reader(addNotice)
  const runs = rows.flatMap((row) => {
    const line = read(row)
    if (line?.event.kind !== 'run-started' || line.event.fleet === undefined) return []
    const { run, week, chunk, attempt } = line.event.fleet
    return [{ local: line.run, run, week, chunk, attempt }]
  })
  return { runs, next: rows.length < answerMax.lines ? null : (rows.at(-1)?.sequence ?? null) }
}
