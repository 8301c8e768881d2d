/**
 * Which list of tenants the newest run has worked with. Runs in the ledger's process only. The index is not of the
 * tables that every ledger must have: a ledger without it has no such lines.
 */

import type Database from 'better-sqlite3'
import type { ServiceWay } from '../../../model/service-way.ts'
import type { RecordedRegistry } from '../../ledger.ts'
import { reader, type AddNotice, type Row } from '../answers.ts'
import { numbersOf } from '../ways.ts'

const name = 'line_of_registry_read'
export const registrySchema = `create index if not exists ${name} on line (sequence) where kind = 'registry-read';`

export function lastRegistry(
  database: Database.Database,
  way: ServiceWay | null,
  addNotice: AddNotice,
): RecordedRegistry | null {
  const has = database.prepare<[string], number>("select 1 from main.sqlite_schema where type = 'index' and name = ?")
  if (has.get(name) === undefined) return null
  const { own } = numbersOf(database, way)
  const find = database.prepare<[string], Row>(`
    select sequence, at, run, kind, event from main.line
    where kind = 'registry-read' and way in (select value from json_each(?)) order by sequence desc limit 1`)
  const row = find.get(own)
  const line = row === undefined ? null : reader(addNotice)(row)
  if (line?.event.kind !== 'registry-read') return null
  const { kind: _, ...registry } = line.event
  return { ...registry, at: line.at, run: line.run }
}
