/**
 * The rounds of samples (`--depth sample=10%`), one row for each file. Runs in the ledger's process only. A row that is
 * lost or cannot be read begins a new round.
 */

import type Database from 'better-sqlite3'
import * as z from 'zod/mini'
import { tenantId } from '../../../model/brand.ts'
import type { KnownFile } from '../../../model/result/last-good.ts'
import type { SampleRound } from '../../../model/result/sample.ts'
import type { ServiceWay } from '../../../model/service-way.ts'
import { jsonOrNull } from '../../../text/json-text.ts'
import { fileName, type RoundRow } from '../../lines/rows.ts'
import { statementFor } from '../statement-cache.ts'

/** The version of the ledger stays the same: an older holdfast works with the file and ignores this table. */
export const sampleRoundSchema = `
create table if not exists sample_round (file text primary key, at integer not null, facts text not null) strict;
`

/** The row of a file without a sample for so long is deleted, because names of files come and go. */
const keptMs = 400 * 86_400_000

const whole = z.int().check(z.nonnegative())
const shape = z.object({
  tenant: z.nullable(z.pipe(z.string(), z.transform(tenantId))),
  path: z.string(),
  next: whole,
  began: z.number(),
  wholeSince: z.nullable(z.number()),
})

/** The caller has begun a transaction. */
export function keepRounds(database: Database.Database, rounds: readonly RoundRow[]): void {
  const [first] = rounds
  if (first === undefined) return
  const put = statementFor(
    database,
    'insert into sample_round (file, at, facts) values (:file, :at, :facts) on conflict do update set ' +
      'at = excluded.at, facts = excluded.facts',
  )
  for (const row of rounds) put.run(row)
  statementFor(database, 'delete from sample_round where at < ?').run(first.at - keptMs)
}

/** null if there is none, or if it cannot be read */
export function sampleRoundOf(
  database: Database.Database,
  way: ServiceWay | null,
  file: KnownFile,
): SampleRound | null {
  const known = database.prepare("select 1 from sqlite_schema where name = 'sample_round'").get()
  if (known === undefined) return null
  const facts = database
    .prepare<[string], string>('select facts from sample_round where file = ?')
    .pluck()
    .get(fileName(way?.service ?? null, file))
  return facts === undefined ? null : (shape.safeParse(jsonOrNull(facts)).data ?? null)
}
