/** Child side: the keys of cells, and their order: rowids, or the first columns of records. */
import type { CellCursor } from '../../../../census/record/cell-cursor.ts'
import { Columns } from '../../../../census/record/columns.ts'
import { compareKeys } from '../../../../census/record/key-order.ts'
import type { OverflowChains } from './payloads.ts'
import type { TreeShape } from './shape.ts'

/** The rowid; for index trees the decoded columns of the key. */
export type Key = bigint | Columns

export class KeyReader {
  readonly #shape: TreeShape
  readonly #chains: OverflowChains
  readonly #wanted: number
  readonly #pool: Columns[] = []

  constructor(shape: TreeShape, chains: OverflowChains) {
    this.#shape = shape
    this.#chains = chains
    this.#wanted = shape.key.length
  }

  /**
   * The key of the cell that `cursor` has read; null if its record cannot be read. Of records it is valid until cell
   * `i` of another page is read: a new object for each took most of the time.
   */
  read(cursor: CellCursor, view: DataView, i: number): Key | null {
    if (cursor.tree === 'table') return rowidOf(cursor)
    const columns = (this.#pool[i] ??= new Columns(this.#shape.columnsMax))
    const { bytes, payload, payloadBytes, localBytes, overflow } = cursor
    const max = this.#shape.columnsMax
    let outcome = columns.decode(bytes, view, payload, payloadBytes, localBytes, this.#wanted, max)
    if (outcome === 'longer') {
      const whole = this.#chains.gather(bytes, payload, { first: overflow, payloadBytes, localBytes })
      if (whole === null) return null
      outcome = columns.decode(whole, new DataView(whole.buffer), 0, payloadBytes, payloadBytes, this.#wanted, max)
    }
    return outcome === 'decoded' && columns.count >= this.#wanted ? columns : null
  }

  compare(a: Key, b: Key): number {
    if (typeof a === 'bigint' || typeof b === 'bigint') return a < b ? -1 : Number(a > b)
    return compareKeys(a, b, this.#shape.key, this.#wanted, this.#shape.encoding)
  }

  /** True if a key may lie between these bounds. A rowid may be equal to the upper one. */
  isBetween(key: Key, low: Key | null, high: Key | null): boolean {
    if (!this.#shape.ordered) return true
    if (low !== null && this.compare(key, low) <= 0) return false
    if (high === null) return true
    const order = this.compare(key, high)
    return typeof key === 'bigint' ? order <= 0 : order < 0
  }

  get isOrdered(): boolean {
    return this.#shape.ordered
  }
}

export const rowidOf = ({ rowLow, rowHigh }: CellCursor): bigint => (BigInt(rowHigh) << 32n) | BigInt(rowLow >>> 0)

/** A key that outlives the page that it was read from. */
export function keptKey(key: Key): Key {
  if (typeof key === 'bigint') return key
  const kept = new Columns(key.kind.length - 1)
  kept.count = key.count
  kept.kind.set(key.kind)
  kept.low.set(key.low)
  kept.high.set(key.high)
  kept.at.set(key.at)
  kept.length.set(key.length)
  kept.bytes = key.bytes.slice()
  kept.view = new DataView(kept.bytes.buffer)
  return kept
}

/**
 * Positions of the longest run of keys that ascends. The others cannot be in their place.
 * @param keys null: no key
 */
export function ascending(keys: readonly (Key | null)[], compare: (a: Key, b: Key) => number): ReadonlySet<number> {
  /** By length of a run: the position of its last key, which is the lowest that there is. */
  const ends: number[] = []
  const before: number[] = []
  for (const [i, key] of keys.entries()) {
    if (key === null) continue
    let from = 0
    let to = ends.length
    while (from < to) {
      const middle = (from + to) >> 1
      const end = keys[ends[middle] ?? 0]
      if (end !== null && end !== undefined && compare(end, key) < 0) from = middle + 1
      else to = middle
    }
    before[i] = from === 0 ? -1 : (ends[from - 1] ?? -1)
    ends[from] = i
  }
  const run = new Set<number>()
  for (let at = ends.at(-1) ?? -1; at >= 0; at = before[at] ?? -1) run.add(at)
  return run
}
