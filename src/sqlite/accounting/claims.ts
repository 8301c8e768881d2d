/** The owner map: which tree claimed which page, and for what use. Memory: 5 bytes a page, 9 with auto-vacuum. */

/** Owners that are not root pages. No page has these numbers: a file has at most 2^32 - 2 pages. */
export const noOwner = 0
export const freeListOwner = 0xffff_ffff
export const reservedOwner = 0xffff_fffe

export const uses = {
  none: 0,
  root: 1,
  bTree: 2,
  firstOverflow: 3,
  laterOverflow: 4,
  trunk: 5,
  freeLeaf: 6,
  pointerMap: 7,
  lockByte: 8,
} as const
export type Use = (typeof uses)[keyof typeof uses]

/** What is wrong with a page. Stored in the same byte as its use. */
export const marks = { damaged: 0x40, unread: 0x80 } as const
type PageMark = (typeof marks)[keyof typeof marks]
const useBits = 0x0f

export type Claim =
  | { readonly kind: 'granted' }
  | { readonly kind: 'out-of-range' }
  | { readonly kind: 'used'; readonly owner: number; readonly use: Use }

const granted: Claim = { kind: 'granted' }

export class Claims {
  readonly pageCount: number
  readonly #owners: Uint32Array
  readonly #uses: Uint8Array
  /** null without auto-vacuum: only auto-vacuum files record which page points to a page. */
  readonly #parents: Uint32Array | null
  /** Pages that were claimed more than once. Their entries in the pointer map cannot be checked. */
  readonly #contested = new Set<number>()

  constructor(pageCount: number, autoVacuum: boolean) {
    this.pageCount = pageCount
    this.#owners = new Uint32Array(pageCount + 1)
    this.#uses = new Uint8Array(pageCount + 1)
    this.#parents = autoVacuum ? new Uint32Array(pageCount + 1) : null
  }

  claim(page: number, owner: number, use: Use, parent: number): Claim {
    if (page < 1 || page > this.pageCount) return { kind: 'out-of-range' }
    const before = this.useOf(page)
    if (before !== uses.none) {
      this.#contested.add(page)
      return { kind: 'used', owner: this.ownerOf(page), use: before }
    }
    this.#owners[page] = owner
    this.#uses[page] = (this.#uses[page] ?? 0) | use
    if (this.#parents) this.#parents[page] = parent
    return granted
  }

  /** Root page, or one of the owners above. */
  ownerOf(page: number): number {
    return this.#owners[page] ?? noOwner
  }

  useOf(page: number): Use {
    return ((this.#uses[page] ?? uses.none) & useBits) as Use
  }

  /** Ignores pages that the database does not have. */
  mark(page: number, mark: PageMark): void {
    if (page >= 1 && page <= this.pageCount) this.#uses[page] = (this.#uses[page] ?? 0) | mark
  }

  isMarked(page: number, mark: PageMark): boolean {
    return ((this.#uses[page] ?? 0) & mark) !== 0
  }

  /** The page that points to this one; 0 for roots and free pages, and for all pages without auto-vacuum. */
  parentOf(page: number): number {
    return this.#parents?.[page] ?? 0
  }

  isContested(page: number): boolean {
    return this.#contested.has(page)
  }
}

/** Bytes that the owner map of such a file takes. */
export const claimsBytes = (pageCount: number, autoVacuum: boolean): number => (autoVacuum ? 9 : 5) * (pageCount + 1)
