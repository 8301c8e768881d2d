/**
 * Finds a cut journal. SQLite rolls back up to the first record whose checksum is wrong, and takes that for the end.
 *
 * The records that the header counts were synced before their pages were written into the database. If one of these is
 * wrong, the transaction stays half done, unless the pages behind it were not written yet. Records that no header
 * counts may be wrong after any crash.
 *
 * If a header counts too few records, or a later header is destroyed, SQLite ends there too. The records behind that
 * place still verify. If pages of the file have other content, these records were synced, and so were counted.
 */

import { isVerified, readJournal, type ReadBytes } from './journal.ts'

export interface JournalCut {
  /** The first bad record, counted from 1. */
  readonly record: number
  /** Pages that the records from there on would restore, and that have other content in the file. */
  readonly pages: number
}

/** @param database the file beside the journal */
export function findJournalCut(read: ReadBytes, size: number, database: ReadBytes): JournalCut | null {
  const journal = readJournal(read, size)
  if (journal === null) return null
  const { pageSize, pageCount } = journal
  const differs = (page: number, image: Uint8Array): boolean =>
    Buffer.compare(database((page - 1) * pageSize, pageSize), image) !== 0
  const done = new Set<number>()
  let number = 0
  let cut: number | null = null
  let pages = 0
  for (const record of journal.records) {
    number++
    const image = read(record.offset, pageSize)
    if (cut === null && !isVerified(record, image, read)) {
      if (!record.counted) return null
      cut = number
    }
    // The page of this record is not known.
    if (record.page === 0) {
      pages++
      break
    }
    // The first image of a page is its content before the transaction.
    if (record.page > pageCount || done.has(record.page)) continue
    done.add(record.page)
    if (cut !== null && differs(record.page, image)) pages++
  }
  if (cut === null) {
    for (const { page, offset } of journal.verified) {
      if (page > pageCount || done.has(page)) continue
      done.add(page)
      if (differs(page, read(offset, pageSize))) pages++
    }
  }
  return pages === 0 ? null : { record: cut ?? number + 1, pages }
}
