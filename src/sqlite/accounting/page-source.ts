/** Where the pages of an accounting come from. An accounting uses nothing else. */

export interface PageSource {
  /** Size of the file in bytes. */
  readonly fileBytes: number
  /** Pages up to the last one with data; those behind it are a hole of the file. Absent if all may hold data. */
  readonly dataPages?: number
  /**
   * Reads one page into `into`, which is as long as a page.
   * @returns the number of bytes, fewer than a page at the end of the file. `unread` if the page could not be read:
   * nothing is then known of it, and nothing may be reported of it.
   */
  read(page: number, into: Uint8Array): number | 'unread'
}

/**
 * What is known of pages that were read before in the order of the file. Most of them need not be read again, one by
 * one in the order of the trees.
 */
export interface PagePrescan {
  /**
   * The tree of a leaf for which `readReferences` would find no overflow chains and no wrong cells. null for any other
   * page, and for a page of which that is not known.
   */
  leafOf(page: number): 'table' | 'index' | null
  /** The first four bytes of a page as a number; null if they are not known. */
  firstWordOf(page: number): number | null
}

export const noPrescan: PagePrescan = { leafOf: () => null, firstWordOf: () => null }
