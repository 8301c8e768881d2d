/** Child side: reads the records of cells, with their overflow pages. */
import { invariant } from '../../../../model/bug.ts'
import type { WalkedTree } from './adopt-pages.ts'
import { rowidOf } from './keys.ts'
import type { ChainState, OverflowChains } from './payloads.ts'
import { isText, RecordHeader, type StoredValue } from './record-header.ts'

/** A row or an index entry as it lies in a cell. */
export interface StoredRow {
  /** Null in index trees. */
  readonly rowid: bigint | null
  readonly values: readonly StoredValue[]
  /** For each value: `t` for a text, `-` for others. */
  readonly texts: string
  /** Null if it lies in its page. */
  readonly chain: Exclude<ChainState, 'broken'> | null
  /** Valid until the next cell is read. */
  readonly header: RecordHeader
}

export class CellRows {
  readonly #chains: OverflowChains
  readonly #tree: Pick<WalkedTree, 'shape' | 'walker'>
  readonly #header = new RecordHeader()

  constructor(chains: OverflowChains, tree: Pick<WalkedTree, 'shape' | 'walker'>) {
    this.#chains = chains
    this.#tree = tree
  }

  /** Null if the cell, its record or its overflow chain is broken. Values are views of `bytes`. */
  read(bytes: Uint8Array, page: number, i: number): StoredRow | null {
    const { walker, shape } = this.#tree
    const { cursor } = walker.judge
    // The page was judged before, which has begun it.
    invariant(cursor.page === page && cursor.bytes === bytes, 'a row is read from the page that was judged last')
    if (!cursor.read(i)) return null
    const { payload, payloadBytes, localBytes, overflow } = cursor
    const rowid = cursor.tree === 'table' ? rowidOf(cursor) : null
    if (localBytes === payloadBytes) return this.#parse(bytes, payload, payloadBytes, rowid, null)
    if (this.#header.parse(bytes, payload, localBytes, payloadBytes, shape.columnsMax) === 'wrong') return null
    const chain = { first: overflow, payloadBytes, localBytes }
    const state = this.#chains.stateOf(chain, bytes[payload + localBytes - 1] ?? 0)
    const whole = state === 'broken' ? null : this.#chains.gather(bytes, payload, chain)
    return whole === null || state === 'broken' ? null : this.#parse(whole, 0, payloadBytes, rowid, state)
  }

  #parse(
    bytes: Uint8Array,
    at: number,
    payloadBytes: number,
    rowid: bigint | null,
    chain: StoredRow['chain'],
  ): StoredRow | null {
    const header = this.#header
    if (header.parse(bytes, at, payloadBytes, payloadBytes, this.#tree.shape.columnsMax) !== 'ok') return null
    let texts = ''
    for (let i = 0; i < header.count; i++) texts += isText(header.types[i] ?? 0) ? 't' : '-'
    return { rowid, values: header.values(bytes, at), texts, chain, header }
  }
}
