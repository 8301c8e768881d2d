/** Child side: asks the rows whether a unique key is there twice, if the entries of a unique index are damaged. */
import Database from 'better-sqlite3'
import { findSharedKeys } from '../../../census/differences/shared-keys.ts'
import type { SharedKeys } from '../../../census/differences/shared-keys.ts'
import type { IndexPlan } from '../../../census/plan.ts'
import type { Finding } from '../../../model/result/finding.ts'
import type { PageCounter } from '../pages/page-counter.ts'
import { computedEntries, computationOf, tableNamesOf, rowNames } from './computed-entries.ts'
import { sharedKeysQuery } from './entry-queries.ts'

/**
 * @param findings of the census
 * @returns the same; findings about unique keys are replaced by what the rows say, if the rows can be asked
 */
export function askRowsForKeys(
  counter: PageCounter,
  db: Database.Database,
  findings: readonly Finding[],
): readonly Finding[] {
  const suspect = new Set(
    findings.flatMap(({ object, severity }) => (object.kind === 'index' && severity === 'damage' ? [object.name] : [])),
  )
  let result = findings
  for (const index of counter.plan.trees) {
    if (index.kind !== 'index' || index.uniqueParts === 0 || !suspect.has(index.object.name)) continue
    const shared = sharedKeysOf(counter, db, index)
    if (shared === null) continue
    const others = result.filter(({ rule, object }) => rule !== 'unique-violated' || object.name !== index.object.name)
    if (shared.total > 0) result = [...others, shared.finding]
    // Keys that are equal only in the index belong to entries with no row or another row, which have findings already.
    else if (others.some(({ object }) => object.name === index.object.name)) result = others
  }
  return result
}

/** null if the rows cannot be read, or are too many. */
function sharedKeysOf(
  { plan, tally }: PageCounter,
  db: Database.Database,
  index: IndexPlan,
): (SharedKeys & { readonly finding: Finding }) | null {
  const { name, table } = index.object
  try {
    const computing = computationOf(db, name, table ?? '')
    if (computing.kind !== 'query') return null
    const isRowid = plan.trees[index.table]?.kind === 'rowid-table'
    const shared = findSharedKeys(
      index,
      isRowid,
      plan.encoding,
      tally.entries[index.table] ?? 0,
      () => computedEntries(db, computing),
      tally.key,
    )
    if (shared === null) return null
    const collations = index.parts.slice(0, index.uniqueParts).map(({ collation }) => collation)
    const query = sharedKeysQuery(computing, rowNames(tableNamesOf(db, table ?? '')), collations)
    return { ...shared, finding: uniqueViolation(index, shared, query) }
  } catch (error) {
    // The table has a finding about what SQLite breaks off over.
    if (error instanceof Database.SqliteError) return null
    throw error
  }
}

function uniqueViolation(
  { object }: IndexPlan,
  { rows, total, keys, exact }: SharedKeys,
  query: string | null,
): Finding {
  const shared = `${total} rows of ${object.table} share ${keys === 1 ? 'a key' : `${keys} keys`}`
  const text = `${exact ? '' : 'at least '}${shared} in the unique index ${object.name}`
  const listed = query === null ? {} : { query }
  return { rule: 'unique-violated', severity: 'damage', source: 'census', object, rows, total, ...listed, text }
}
