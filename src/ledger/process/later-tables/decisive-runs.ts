/**
 * Runs that still count although many came after them: full sweeps, and runs that suspected harm. Runs in the ledger's
 * process only.
 */

import type Database from 'better-sqlite3'
import { answerMax } from '../../protocol.ts'

const decides = `kind = 'run-finished' and (instr(event, '"whole":true') or instr(event, '"harm":'))`

/**
 * The version of the ledger stays the same: an older holdfast works with the file. A reader of a ledger without this
 * index searches all lines.
 */
export const decisiveRunsSchema = `
create index if not exists line_of_decisive_run on line (sequence) where ${decides};
`

/**
 * Ids of such runs that are not in `newest`; the newest first. Short runs must not make a reader forget them: suspected
 * harm stands until a full sweep finds all tenants sound.
 * @param ways those of the service, as JSON
 */
export function olderDecisiveRuns(
  database: Database.Database,
  ways: string,
  newest: ReadonlySet<string>,
): readonly string[] {
  const find = database.prepare<[string, number], string>(
    `select run from line where ${decides} and way in (select value from json_each(?)) order by sequence desc limit ?`,
  )
  const runs = find.pluck().all(ways, newest.size + answerMax.runs)
  return runs.filter((run) => !newest.has(run)).slice(0, answerMax.runs)
}
