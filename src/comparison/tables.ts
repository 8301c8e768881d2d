/** Decides which tables of two files are compared, and how their rows are identified. */

import type { CensusPlan, KeyedTablePlan, RowidTablePlan } from '../census/plan.ts'
import type { RowIdentity, TableComparison } from '../model/result/comparison.ts'
import type { Finding } from '../model/result/finding.ts'
import type { SkippedObject, TableContent } from '../model/result/verdict.ts'
import { plainName, sameColumns } from './schema.ts'

export type TablePlan = RowidTablePlan | KeyedTablePlan

/** What of the plan of a table decides how its rows are identified. */
export type TableShape =
  | (Pick<RowidTablePlan, 'kind' | 'rowidAlias'> & NamedColumns)
  | (Pick<KeyedTablePlan, 'kind'> & NamedColumns & { readonly key: ArrayLike<unknown> })

interface NamedColumns {
  readonly columns: readonly { readonly name: string }[]
}

/** A table of one side: its position in the plan of that side, and what was read of it. */
export interface FoundTable {
  readonly name: string
  /** Position in the plan; null if it is not in the plan. */
  readonly tree: number | null
  readonly plan: TableShape | null
  /** null if its content was not read. */
  readonly content: TableContent | null
  /** Why its content may be incomplete; null if it is complete. */
  readonly doubt: string | null
}

/** Tables by plain name: those of the plan, and those that were counted. Without SQLite's own (`sqlite_…`). */
export function findTables(
  plan: CensusPlan | null,
  content: readonly TableContent[],
  doubtOf: (table: string) => string | null,
): ReadonlyMap<string, FoundTable> {
  const counted = new Map(content.map((table) => [plainName(table.name), table]))
  const found = new Map<string, FoundTable>()
  const add = (name: string, tree: number | null, table: TablePlan | null): void => {
    found.set(plainName(name), {
      name,
      tree,
      plan: table,
      content: counted.get(plainName(name)) ?? null,
      doubt: doubtOf(name),
    })
  }
  for (const [tree, one] of (plan?.trees ?? []).entries())
    if (one.kind !== 'index' && one.object.kind === 'table' && !one.object.name.startsWith('sqlite_'))
      add(one.object.name, tree, one)
  for (const { name } of content) if (!found.has(plainName(name))) add(name, null, null)
  return found
}

/** Why the content of a table may be incomplete: damage to the table, or to something that all tables need. */
export function doubtsIn(
  findings: readonly Finding[],
  skipped: readonly SkippedObject[],
): (table: string) => string | null {
  const damage = findings.filter(({ severity }) => severity === 'damage')
  const ofAll = damage.find(({ object }) => object.kind === 'schema' || object.kind === 'file')
  const unread = skipped.find(({ object }) => object === 'pages')
  return (table) => {
    const own = damage.find(({ object }) => object.kind === 'table' && object.name === table)
    return (own ?? ofAll)?.text ?? unread?.why ?? null
  }
}

/**
 * How rows are identified in both tables. `other-columns` if the tables do not have the same columns: their digests and
 * rows cannot be compared then.
 */
export function identityIn(a: TableShape, b: TableShape): RowIdentity | 'other-columns' {
  if (
    !sameColumns(
      a.columns.map(({ name }) => name),
      b.columns.map(({ name }) => name),
    )
  )
    return 'other-columns'
  if (a.kind === 'keyed-table' && b.kind === 'keyed-table' && a.key.length === b.key.length) return 'primary-key'
  return a.kind === 'rowid-table' && b.kind === 'rowid-table' && a.rowidAlias >= 0 && a.rowidAlias === b.rowidAlias
    ? 'rowid'
    : 'content'
}

const otherColumns = 'its columns are not the same, so its rows cannot be compared one by one'

interface MatchedTables {
  readonly table: TableComparison
  /** How rows are identified, if they must be compared one by one; null if not. */
  readonly compareRowsBy: RowIdentity | null
}

/** Compares one table by its digests. Rows are compared afterwards. */
export function judgeTable(a: FoundTable | null, b: FoundTable | null, partOf: string | null): MatchedTables {
  const base = {
    name: a?.name ?? b?.name ?? '',
    partOf,
    rows: { a: a?.content?.rows ?? null, b: b?.content?.rows ?? null },
    digest: { a: a?.content?.digest ?? null, b: b?.content?.digest ?? null },
    rowsToldBy: null,
    differing: null,
    why: null,
  }
  if (a === null || b === null)
    return {
      table: { ...base, comparison: a === null ? 'only-in-b' : 'only-in-a', why: whyDoubted(a, b) },
      compareRowsBy: null,
    }
  if (a.plan !== null && b.plan !== null && identityIn(a.plan, b.plan) === 'other-columns')
    return { table: { ...base, comparison: 'differs', why: otherColumns }, compareRowsBy: null }
  const unread = [...(base.digest.a === null ? ['A'] : []), ...(base.digest.b === null ? ['B'] : [])]
  if (unread.length > 0)
    return {
      table: {
        ...base,
        comparison: 'not-compared',
        why: whyDoubted(a, b) ?? `its content could not be read in ${unread.join(' and ')}`,
      },
      compareRowsBy: null,
    }
  const equal = base.digest.a === base.digest.b && base.rows.a === base.rows.b
  const doubt = whyDoubted(a, b)
  if (equal)
    return {
      table:
        doubt === null
          ? { ...base, comparison: 'equal' }
          : { ...base, comparison: 'not-compared', why: `what could be read of it is equal, but ${doubt}` },
      compareRowsBy: null,
    }
  const identity = a.plan === null || b.plan === null ? null : identityIn(a.plan, b.plan)
  return {
    table: { ...base, comparison: 'differs', why: doubt },
    compareRowsBy: identity === 'other-columns' ? null : identity,
  }
}

function whyDoubted(a: FoundTable | null, b: FoundTable | null): string | null {
  const reasons = (
    [
      ['A', a?.doubt ?? null],
      ['B', b?.doubt ?? null],
    ] as const
  ).flatMap(([side, doubt]) => (doubt === null ? [] : [`it was not wholly read in ${side}: ${doubt}`]))
  return reasons.length === 0 ? null : reasons.join('; ')
}
