/**
 * Child side: the last part of a census. Adds the entries that SQL must compute, compares all sums, and reads again
 * what differs.
 */
import Database from 'better-sqlite3'
import { findingsOfDifferences, findingsOfNotes } from '../../census/differences/findings.ts'
import type { DifferenceOptions } from '../../census/differences/group-finding.ts'
import { DifferenceSearch, differingIndexes } from '../../census/differences/search.ts'
import type { DifferencePass, UnmatchedEntrySink } from '../../census/differences/search.ts'
import type { IndexPlan, TreePlan } from '../../census/plan.ts'
import { ComputedEntries } from '../../census/scan/computed-entries.ts'
import { tableDigest } from '../../census/scan/tally.ts'
import type { CensusTally } from '../../census/scan/tally.ts'
import type { Rule } from '../../model/result/finding.ts'
import type { RowCounts, TableContent } from '../../model/result/verdict.ts'
import { BadPageRanges } from '../../sqlite/accounting/bad-page-ranges.ts'
import type { CompareAnswer, UncountedObject } from '../step-answers.ts'
import type { PageCounter } from './pages/page-counter.ts'
import { computedEntries, computationOf } from './sqlite/computed-entries.ts'
import type { EntryComputation } from './sqlite/computed-entries.ts'
import { withEntryQueries } from './sqlite/entry-queries.ts'
import { findRoundingDifferences } from './sqlite/rounding-differences.ts'
import { askRowsForKeys } from './sqlite/unique-keys.ts'

type Query = Extract<EntryComputation, { kind: 'query' }>

/** @param wanted `map`: the pages of wrong entries; `showValues`: what entries hold beside keys */
export function findCountDifferences(
  counter: PageCounter,
  db: Database.Database,
  { map, showValues }: { readonly map: boolean; readonly showValues: boolean },
): CompareAnswer {
  const { plan, tally, file } = counter
  const computed = addComputed(counter, db)
  const unread = [...tally.unread].flatMap(([tree, why]) =>
    unreadTrees(plan.trees, tree).map((one) => uncountedAt(plan.trees, one, why)),
  )
  const uncounted = [...computed.uncounted, ...unread]
  // A tree that was not read completely has no sums to compare.
  for (const { tree } of uncounted) forget(tally, tree, plan.trees.length)
  const places = map ? new BadPageRanges(Math.ceil(file.fileBytes / plan.pageSize)) : null
  const agree = tally.noted.size === 0 && differingIndexes(plan, tally).length === 0
  const { findings, skipped } = agree
    ? { findings: [], skipped: [] }
    : findDifferences(counter, db, computed.queries, { places, showValues })
  const passedOver = new Set(uncounted.map(({ tree }) => tree))
  return {
    findings,
    skipped,
    entries: places?.pages() ?? null,
    uncounted: uncounted.map(({ object, table, why }) => ({ object, table, why })),
    content: contentOf(plan.trees, tally, passedOver),
    rowCounts: rowCountsOf(plan.trees, tally, passedOver),
  }
}

type Differences = Pick<CompareAnswer, 'findings' | 'skipped'>

function findDifferences(
  counter: PageCounter,
  db: Database.Database,
  queries: ReadonlyMap<number, Query>,
  options: DifferenceOptions,
): Differences {
  const { plan, tally, owners, file } = counter
  const search = new DifferenceSearch(plan, owners, tally)
  for (const pass of search.passes(file)) runPass(counter, db, pass, queries)
  const skipped = search.complete ? findRoundingDifferences(counter, db, queries, search.unmatched) : []
  const passedOver = new Set(skipped.map(({ object }) => object))
  const differences = findingsOfDifferences(plan, owners, tally, search, file, options).filter(
    ({ object }) => object.kind !== 'index' || !passedOver.has(object.name),
  )
  return {
    findings: withEntryQueries(
      db,
      askRowsForKeys(counter, db, [...findingsOfNotes(plan, owners, tally), ...differences]),
    ),
    skipped,
  }
}

