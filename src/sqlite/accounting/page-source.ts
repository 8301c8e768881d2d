/** Where the pages of an accounting come from: all that it asks of the world. */

export interface PageSource {
  /** Size of the file in bytes. */
  readonly fileBytes: number
  /**
   * Pages up to the last one with data: those behind it are zeros, in a hole of the file. Left out where all may hold
   * data.
   */
  readonly dataPages?: number
  /**
   * Reads one page into `into`, which is as long as a page. Returns the bytes that came: fewer where the file ends.
   * `unread`: the disk or the system refused; nothing is known of the page then, and nothing may be said of it.
   */
  read(page: number, into: Uint8Array): number | 'unread'
}

/**
 * What was seen of whole pages that were read in passing, in the order of the file: most need not be read once more,
 * one by one, in the order of the trees.
 */
export interface PagePrescan {
  /**
   * The kind of tree of a leaf whose cells all lie in it and point to nothing, as `readReferences` would have it; null
   * for all other pages, and for those of which it is not known.
   */
  leafOf(page: number): 'table' | 'index' | null
  /** The first four bytes of a page as a number; null where they are not known. */
  firstWordOf(page: number): number | null
}

export const noPrescan: PagePrescan = { leafOf: () => null, firstWordOf: () => null }
