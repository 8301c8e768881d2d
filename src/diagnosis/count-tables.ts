/**
 * Counts the rows of each table that can be read, and those that cannot. A table that was not read completely is never
 * called whole.
 */

import type { Finding, FoundObject, Rule } from '../model/result/finding.ts'
import type { Reading } from '../model/result/reading.ts'
import type { Result } from '../model/result/report.ts'
import type { ReportedTable, RowCounts } from '../model/result/verdict.ts'
import { disagreementRules } from './messages/merge.ts'
import { contradictedTables } from './weigh/weigh.ts'

/** Faults of a b-tree that may lose rows without any sign in the table. */
const losesRows = new Set<Rule>([
  'page-unreadable',
  'page-malformed',
  'page-out-of-range',
  'page-used-twice',
  'wrong-depth',
  'rowid-out-of-order',
  'key-out-of-order',
  'content-changed-silently',
])
/** Faults of the file that may lose rows of any table. */
const losesAnywhere = new Set<Rule>([
  'wal-cut',
  'journal-cut',
  'header-wrong',
  'not-a-database',
  'missing-schema',
  'other-names',
])

type CountedReading = Pick<Reading, 'engine' | 'depth' | 'content' | 'rowCounts' | 'objects' | 'coverage'>

/** The tables of a damaged file. @param findings of the diagnosis */
export function countTables(reading: CountedReading, findings: readonly Finding[]): Result['content'] {
  const { content, objects, depth } = reading
  const suspects = new Set(contradictedTables(findings))
  const counts = new Map(reading.rowCounts.map((one) => [one.table, one]))
  const damage = findings.filter(({ severity }) => severity === 'damage')
  const isWhole = isReadWhole(reading)
  const tables = content.map((table): ReportedTable => {
    const counted = isWhole ? counts.get(table.name) : undefined
    return counted ? { ...table, ...rowsOf(table.rows, counted, damage, suspects.has(table.name)) } : table
  })
  const known = new Set(content.map(({ name }) => name))
  const uncounted = objects.flatMap(({ kind, name }) =>
    kind === 'table' && !name.startsWith('sqlite_') && !known.has(name) ? [name] : [],
  )
  return depth === 'quick' || uncounted.length === 0 ? { tables } : { tables, uncounted }
}

/** True if the census reached the end of all pages. It does not matter where SQLite stopped. */
function isReadWhole({ engine, coverage }: CountedReading): boolean {
  const { pages, pagesRead, skipped } = coverage
  const whole = pagesRead >= pages && skipped.every(({ object }) => object !== 'pages' && object !== 'census')
  return engine === 'census' && whole
}

function rowsOf(
  rows: number,
  { table, broken, indexes }: RowCounts,
  damage: readonly Finding[],
  suspect: boolean,
): Required<Pick<ReportedTable, 'readable' | 'unreadable'>> {
  const readable = Math.max(0, rows - broken)
  const ofTable = damage.filter(
    ({ object, other }) => isOf(object, table) || (other !== undefined && isOf(other, table)),
  )
  const lost = ofTable.some(({ rule }) => losesRows.has(rule)) || damage.some(({ rule }) => losesAnywhere.has(rule))
  if (!lost && !suspect) return { readable, unreadable: broken }
  // If two owners use a page, one of them may get the rows of the other.
  const mixed = ofTable.some(({ rule }) => rule === 'page-used-twice')
  // An index that is itself broken proves nothing.
  const wrong = new Set(
    damage.flatMap(({ rule, object }) =>
      object.kind === 'index' && !disagreementRules.has(rule) ? [object.name] : [],
    ),
  )
  const indexed = indexes.reduce(
    (most, { name: index, entries }) => (wrong.has(index) ? most : Math.max(most, entries)),
    0,
  )
  return { readable, unreadable: indexed <= readable || mixed ? null : indexed - readable }
}

const isOf = ({ kind, name }: FoundObject, table: string): boolean => kind === 'table' && name === table
