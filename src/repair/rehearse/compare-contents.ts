/** Compares what was mended with what went in. A remedy without a backup changes no row, no rowid and no setting. */

import { closeSync, openSync, readSync } from 'node:fs'
import type { Checker } from '../../check/check.ts'
import { doubtsIn } from '../../comparison/tables.ts'
import { diagnose } from '../../diagnosis/diagnose.ts'
import type { SnapshotPath } from '../../model/brand.ts'
import type { KeptFiles } from '../../model/kept-file.ts'
import type { Reading } from '../../model/result/reading.ts'
import type { TableContent } from '../../model/result/verdict.ts'
import { readHeader } from '../../sqlite/header.ts'
import type { DatabaseHeader } from '../../sqlite/header.ts'
import { count } from '../../text/count.ts'
import type { MendOrder } from '../mend/mend-order.ts'
import type { SettledFile } from './rehearsal-result.ts'

interface MadeFile {
  readonly path: SnapshotPath
  readonly kept: KeptFiles
  readonly reading: Reading
}

/** @returns what differs, in words; null if every table and the whole schema are the same */
export async function compareContents(
  checker: Checker,
  { path, kept, reading, context }: SettledFile,
  made: MadeFile,
  mending: MendOrder,
  signal: AbortSignal,
): Promise<string | null> {
  const { findings } = diagnose(reading, context)
  const before = { path, content: reading.content, doubtOf: doubtsIn(findings, reading.coverage.skipped) }
  const comparison = await checker.compare(
    {
      a: kept === null ? before : { ...before, kept },
      b: { path: made.path, kept: made.kept, content: made.reading.content, doubtOf: () => null },
    },
    signal,
    { except: rebuiltTables(reading, mending), exact: true },
  )
  if (comparison.why !== null) return `it could not be compared with what it was: ${comparison.why}`
  const schema = comparison.schemaDifferences[0]
  if (schema !== undefined) return schema.text
  const table = comparison.tables.find((one) => one.comparison !== 'equal')
  if (table === undefined) return null
  const { name, why, differing } = table
  const rows = differing === null ? '' : `, ${count(differing.rows, 'row')}`
  const what = table.comparison === 'not-compared' ? 'could not be compared' : `is not the same${rows}`
  return `table ${name} ${what}${why === null ? '' : `: ${why}`}`
}

/** The tables that the rebuild of a full-text index fills. Its text is in other tables, which are compared. */
function rebuiltTables({ objects }: Reading, mending: MendOrder): ReadonlySet<string> {
  const rebuilt = new Set(mending.do === 'rebuild' ? mending.fts : [])
  return new Set(
    objects.flatMap(({ name, shadowOf }) =>
      shadowOf !== null && rebuilt.has(shadowOf) && /_(?:data|idx|docsize|segments|segdir|stat)$/i.test(name)
        ? [name]
        : [],
    ),
  )
}

/** @returns what differs, in words; null if all tables have the same rows. A table without a digest is not proven. */
export function whyOtherContent(wanted: readonly TableContent[], found: readonly TableContent[]): string | null {
  const byName = new Map(found.map((table) => [table.name, table]))
  for (const { name, rows, digest } of wanted) {
    const table = byName.get(name)
    if (table === undefined) return `table ${name} is not in the file`
    if (digest === null || table.digest === null) return `the content of table ${name} could not be compared`
    if (table.digest !== digest || table.rows !== rows)
      return `table ${name} has not the content that it must have (${count(table.rows, 'row')} instead of ${rows})`
  }
  const names = new Set(wanted.map(({ name }) => name))
  const added = found.find(({ name }) => !names.has(name))
  return added === undefined ? null : `table ${added.name} should not be there`
}

const settings = [
  ['pageSize', 'page size'],
  ['reservedBytes', 'number of reserved bytes'],
  ['writeVersion', 'journal mode'],
  ['readVersion', 'journal mode'],
  ['textEncoding', 'encoding'],
  ['incrementalVacuum', 'setting of incremental vacuum'],
  ['userVersion', 'user_version'],
  ['applicationId', 'application_id'],
] as const

/** @returns which setting differs, in words; null if all are the same */
export function whyOtherHeader(before: SnapshotPath, after: SnapshotPath): string | null {
  const [a, b] = [headerOf(before), headerOf(after)]
  if (a === null || b === null) return 'its header cannot be read'
  const other = settings.find(([field]) => a[field] !== b[field])
  if (other !== undefined) return `the ${other[1]} is ${b[other[0]]} and was ${a[other[0]]}`
  return a.largestRoot > 0 === b.largestRoot > 0 ? null : 'the setting of auto_vacuum is not the same'
}

function headerOf(path: SnapshotPath): DatabaseHeader | null {
  const file = openSync(path, 'r')
  try {
    const first = new Uint8Array(100)
    const reading = readHeader(first.subarray(0, readSync(file, first, 0, 100, 0)))
    return reading.kind === 'header' || reading.kind === 'wrong' ? reading.header : null
  } finally {
    closeSync(file)
  }
}
