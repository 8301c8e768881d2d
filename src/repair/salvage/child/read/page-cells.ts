/** Child side: judges each cell of a b-tree page: whether it can be read, and is in its place. */
import { CellCursor } from '../../../../census/record/cell-cursor.ts'
import { read32 } from '../../../../sqlite/bytes.ts'
import type { PageLayout } from '../../../../sqlite/page-layout.ts'
import { headerOffset } from '../../../../sqlite/page.ts'
import { beginPage, cellAt, endOfCell } from './begin-page.ts'
import { ascending, keptKey, type Key, type KeyReader } from './keys.ts'
import { RecordHeader } from './record-header.ts'
import { looksLike, type TreeShape } from './shape.ts'

/**
 * `displaced`: its key is out of order, or belongs to another page.
 * `doubtful`: it overlaps another cell, or lies before one that was overwritten.
 * `wider`: its record has more columns than the table has in the backup that names its root: some were added since.
 */
type CellCondition = 'good' | 'unreadable' | 'displaced' | 'doubtful' | 'wider'

/** Keys of a page lie between these; null: no bound. */
export interface Bounds {
  readonly low: Key | null
  readonly high: Key | null
}

export interface JudgedPage {
  readonly leaf: boolean
  readonly states: readonly CellCondition[]
  /** Of cells whose key can be read; null for others. Valid until the next page of the same tree is judged. */
  readonly keys: readonly (Key | null)[]
  /** Of interior pages: of each cell and of the right child; 0 if it cannot be read. */
  readonly children: readonly number[]
  /** Cells whose record can be read, and how many of them look like those of the tree. */
  readonly readable: number
  readonly alike: number
  /** Readable cells with a key between the bounds. */
  readonly between: number
  /** Fewest columns of a record; null if none can be read. */
  readonly columnsMin: number | null
}

/** SQLite creates no table with more. */
export const tableColumnsMax = 2000

export class CellJudge {
  readonly cursor: CellCursor
  readonly layout: PageLayout
  readonly #header = new RecordHeader()

  constructor(layout: PageLayout) {
    this.layout = layout
    this.cursor = new CellCursor(layout.usable, layout.pageSize)
  }

