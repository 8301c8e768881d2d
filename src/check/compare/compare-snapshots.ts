/** Compares two snapshots that were checked: their schemas, the digests of tables, and if these differ the rows. */
import { compareSchemas, plainName } from '../../comparison/schema.ts'
import { findTables, identityIn, judgeTable } from '../../comparison/tables.ts'
import type { FoundTable } from '../../comparison/tables.ts'
import { monotonicMs } from '../../host/clock.ts'
import type { SnapshotPath } from '../../model/brand.ts'
import type { KeptFiles } from '../../model/kept-file.ts'
import type { Comparison, SidePair, TableComparison } from '../../model/result/comparison.ts'
import type { TableContent } from '../../model/result/verdict.ts'
import type { Reader } from '../protocol.ts'
import { compareRows, digestInUtf8 } from './compare-rows.ts'
import type { RowLimits } from './compare-rows.ts'
import { ComparedSide } from './compared-side.ts'
import type { OpenedSchema } from './compared-side.ts'
import { compareOwnTables, withRowids } from './exact-tables.ts'

/** What the check of a snapshot found out. */
export interface CheckedContent {
  readonly content: readonly TableContent[]
  /** Why the check may not have read all of a table; null if it has. */
  readonly doubtOf: (table: string) => string | null
}

export interface CheckedSnapshot extends CheckedContent {
  readonly path: SnapshotPath
  /** As in `CheckOptions`. */
  readonly kept?: KeptFiles
}

export interface CompareOptions {
  /** Names of tables that are not compared. */
  readonly except: ReadonlySet<string>
  /**
   * True if tables without INTEGER PRIMARY KEY must have the same rowids too, and SQLite's own tables the same rows.
   * Without it their rowids are no part of the content.
   */
  readonly exact: boolean
}

export const contentOnly: CompareOptions = { except: new Set(), exact: false }

/** @param readers one for each side @param limits `timeoutMs` is for the whole comparison */
export async function compareSnapshots(
  readers: SidePair<Reader>,
  checked: SidePair<CheckedContent>,
  limits: RowLimits & { readonly timeoutMs: number },
  { except, exact }: CompareOptions = contentOnly,
): Promise<Comparison> {
  const endsAtMs = monotonicMs() + limits.timeoutMs
  const sides = { a: new ComparedSide(readers.a, endsAtMs), b: new ComparedSide(readers.b, endsAtMs) }
  const [a, b] = await Promise.all([sides.a.open(), sides.b.open()])
  if (a === null || b === null) return notCompared(sides, checked)
  const schemas = { a, b }
  const asUtf8 = a.description.encoding !== b.description.encoding
  const tables = { a: tablesOf(a, checked.a), b: tablesOf(b, checked.b) }
  const compared: TableComparison[] = []
  for (const [name, pair] of pairsOf(tables)) {
    if (except.has(pair.a?.name ?? name)) continue
    const comparable = asUtf8 ? await inUtf8(sides, schemas, pair, limits) : pair
    const table = await compareTable(sides, comparable, partOf(schemas, name), asUtf8, limits)
    compared.push(exact && table.comparison === 'equal' ? await withRowids(sides, table, pair, limits) : table)
  }
  if (exact) compared.push(...(await compareOwnTables(sides, { a: a.plan, b: b.plan }, limits)))
  return { why: null, tables: compared, schemaDifferences: compareSchemas(a.description, b.description) }
}

type Pair = SidePair<FoundTable | null>
type Tables = ReadonlyMap<string, FoundTable>

const tablesOf = ({ plan }: OpenedSchema, { content, doubtOf }: CheckedContent): Tables =>
  findTables(plan, content, doubtOf)

/** Tables by plain name, in the order of names; null if a side has no table of this name. */
const pairsOf = ({ a, b }: SidePair<Tables>): readonly (readonly [string, Pair])[] =>
  [...new Set([...a.keys(), ...b.keys()])]
    .sort()
    .map((name) => [name, { a: a.get(name) ?? null, b: b.get(name) ?? null }])

const partOf = ({ a, b }: SidePair<OpenedSchema>, name: string): string | null =>
  [...a.description.objects, ...b.description.objects].find(
    (object) => object.kind === 'table' && plainName(object.name) === name && object.shadowOf !== null,
  )?.shadowOf ?? null

async function compareTable(
  sides: SidePair<ComparedSide>,
  { a, b }: Pair,
  shadowOf: string | null,
  asUtf8: boolean,
  limits: RowLimits,
): Promise<TableComparison> {
  const { table, compareRowsBy: look } = judgeTable(a, b, shadowOf)
  if (look === null || a === null || b === null || a.tree === null || b.tree === null) return table
  const rows = await compareRows(
    sides,
    {
      tree: { a: a.tree, b: b.tree },
      rows: { a: a.content?.rows ?? 0, b: b.content?.rows ?? 0 },
      identity: look,
      asUtf8,
    },
    limits,
  )
  if (rows.kind === 'not-compared')
    return { ...table, why: [...(table.why === null ? [] : [table.why]), rows.why].join('; ') }
  return { ...table, rowsToldBy: look, differing: rows.differing }
}

/** The same tables with digests of texts in UTF-8: digests of two encodings cannot be compared. */
async function inUtf8(
  sides: SidePair<ComparedSide>,
  schemas: SidePair<OpenedSchema>,
  pair: Pair,
  limits: RowLimits,
): Promise<Pair> {
  const { a, b } = pair
  if (!a?.plan || !b?.plan || identityIn(a.plan, b.plan) === 'other-columns') return pair
  const withUtf8Digest = async (side: 'a' | 'b', table: FoundTable): Promise<FoundTable> => {
    if (schemas[side].description.encoding === 'UTF-8' || table.tree === null || table.content === null) return table
    return { ...table, content: { ...table.content, digest: await digestInUtf8(sides[side], table.tree, limits) } }
  }
  const [inA, inB] = await Promise.all([withUtf8Digest('a', a), withUtf8Digest('b', b)])
  return { a: inA, b: inB }
}

/** For a schema that could not be read again: reports what the checks counted, and compares nothing. */
function notCompared({ a, b }: SidePair<ComparedSide>, checked: SidePair<CheckedContent>): Comparison {
  const why = (
    [
      ['A', a.stoppedWhy],
      ['B', b.stoppedWhy],
    ] as const
  )
    .flatMap(([side, reason]) => (reason === null ? [] : [`${side}: ${reason}`]))
    .join('; ')
  const tables = {
    a: findTables(null, checked.a.content, () => null),
    b: findTables(null, checked.b.content, () => null),
  }
  return {
    why,
    tables: pairsOf(tables).map(([, { a, b }]) => ({
      name: a?.name ?? b?.name ?? '',
      partOf: null,
      comparison: 'not-compared',
      rows: { a: a?.content?.rows ?? null, b: b?.content?.rows ?? null },
      digest: { a: a?.content?.digest ?? null, b: b?.content?.digest ?? null },
      rowsToldBy: null,
      differing: null,
      why,
    })),
    schemaDifferences: [],
  }
}
