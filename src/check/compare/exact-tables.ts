/**
 * What is no part of the content of a database and must be kept by a remedy all the same. That is the rowids of tables
 * without INTEGER PRIMARY KEY, and the rows of SQLite's own tables (`sqlite_sequence`, those of ANALYZE).
 */
import { randomInt } from 'node:crypto'
import type { CensusPlan } from '../../census/plan.ts'
import type { RowReadOptions } from '../../comparison/table-rows.ts'
import type { FoundTable } from '../../comparison/tables.ts'
import type { SidePair, TableComparison } from '../../model/result/comparison.ts'
import type { AnswerOf } from '../protocol.ts'
import type { RowLimits } from './compare-rows.ts'
import type { ComparedSide } from './compared-side.ts'

/** @param table of equal content */
export async function withRowids(
  sides: SidePair<ComparedSide>,
  table: TableComparison,
  { a, b }: SidePair<FoundTable | null>,
  limits: RowLimits,
): Promise<TableComparison> {
  if (a?.plan?.kind !== 'rowid-table' || a.plan.rowidAlias >= 0 || a.tree === null || b?.tree == null) return table
  const sums = await sumBoth(sides, { a: a.tree, b: b.tree }, 'key', limits)
  if (typeof sums === 'string') return { ...table, comparison: 'not-compared', why: sums }
  return sums.a.keyedDigest === sums.b.keyedDigest
    ? table
    : { ...table, comparison: 'differs', why: 'its rows have other rowids' }
}

/** Only the tables that differ, or could not be compared. */
export async function compareOwnTables(
  sides: SidePair<ComparedSide>,
  plans: SidePair<CensusPlan | null>,
  limits: RowLimits,
): Promise<readonly TableComparison[]> {
  const own = { a: ownTables(plans.a), b: ownTables(plans.b) }
  const compared: TableComparison[] = []
  for (const name of new Set([...own.a.keys(), ...own.b.keys()])) {
    const [a, b] = [own.a.get(name), own.b.get(name)]
    if (a === undefined || b === undefined)
      compared.push(notEqual(name, a === undefined ? 'only-in-b' : 'only-in-a', null))
    else {
      const sums = await sumBoth(sides, { a, b }, 'content', limits)
      if (typeof sums === 'string') compared.push(notEqual(name, 'not-compared', sums))
      else if (sums.a.digest !== sums.b.digest) compared.push(notEqual(name, 'differs', null))
    }
  }
  return compared
}

/** Their positions in the plan, by name. */
const ownTables = (plan: CensusPlan | null): ReadonlyMap<string, number> =>
  new Map(
    (plan?.trees ?? []).flatMap((tree, position) =>
      tree.kind !== 'index' && tree.object.kind === 'table' && tree.object.name.startsWith('sqlite_')
        ? [[tree.object.name, position] as const]
        : [],
    ),
  )

/** @returns why the sums could not be made, if so */
async function sumBoth(
  { a, b }: SidePair<ComparedSide>,
  tree: SidePair<number>,
  identity: RowReadOptions['identity'],
  { rowsEachPass, memoryBytesMax }: RowLimits,
): Promise<SidePair<AnswerOf<'sumRows'>> | string> {
  const reading: RowReadOptions = { identity, asUtf8: false, key: [randomInt(2 ** 32), randomInt(2 ** 32)] }
  const sum = async (side: ComparedSide, position: number): Promise<AnswerOf<'sumRows'> | string> => {
    const begun = await side.ask<'beginTable'>({
      step: 'beginTable',
      tree: position,
      reading,
      rowsMax: rowsEachPass,
      memoryBytesMax,
    })
    if (begun?.kind === 'not-possible') return begun.why
    const summed = begun === null ? null : await side.ask<'sumRows'>({ step: 'sumRows' })
    return summed === null ? (side.stoppedWhy ?? 'it was not read') : (summed.unread ?? summed)
  }
  const [inA, inB] = await Promise.all([sum(a, tree.a), sum(b, tree.b)])
  if (typeof inA === 'string') return inA
  return typeof inB === 'string' ? inB : { a: inA, b: inB }
}

const notEqual = (name: string, comparison: TableComparison['comparison'], why: string | null): TableComparison => ({
  name,
  partOf: null,
  comparison,
  rows: { a: null, b: null },
  digest: { a: null, b: null },
  rowsToldBy: null,
  differing: null,
  why,
})
