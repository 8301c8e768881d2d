/**
 * Finds the rows of a table that differ between two sides. Each side's reader gives fingerprints: first as sums of
 * buckets, then row by row for the buckets that differ. This process matches them, and asks the readers for the keys of
 * what differs. It gets no other value of a row.
 */
import { randomInt } from 'node:crypto'
import { comparePrintedKeys, keysMax } from '../../comparison/first-keys.ts'
import { matchRows } from '../../comparison/row-entries.ts'
import { passesOver } from '../../comparison/row-sums.ts'
import type { RowReadOptions } from '../../comparison/table-rows.ts'
import type { RowDifferences, RowIdentity, SidePair } from '../../model/result/comparison.ts'
import type { ComparedSide } from './compared-side.ts'

export interface RowLimits {
  /** Rows that one pass keeps: 24 bytes each in a child, and 16 here. */
  readonly rowsEachPass: number
  /** For each child. */
  readonly memoryBytesMax: number
}

export const usualRowsEachPass = 250_000
/** Passes over one table. Rows that would need more passes are not compared. */
const passesMax = 64

interface ComparedTable {
  /** Position of the table in the plan of each side. */
  readonly tree: SidePair<number>
  readonly rows: SidePair<number>
  readonly identity: RowIdentity
  /** True if texts are converted to UTF-8. */
  readonly asUtf8: boolean
}

type RowComparison =
  | { readonly kind: 'compared'; readonly differing: RowDifferences }
  | { readonly kind: 'not-compared'; readonly why: string }

export async function compareRows(
  sides: SidePair<ComparedSide>,
  table: ComparedTable,
  limits: RowLimits,
): Promise<RowComparison> {
  const identity = table.identity === 'content' ? 'content' : 'key'
  const reading = { identity, asUtf8: table.asUtf8, key: [randomInt(2 ** 32), randomInt(2 ** 32)] } as const
  const refused = await beginRows(sides, table.tree, reading, limits)
  if (refused !== null) return notCompared(refused)
  const passes = await planPasses(sides, table.rows.a + table.rows.b, limits)
  if (typeof passes === 'string') return notCompared(passes)
  const totals: RowTotals = { onlyInA: 0, onlyInB: 0, different: 0 }
  let exact = passes.length <= passesMax
  for (const wanted of passes.slice(0, passesMax)) {
    const pass = await runPass(sides, wanted, identity, limits)
    if (pass.kind === 'not-read') return notCompared(pass.why)
    if (pass.kind === 'full') exact = false
    else addTo(totals, pass.totals)
  }
  return differencesOf(sides, totals, exact)
}

interface RowTotals {
  onlyInA: number
  onlyInB: number
  different: number
}

/** `full`: more rows have one fingerprint than a pass can hold. Without all of them, none can be compared. */
type RowPass =
  | { readonly kind: 'matched'; readonly totals: RowTotals }
  | { readonly kind: 'full' }
  | { readonly kind: 'not-read'; readonly why: string }

/** Collects the wanted rows of both sides, matches them, and makes the readers remember the keys of what differs. */
async function runPass(
  sides: SidePair<ComparedSide>,
  wanted: Uint8Array | null,
  identity: 'content' | 'key',
  { rowsEachPass }: RowLimits,
): Promise<RowPass> {
  const { a, b } = sides
  const [rowsA, rowsB] = await Promise.all(
    [a, b].map((side) => side.ask<'collectRows'>({ step: 'collectRows', wanted, rowsMax: rowsEachPass })),
  )
  if (!rowsA || !rowsB || rowsA.unread !== null || rowsB.unread !== null)
    return { kind: 'not-read', why: whyOf(sides, rowsA?.unread ?? null, rowsB?.unread ?? null) }
  if (rowsA.full || rowsB.full) return { kind: 'full' }
  const { onlyInA, onlyInB, different } = matchRows(rowsA.entries, rowsB.entries, identity)
  await Promise.all([
    a.ask<'nameRows'>({ step: 'nameRows', onlyHere: onlyInA, different }),
    b.ask<'nameRows'>({ step: 'nameRows', onlyHere: onlyInB, different: new Uint32Array(0) }),
  ])
  return { kind: 'matched', totals: { onlyInA: onlyInA.length, onlyInB: onlyInB.length, different: different.length } }
}

