/**
 * Finds a cut journal. SQLite rolls back up to the first record whose checksum is wrong, and takes that for the end.
 *
 * The records that the header counts were synced before their pages were written into the database. If one of these is
 * wrong, the transaction stays half done, unless the pages behind it were not written yet. Records that no header
 * counts may be wrong after any crash.
 */

import { read32 } from '../bytes.ts'
import { readJournal, type JournalContents, type JournalRecord, type ReadBytes } from './journal.ts'

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
  const done = new Set<number>()
  let number = 0
  let cut: number | null = null
  let pages = 0
  for (const record of journal.records) {
    number++
    const image = read(record.offset, pageSize)
    if (cut === null && !verifies(image, record, read, journal)) {
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
    if (cut !== null && Buffer.compare(database((record.page - 1) * pageSize, pageSize), image) !== 0) pages++
  }
  return cut === null || pages === 0 ? null : { record: cut, pages }
}

/** The checksum adds every two hundredth byte, from the end (pager.c of SQLite, pager_cksum). */
function verifies(
  image: Uint8Array,
  { page, offset, nonce }: JournalRecord,
  read: ReadBytes,
  { pageSize }: JournalContents,
): boolean {
  let sum = nonce
  for (let at = pageSize - 200; at > 0; at -= 200) sum = (sum + (image[at] ?? 0)) >>> 0
  return page !== 0 && sum === read32(read(offset + pageSize, 4), 0)
}