interface UncountedTree extends UncountedObject {
  readonly tree: number
}

/** Adds the entries that SQL must compute. `uncounted`: indexes for which SQLite cannot do it. */
export function addComputed(
  { plan, tally }: PageCounter,
  db: Database.Database,
): { readonly queries: ReadonlyMap<number, Query>; readonly uncounted: readonly UncountedTree[] } {
  const queries = new Map<number, Query>()
  const uncounted: UncountedTree[] = []
  const entries = new ComputedEntries(plan, tally)
  for (const [tree, index] of plan.trees.entries()) {
    if (index.kind !== 'index' || index.entries !== 'computed') continue
    try {
      const computing = computationOf(db, index.object.name, index.object.table ?? '')
      if (computing.kind === 'query') {
        queries.set(tree, computing)
        for (const entry of computedEntries(db, computing)) entries.add(tree, entry)
      } else uncounted.push(uncountedAt(plan.trees, tree, computing.why))
    } catch (error) {
      // SQLite's full check of this table reports the reason.
      if (!(error instanceof Database.SqliteError)) throw error
      uncounted.push(uncountedAt(plan.trees, tree, error.message))
    }
  }
  return { queries, uncounted }
}

function uncountedAt(trees: readonly TreePlan[], tree: number, why: string): UncountedTree {
  const object = trees[tree]?.object
  return { tree, object: object?.name ?? '', table: object?.table ?? object?.name ?? '', why }
}

/** A table that was not read completely cannot be compared with any of its indexes. */
const unreadTrees = (trees: readonly TreePlan[], unread: number): readonly number[] =>
  trees.flatMap((tree, i) => (i === unread || (tree.kind === 'index' && tree.table === unread) ? [i] : []))

function forget(tally: CensusTally, tree: number, trees: number): void {
  const each = tally.sums.length / trees
  tally.sums.fill(0, tree * each, (tree + 1) * each)
}

/** One pass of the search: reads the pages that it needs, and computes entries by SQL again. */
export function runPass(
  counter: PageCounter,
  db: Database.Database,
  pass: DifferencePass,
  queries: ReadonlyMap<number, Query>,
  take?: UnmatchedEntrySink,
): void {
  counter.scanWith(pass.scanner, (page) => pass.needs(page))
  for (const tree of pass.computed) {
    const query = queries.get(tree)
    if (query) for (const entry of computedEntries(db, query)) pass.addComputed(tree, entry)
  }
  pass.end(take)
}

const contentOf = (
  trees: readonly TreePlan[],
  tally: CensusTally,
  unread: ReadonlySet<number>,
): readonly TableContent[] =>
  trees.flatMap((tree, i) =>
    isCounted(tree) && !unread.has(i)
      ? [{ name: tree.object.name, rows: tally.entries[i] ?? 0, digest: tableDigest(tally, i) }]
      : [],
  )

function rowCountsOf(
  trees: readonly TreePlan[],
  tally: CensusTally,
  unread: ReadonlySet<number>,
): readonly RowCounts[] {
  const plain = trees.flatMap((index, at) =>
    index.kind === 'index' && index.entries === 'plain' && !unread.has(at)
      ? [{ table: index.table, name: index.object.name, entries: tally.entries[at] ?? 0 }]
      : [],
  )
  const byTable = Map.groupBy(plain, ({ table }) => table)
  return trees.flatMap((tree, i): readonly RowCounts[] => {
    if (!isCounted(tree) || unread.has(i)) return []
    const countNoted = (rule: Rule): number => tally.noted.get(`${rule} ${i}`) ?? 0
    const indexes = (byTable.get(i) ?? []).map(({ name, entries }) => ({ name, entries }))
    return [
      { table: tree.object.name, broken: countNoted('record-malformed') + countNoted('overflow-broken'), indexes },
    ]
  })
}

const isCounted = (tree: TreePlan): tree is Exclude<TreePlan, IndexPlan> =>
  tree.kind !== 'index' && tree.object.kind === 'table' && !tree.object.name.startsWith('sqlite_')
