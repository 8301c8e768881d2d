/**
 * The rollback journal (sqlite.org/fileformat2.html, section 3), and the trailer that names a super-journal (pager.c of
 * SQLite, writeSuperJournal). The trailer has, with the bytes of each field:
 *
 *   page number of the lock-byte page (4) · name · length of the name (4) · sum of its bytes (4) · magic (8)
 */

import { isZero, read32, startsWith } from '../bytes.ts'

export const journalMagic = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7] as const
/** Far more than the longest path that SQLite allows. */
const nameBytesMax = 65_536

/**
 * True if SQLite would roll back this journal when it opens the database. A journal is not hot if SQLite has ended it:
 * by zeroing its header (journal_mode=PERSIST), or by truncating it (TRUNCATE).
 * @param header the first 28 bytes of the journal, or more
 * @param size bytes of the whole journal
 */
export function isHot(header: Uint8Array, size: number): boolean {
  return size >= 28 && startsWith(header, journalMagic)
}

/** Bytes of the database before the transaction of this journal; 0 if the header does not say. */
export function bytesBefore(header: Uint8Array): number {
  return isHot(header, header.length) ? read32(header, 16) * read32(header, 24) : 0
}

/** Up to `length` bytes at `offset`; fewer at the end of the file. */
export type ReadBytes = (offset: number, length: number) => Uint8Array

/** A page image in a journal: the content of the page before the transaction. */
export interface JournalRecord {
  /** Page number. 0 if the journal ends within this record, or if the number is 0: SQLite stops there. */
  readonly page: number
  /** Byte offset of the image in the journal. */
  readonly offset: number
  /** The number with which its checksum begins. */
  readonly nonce: number
  /** True if the header counts it. It was then synced before the page was written into the database. */
  readonly counted: boolean
}

export interface JournalContents {
  /** Bytes. */
  readonly pageSize: number
  /** Pages of the database before the transaction. Rolling back truncates the file to them. */
  readonly pageCount: number
  readonly records: Iterable<JournalRecord>
  /**
   * All records whose checksums agree, from the first on, whatever the headers count. Also those behind a later header
   * whose magic is destroyed. SQLite zeroes the first byte of one that an older transaction has left there.
   */
  readonly verified: Iterable<JournalRecord>
}

/**
 * Reads what a hot journal holds, in the order in which SQLite rolls it back. Does not verify checksums: SQLite stops
 * at a record whose checksum is wrong, so it writes these pages or fewer.
 * @returns null if SQLite takes nothing from the journal
 */
export function readJournal(read: ReadBytes, size: number): JournalContents | null {
  const first = read(0, journalHeaderBytes)
  if (!isHot(first, size)) return null
  const sectorSize = read32(first, 20)
  const pageSize = read32(first, 24)
  if (!isPowerOfTwo(pageSize, 512, 65_536) || !isPowerOfTwo(sectorSize, 32, 65_536)) return null
  const sizes = { pageSize, sectorSize }
  return {
    pageSize,
    pageCount: read32(first, 16),
    records: records(read, size, sizes),
    verified: verifiedRecords(read, size, sizes),
  }
}

const journalHeaderBytes = 28

interface Sizes {
  readonly pageSize: number
  readonly sectorSize: number
}

/**
 * A journal has segments, each with a header that fills a sector. SQLite begins a new segment when it writes its cache
 * to the file within a transaction.
 */
function* records(read: ReadBytes, size: number, { pageSize, sectorSize }: Sizes): Generator<JournalRecord> {
  const recordBytes = 4 + pageSize + 4
  for (let at = 0; at + sectorSize <= size;) {
    const header = read(at, journalHeaderBytes)
    if (!startsWith(header, journalMagic)) return
    const stated = read32(header, 8)
    at += sectorSize
    // 0xffffffff: SQLite wrote the journal without syncs, and all records that are there count.
    const count = stated === 0xffff_ffff ? Math.floor((size - at) / recordBytes) : stated
    const [nonce, counted] = [read32(header, 12), stated !== 0xffff_ffff]
    for (let i = 0; i < count; i++, at += recordBytes) {
      const whole = at + recordBytes <= size
      const page = whole ? read32(read(at, 4), 0) : 0
      yield { page, offset: at + 4, nonce, counted }
      if (page === 0) return
    }
    at = Math.ceil(at / sectorSize) * sectorSize
  }
}

function* verifiedRecords(read: ReadBytes, size: number, { pageSize, sectorSize }: Sizes): Generator<JournalRecord> {
  const recordBytes = 4 + pageSize + 4
  for (let at = 0; at + sectorSize <= size;) {
    const header = read(at, journalHeaderBytes)
    const hasSizes = read32(header, 20) === sectorSize && read32(header, 24) === pageSize
    if (!startsWith(header, journalMagic) && (header[0] === 0 || !hasSizes)) return
    const [nonce, counted] = [read32(header, 12), read32(header, 8) !== 0xffff_ffff]
    for (at += sectorSize; at + recordBytes <= size; at += recordBytes) {
      const record = { page: read32(read(at, 4), 0), offset: at + 4, nonce, counted }
      if (!isVerified(record, read(record.offset, pageSize), read)) break
      yield record
    }
    at = Math.ceil(at / sectorSize) * sectorSize
  }
}

/** The checksum adds every two hundredth byte, from the end (pager.c of SQLite, pager_cksum). */
export function isVerified({ page, offset, nonce }: JournalRecord, image: Uint8Array, read: ReadBytes): boolean {
  let sum = nonce
  for (let at = image.length - 200; at > 0; at -= 200) sum = (sum + (image[at] ?? 0)) >>> 0
  return page !== 0 && sum === read32(read(offset + image.length, 4), 0)
}

/**
 * True if this was the header of a hot journal: either the magic or the sizes are still right, but not both. SQLite
 * ignores such a journal and leaves the transaction half done. The header of an ended journal is zeros. One that was
 * not synced has no magic and counts no records: nothing of its transaction is in the file.
 */
export function isDestroyedJournal(header: Uint8Array, size: number): boolean {
  if (size < 512 || header.length < journalHeaderBytes || isZero(header.subarray(0, 12))) return false
  const sizes = isPowerOfTwo(read32(header, 24), 512, 65_536) && isPowerOfTwo(read32(header, 20), 32, 65_536)
  return startsWith(header, journalMagic) ? !sizes : sizes
}

const isPowerOfTwo = (value: number, least: number, most: number): boolean =>
  value >= least && value <= most && (value & (value - 1)) === 0

/**
 * The name of the super-journal in the trailer, or null. The name is the absolute path of a live file. If SQLite opens
 * a snapshot with such a journal, it reads that live file, and may delete it.
 * @param lastBytes the last few KB of the journal, or all of it
 * @returns bytes, because a path need not be UTF-8
 */
export function superJournalName(lastBytes: Uint8Array): Buffer | null {
  const end = lastBytes.length
  if (end < 17 || !startsWith(lastBytes.subarray(end - 8), journalMagic)) return null
  const length = read32(lastBytes, end - 16)
  if (length === 0 || length > nameBytesMax || length > end - 16) return null
  const name = lastBytes.subarray(end - 16 - length, end - 16)
  const sum = read32(lastBytes, end - 12)
  // C's char is signed on x86 and unsigned on arm, so SQLite computes different sums there. Accept both.
  let signed = 0
  let unsigned = 0
  for (const byte of name) {
    unsigned = (unsigned + byte) | 0
    signed = (signed + (byte > 127 ? byte - 256 : byte)) | 0
  }
  if (signed >>> 0 !== sum && unsigned >>> 0 !== sum) return null
  return Buffer.from(name)
}
