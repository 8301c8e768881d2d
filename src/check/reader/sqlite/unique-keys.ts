/**
 * Child side: is a key that is to be unique there twice? The rows are asked, wherever the entries of a unique index are
 * not in order.
 */
import Database from 'better-sqlite3'
import { findSharedKeys } from '../../../census/differences/shared-keys.ts'
import type { SharedKeys } from '../../../census/differences/shared-keys.ts'
import type { IndexPlan } from '../../../census/plan.ts'
import type { Finding } from '../../../model/result/finding.ts'
import type { PageCounter } from '../pages/page-counter.ts'
import { computedEntries, computingOf, naming, rowNames } from './computed-entries.ts'
import { sharedKeysQuery } from './entry-queries.ts'

/**
 * @param findings of the census @returns the same, but for what was said of unique keys: what the rows say instead,
 * where they can be asked
 */
export function askRowsForKeys(
  counter: PageCounter,
  db: Database.Database,
  findings: readonly Finding[],
): readonly Finding[] {
  const suspect = new Set(
    findings.flatMap(({ object, severity }) => (object.kind === 'index' && severity === 'damage' ? [object.name] : [])),
  )
  let said = findings
  for (const index of counter.plan.trees) {
    if (index.kind !== 'index' || index.uniqueParts === 0 || !suspect.has(index.object.name)) continue
    const shared = sharedKeysOf(counter, db, index)
    if (shared === null) continue
    const others = said.filter(({ rule, object }) => rule !== 'unique-violated' || object.name !== index.object.name)
    if (shared.total > 0) said = [...others, shared.finding]
    // Equal keys in the index alone are entries that have no row, or another: they are told as that.
    else if (others.some(({ object }) => object.name === index.object.name)) said = others
  }
  return said
}

/** null where the rows cannot be read, or are too many. */
function sharedKeysOf(
  { plan, tally }: PageCounter,
  db: Database.Database,
  index: IndexPlan,
): (SharedKeys & { readonly finding: Finding }) | null {
  const { name, table } = index.object
  try {
    const computing = computingOf(db, name, table ?? '')
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
    const query = sharedKeysQuery(computing, rowNames(naming(db, table ?? '')), collations)
    return { ...shared, finding: violated(index, shared, query) }
  } catch (error) {
    // SQLite breaks off over what is told of the table already.
    if (error instanceof Database.SqliteError) return null
    throw error
  }
}

function violated({ object }: IndexPlan, { rows, total, keys, exact }: SharedKeys, query: string | null): Finding {
  const shared = `${total} rows of ${object.table} share ${keys === 1 ? 'a key' : `${keys} keys`}`
  const text = `${exact ? '' : 'at least '}${shared} in the unique index ${object.name}`
  const listed = query === null ? {} : { query }
  return { rule: 'unique-violated', severity: 'damage', source: 'census', object, rows, total, ...listed, text }
}