function addTo(totals: RowTotals, { onlyInA, onlyInB, different }: RowTotals): void {
  totals.onlyInA += onlyInA
  totals.onlyInB += onlyInB
  totals.different += different
}

/** The result of all passes, with the first keys. */
async function differencesOf(sides: SidePair<ComparedSide>, totals: RowTotals, exact: boolean): Promise<RowComparison> {
  const { onlyInA, onlyInB, different } = totals
  const [firstA, firstB] = await Promise.all(
    [sides.a, sides.b].map((side) => side.ask<'firstKeys'>({ step: 'firstKeys' })),
  )
  if (!firstA || !firstB) return notCompared(whyOf(sides, null, null))
  const rows = onlyInA + onlyInB + different
  if (rows === 0) return notCompared('it has too many rows, or too many equal rows, to compare them one by one')
  return {
    kind: 'compared',
    differing: {
      rows,
      exact,
      onlyInA: { total: onlyInA, keys: firstA.onlyHere.slice(0, keysMax) },
      onlyInB: { total: onlyInB, keys: firstB.onlyHere.slice(0, keysMax) },
      different: { total: different, keys: firstA.different.slice(0, keysMax).toSorted(comparePrintedKeys) },
    },
  }
}

/** Content digest of a table with its texts in UTF-8; null if it could not be made. */
export async function digestInUtf8(side: ComparedSide, tree: number, limits: RowLimits): Promise<string | null> {
  const reading: RowReadOptions = { identity: 'content', asUtf8: true, key: [0, 0] }
  const ready = await side.ask<'beginTable'>({
    step: 'beginTable',
    tree,
    reading,
    rowsMax: limits.rowsEachPass,
    memoryBytesMax: limits.memoryBytesMax,
  })
  if (ready?.kind !== 'ready') return null
  const counted = await side.ask<'sumRows'>({ step: 'sumRows' })
  return counted === null || counted.unread !== null ? null : counted.digest
}

const notCompared = (why: string): RowComparison => ({ kind: 'not-compared', why })

/** @returns why rows cannot be compared; null if they can */
async function beginRows(
  { a, b }: SidePair<ComparedSide>,
  tree: SidePair<number>,
  reading: RowReadOptions,
  { rowsEachPass, memoryBytesMax }: RowLimits,
): Promise<string | null> {
  const ask = (side: ComparedSide, of: number): ReturnType<typeof side.ask<'beginTable'>> =>
    side.ask<'beginTable'>({ step: 'beginTable', tree: of, reading, rowsMax: rowsEachPass, memoryBytesMax })
  const answers = await Promise.all([ask(a, tree.a), ask(b, tree.b)])
  for (const answer of answers) if (answer?.kind === 'not-possible') return answer.why
  return answers.includes(null) ? whyOf({ a, b }, null, null) : null
}

/** @returns the buckets of each pass (null: all rows in one pass), or why they cannot be found */
async function planPasses(
  sides: SidePair<ComparedSide>,
  rows: number,
  { rowsEachPass }: RowLimits,
): Promise<readonly (Uint8Array | null)[] | string> {
  if (rows <= rowsEachPass) return [null]
  const [a, b] = await Promise.all([sides.a, sides.b].map((side) => side.ask<'sumRows'>({ step: 'sumRows' })))
  if (!a || !b || a.unread !== null || b.unread !== null) return whyOf(sides, a?.unread ?? null, b?.unread ?? null)
  return passesOver(a.sums, b.sums, rowsEachPass)
}

function whyOf({ a, b }: SidePair<ComparedSide>, unreadInA: string | null, unreadInB: string | null): string {
  const reasons = (
    [
      ['A', a.stoppedWhy ?? unreadInA],
      ['B', b.stoppedWhy ?? unreadInB],
    ] as const
  ).flatMap(([side, why]) => (why === null ? [] : [`${side}: ${why}`]))
  return `its rows could not be compared one by one: ${reasons.join('; ')}`
}
