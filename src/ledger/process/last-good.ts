/**
 * The last sound check of each file, with which later checks are compared. Runs in the ledger's process only.
 *
 * There is one row for each file, and every sound check replaces it. Unlike the lines it may be lost, because the next
 * sound check writes it again. So a row that cannot be read is left out, and a missing table is made.
 */

import type Database from 'better-sqlite3'
import * as z from 'zod/mini'
import { tenantId } from '../../model/brand.ts'
import { liveSetParts } from '../../model/result/evidence.ts'
import type { KnownFile, LastGood } from '../../model/result/last-good.ts'
import type { ServiceWay } from '../../model/service-way.ts'
import { jsonOrNull } from '../../text/json-text.ts'
import { fileName, type LastGoodRow } from '../lines/rows.ts'
import type { AddNotice } from './answers.ts'
import { statementFor } from './statement-cache.ts'

/** The version of the ledger stays the same: an older holdfast works with the file and ignores this table. */
export const lastGoodSchema = `
create table if not exists last_good (
  file text primary key,
  at integer not null,
  facts text not null,
  digests blob not null
) strict;
create index if not exists last_good_by_age on last_good (at);
`

/** The row of a file without a sound check for so long is deleted, because names of files come and go. */
const keptMs = 400 * 86_400_000

const whole = z.int().check(z.nonnegative())
const basis = z.object({
  format: z.string(),
  encoding: z.enum(['UTF-8', 'UTF-16le', 'UTF-16be']),
  schema: z.nullable(z.string()),
})
const shape = z.object({
  tenant: z.nullable(z.pipe(z.string(), z.transform(tenantId))),
  path: z.string(),
  run: z.string(),
  standing: z.object({
    provenAt: z.number(),
    bootId: z.string(),
    files: z.array(
      z.object({ part: z.enum(liveSetParts), dev: z.string(), ino: z.string(), size: whole, mtimeNs: z.string() }),
    ),
  }),
  header: z.object({
    walMode: z.boolean(),
    changeCounter: whole,
    versionValidFor: whole,
    pageCount: whole,
    schemaCookie: whole,
  }),
  content: z.object({
    format: z.string(),
    tables: z.array(z.object({ name: z.string(), rows: whole, digest: z.nullable(z.string()) })),
  }),
  pages: z.object({ format: whole, pageSize: whole, pages: whole, groupPages: whole }),
  // An older holdfast wrote none of these.
  basis: z._default(z.nullable(basis), null),
  schema: z._default(z.nullable(z.string()), null),
  paces: z._default(z.array(z.object({ bytes: whole, checkMs: z.number(), pauseMs: z.nullable(z.number()) })), []),
})

type StoredFacts = Pick<LastGoodRow, 'facts' | 'digests'>

/** The caller has begun a transaction. */
export function keepLastGood(database: Database.Database, kept: readonly LastGoodRow[]): void {
  if (kept.length === 0) return
  const put = statementFor(
    database,
    'insert into last_good (file, at, facts, digests) values (:file, :at, :facts, :digests) on conflict ' +
      'do update set at = excluded.at, facts = excluded.facts, digests = excluded.digests',
  )
  for (const row of kept) put.run(row)
}

/**
 * Called once a run, in a transaction. The age counts from the median of all times: a clock that was wrong once must
 * not make all rows look old.
 */
export function forgetOldest(database: Database.Database): void {
  database
    .prepare(
      'delete from last_good where at < (select at from last_good order by at limit 1 ' +
        'offset (select max(0, count(*) - 1) / 2 from last_good)) - ?',
    )
    .run(keptMs)
}

/** @returns one for each file; null if there is none, or if it cannot be read */
export function lastGoodOf(
  database: Database.Database,
  way: ServiceWay | null,
  files: readonly KnownFile[],
  addNotice: AddNotice,
): readonly (LastGood | null)[] {
  const find = database.prepare<[string], StoredFacts>('select facts, digests from last_good where file = ?')
  const service = way?.service ?? null
  // Rows of the first version name no service. If there was only one, they are of this service.
  const isTheOnly =
    service !== null &&
    service === database.prepare<[], string | null>('select service from way where id = 0').pluck().get()
  return files.map((file) => {
    const row = find.get(fileName(service, file)) ?? (isTheOnly ? find.get(fileName(null, file)) : undefined)
    if (row === undefined) return null
    const read = readRow(row)
    if (read === null)
      addNotice(
        'what the ledger kept of the last sound check of ' +
          `${JSON.stringify(file.path)} cannot be read and was passed over`,
      )
    return read
  })
}

function readRow({ facts, digests }: StoredFacts): LastGood | null {
  const parsed = shape.safeParse(jsonOrNull(facts))
  if (!parsed.success || digests.length % 4 !== 0) return null
  const { pages, ...rest } = parsed.data
  return { ...rest, pages: { ...pages, groups: new Uint32Array(Uint8Array.from(digests).buffer) } }
}
