/** Which tables of two files are compared, and by what their rows are told apart. */

import type { CensusPlan, KeyedTablePlan, RowidTablePlan } from '../census/plan.ts'
import type { RowIdentity, TableComparison } from '../model/result/comparison.ts'
import type { Finding } from '../model/result/finding.ts'
import type { Skipped, TableContent } from '../model/result/verdict.ts'
import { plainName, sameColumns } from './schema.ts'

export type TablePlan = RowidTablePlan | KeyedTablePlan

/** A table of one side: its place in that side's plan, and what was read of it. */
export interface FoundTable {
  readonly name: string
  /** Position in the plan; null where the census did not plan it. */
  readonly tree: number | null
  readonly plan: TablePlan | null
  /** null where its content was not digested. */
  readonly content: TableContent | null
  /** Why what was read of it may not be all; null where it is. */
  readonly doubt: string | null
}

/** Tables by plain name: those of the plan, and those that were counted. `sqlite_…` tables are SQLite's own. */
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

/** What makes the content of a table less than whole: damage to it, or to what all tables rest on. */
export function doubtsIn(findings: readonly Finding[], skipped: readonly Skipped[]): (table: string) => string | null {
  const damage = findings.filter(({ severity }) => severity === 'damage')
  const ofAll = damage.find(({ object }) => object.kind === 'schema' || object.kind === 'file')
  const unread = skipped.find(({ object }) => object === 'pages')
  return (table) => {
    const own = damage.find(({ object }) => object.kind === 'table' && object.name === table)
    return (own ?? ofAll)?.text ?? unread?.why ?? null
  }
}

/**
 * Are the rows of both made of the same columns? Then the digests tell whether they hold the same, and rows have
 * something to be told by.
 */
export function identityIn(a: TablePlan, b: TablePlan): RowIdentity | 'other-columns' {
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

const otherColumns = 'its columns are not the same, so its rows cannot be told apart one by one'

export interface MatchedTables {
  readonly table: TableComparison
  /** By what rows are to be told apart, where they are to be looked at. */
  readonly compareRowsBy: RowIdentity | null
}

/** What the digests say of one table. Rows are looked at afterwards. */
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
  const look = a.plan === null || b.plan === null ? null : identityIn(a.plan, b.plan)
  return {
    table: { ...base, comparison: 'differs', why: doubt },
    compareRowsBy: look === 'other-columns' ? null : look,
  }
}

function whyDoubted(a: FoundTable | null, b: FoundTable | null): string | null {
  const said = (
    [
      ['A', a?.doubt ?? null],
      ['B', b?.doubt ?? null],
    ] as const
  ).flatMap(([side, doubt]) => (doubt === null ? [] : [`it was not wholly read in ${side}: ${doubt}`]))
  return said.length === 0 ? null : said.join('; ')
}
