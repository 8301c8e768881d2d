/** Where the pages of an accounting come from: the one thing that it asks of the world. */

export interface PageSource {
  /** Size of the file in bytes. */
  readonly fileBytes: number
  /**
   * Reads one page into `into`, which is as long as a page. Returns the bytes that came: fewer where the file ends.
   * `unread`: the disk or the system refused; nothing is known of the page then, and nothing may be said of it.
   */
  read(page: number, into: Uint8Array): number | 'unread'
}
