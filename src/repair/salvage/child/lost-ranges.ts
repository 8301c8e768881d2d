/** Child side: the key ranges of a table that no readable page covers and no index names, as accounts list them. */
import type Database from 'better-sqlite3'
import { integerKey } from '../../../census/record/row-key.ts'
import type { LostRange } from '../../../model/result/account.ts'
import type { RowKey } from '../../../model/result/finding.ts'

/** Ranges of one answer. */
const rangesEachMax = 100
/** Pages of one range. A longer one is given in parts that touch. */
const pagesEachMax = 1_000

const rowidMin = -(1n << 63n)
const rowidMax = (1n << 63n) - 1n

interface Rowids {
  readonly low: bigint
  readonly high: bigint
  readonly page: bigint | null
}

interface Keys {
  readonly low: string | null
  readonly high: string | null
  readonly page: number | null
}

/**
 * In the order of rowids; of a table WITHOUT ROWID, in the order in which they were found. None if an index that could
 * be read completely names every row of the table.
 * @param facts the name under which the facts are attached
 */
export function* lostRanges(db: Database.Database, facts: 'main' | 'facts', id: number): Generator<LostRange> {
  const table = db
    .prepare<[number], { readonly keyed: number; readonly complete: number }>(
      `SELECT keyed, complete FROM ${facts}.tables WHERE id = ?`,
    )
    .get(id)
  if (table === undefined || table.complete === 1) return
  yield* table.keyed === 1 ? keyRanges(db, facts, id) : rowidRanges(db, facts, id)
}

/** The next ones, as many as fit into an answer. */
export function takeRanges(from: Generator<LostRange>): {
  readonly ranges: readonly LostRange[]
  readonly isLast: boolean
} {
  const ranges: LostRange[] = []
  while (ranges.length < rangesEachMax) {
    const next = from.next()
    if (next.done === true) return { ranges, isLast: true }
    ranges.push(next.value)
  }
  return { ranges, isLast: false }
}

/** Ranges that touch become one. */
function* rowidRanges(db: Database.Database, facts: string, id: number): Generator<LostRange> {
  const all = db
    .prepare<[number], Rowids>(
      `SELECT low, high, page FROM ${facts}.lost_rowids WHERE table_id = ? AND known = 0 ORDER BY low, high`,
    )
    .safeIntegers()
  let open: { low: bigint; high: bigint; pages: Set<number> } | null = null
  for (const { low, high, page } of all.iterate(id)) {
    if (open !== null && (low > open.high + 1n || open.pages.size >= pagesEachMax)) {
      yield rowidRange(open)
      open = null
    }
    open ??= { low, high, pages: new Set() }
    if (high > open.high) open.high = high
    if (page !== null && page > 0n) open.pages.add(Number(page))
  }
  if (open !== null) yield rowidRange(open)
}

const rowidRange = ({ low, high, pages }: { low: bigint; high: bigint; pages: ReadonlySet<number> }): LostRange => ({
  after: low === rowidMin ? null : integerKey(low - 1n),
  before: high === rowidMax ? null : integerKey(high + 1n),
  pages: [...pages].toSorted((a, b) => a - b),
})

/** Two of them never touch: between them is a row that can be read. */
function* keyRanges(db: Database.Database, facts: string, id: number): Generator<LostRange> {
  const all = db.prepare<[number], Keys>(
    `SELECT low, high, page FROM ${facts}.lost_keys WHERE table_id = ? AND known = 0 ORDER BY rowid`,
  )
  for (const { low, high, page } of all.iterate(id))
    yield { after: boundOf(low), before: boundOf(high), pages: page === null || page === 0 ? [] : [page] }
}

const boundOf = (json: string | null): RowKey | null => (json === null ? null : (JSON.parse(json) as RowKey))