  /**
   * @param countMin fewest columns of a record of this tree
   * @returns null if this is no page of such a tree
   */
  judge(
    shape: TreeShape,
    keys: KeyReader,
    page: number,
    bytes: Uint8Array,
    bounds: Bounds,
    countMin: number,
  ): JudgedPage | null {
    const { cursor } = this
    if (!beginPage(cursor, bytes, page, this.layout) || (cursor.tree === 'table') !== (shape.kind === 'rowid-table'))
      return null
    const { leaf, cellCount } = cursor
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const states: CellCondition[] = []
    const found: (Key | null)[] = []
    const extents: [from: number, to: number][] = []
    const children: number[] = []
    const hasRecords = leaf || cursor.tree === 'index'
    let [readable, alike, between] = [0, 0, 0]
    let columnsMin: number | null = null
    for (let i = 0; i < cellCount; i++) {
      const at = cellAt(bytes, headerOffset(page), leaf, i)
      const isRead = cursor.read(i)
      if (!leaf) children.push(isRead ? read32(bytes, at) : 0)
      const record = isRead && hasRecords ? this.#readHeader(bytes, shape.columnsMax) : null
      const wellFormed = isRead && record !== 'wrong'
      // A rowid lies before the record, so it may be known although the record is not.
      const key = isRead && (wellFormed || cursor.tree === 'table') ? keys.read(cursor, view, i) : null
      extents.push(isRead ? [at, Math.max(at + 4, endOfCell(cursor))] : [at, -1])
      found.push(key)
      const wider = !wellFormed && isRead && shape.rootOfBackup && leaf && cursor.tree === 'table'
      if (wider && this.#readHeader(bytes, tableColumnsMax) !== 'wrong') states.push('wider')
      else states.push(key === null || !wellFormed ? 'unreadable' : 'good')
      if (key === null || !wellFormed) continue
      readable++
      if (record === 'ok' && this.#header.count > 0) columnsMin = Math.min(columnsMin ?? Infinity, this.#header.count)
      if (!hasRecords || looksLike(shape, this.#header, countMin)) alike++
      if (keys.isBetween(key, bounds.low, bounds.high)) between++
    }
    if (!leaf) children.push(read32(bytes, headerOffset(page) + 8))
    markOverlaps(states, extents)
    markNeighbours(states, extents, this.layout.usable)
    if (keys.isOrdered) markDisplaced(states, found, keys, bounds)
    return { leaf, states, keys: found, children, readable, alike, between, columnsMin }
  }

  /** The header of the record of the cell that was read last. The part in overflow pages is read later. */
  #readHeader(bytes: Uint8Array, columnsMax: number): ReturnType<RecordHeader['parse']> {
    const { payload, localBytes, payloadBytes } = this.cursor
    return this.#header.parse(bytes, payload, localBytes, payloadBytes, columnsMax)
  }
}

/** Cells of a page never overlap. One that begins inside of another is not where a pointer should lead. */
function markOverlaps(states: CellCondition[], extents: readonly (readonly [number, number])[]): void {
  const order = states.flatMap((state, i) => (state === 'good' ? [i] : []))
  order.sort((a, b) => (extents[a]?.[0] ?? 0) - (extents[b]?.[0] ?? 0))
  let last = -1
  for (const i of order) {
    const [from, to] = extents[i] ?? [0, 0]
    const [lastFrom, lastTo] = last < 0 ? [0, 0] : (extents[last] ?? [0, 0])
    if (last < 0 || from >= lastTo) {
      last = i
      continue
    }
    states[i] = 'doubtful'
    if (from === lastFrom || to > lastTo) states[last] = 'doubtful'
    if (to > lastTo) last = i
  }
}

/** Bytes between two cells that are too few for a free block. */
const fragmentBytesMax = 3

/**
 * What overwrote the beginning of a cell may have begun in the cell before it, whose end then is not what was written.
 * The beginning is whole if the length that it gives leads to the next cell.
 */
function markNeighbours(
  states: CellCondition[],
  extents: readonly (readonly [number, number])[],
  usable: number,
): void {
  if (!states.includes('unreadable')) return
  const order = states.map((_, i) => i).toSorted((a, b) => (extents[a]?.[0] ?? 0) - (extents[b]?.[0] ?? 0))
  const starts = [...order.map((i) => extents[i]?.[0] ?? 0), usable]
  for (const [place, i] of order.entries()) {
    const [from, to] = extents[i] ?? [0, 0]
    const before = order[place - 1]
    const gap = (starts[place + 1] ?? 0) - to
    if (states[i] !== 'unreadable' || before === undefined || (gap >= 0 && gap <= fragmentBytesMax)) continue
    if (states[before] === 'good' && from - (extents[before]?.[1] ?? 0) <= fragmentBytesMax) states[before] = 'doubtful'
  }
}

function markDisplaced(states: CellCondition[], found: (Key | null)[], keys: KeyReader, { low, high }: Bounds): void {
  const usable = found.map((key, i) =>
    key !== null && states[i] === 'good' && keys.isBetween(key, low, high) ? key : null,
  )
  if (isAscending(usable, states, keys)) return
  const run = ascending(usable, (a, b) => keys.compare(a, b))
  for (let i = 0; i < states.length; i++) if (states[i] === 'good' && !run.has(i)) states[i] = 'displaced'
}

/** True if all good cells are in their place, as on nearly all pages. */
function isAscending(usable: readonly (Key | null)[], states: readonly CellCondition[], keys: KeyReader): boolean {
  let before: Key | null = null
  for (const [i, key] of usable.entries()) {
    if (states[i] !== 'good') continue
    if (key === null || (before !== null && keys.compare(before, key) >= 0)) return false
    before = key
  }
  return true
}

/** Separators of an interior page that can be trusted, kept for longer than the page. */
export const trustedKeys = ({ states, keys }: JudgedPage): readonly (Key | null)[] =>
  keys.map((key, i) => (key !== null && states[i] === 'good' ? keptKey(key) : null))
