/**
 * Writes a rollback journal (journal.ts describes the format). A database may be overwritten in place while a whole
 * journal of it lies beside it. For SQLite it is then what it was before the first byte was overwritten.
 */
import { journalMagic } from './journal.ts'

/** Each header fills a sector. SQLite reads the size from the header, so any power of two from 32 on will do. */
const sectorBytes = 512

export interface NewJournal {
  readonly pageSize: number
  /** Pages of the database before it is overwritten. Rolling back truncates it to them. */
  readonly pageCount: number
  readonly records: number
  /** A random number of 32 bits, with which each checksum begins. */
  readonly nonce: number
}

export function newJournalHeader({ pageSize, pageCount, records, nonce }: NewJournal): Buffer {
  const header = Buffer.alloc(sectorBytes)
  header.set(journalMagic, 0)
  header.writeUInt32BE(records, 8)
  header.writeUInt32BE(nonce, 12)
  header.writeUInt32BE(pageCount, 16)
  header.writeUInt32BE(sectorBytes, 20)
  header.writeUInt32BE(pageSize, 24)
  return header
}

/** @param page counted from 1 */
export function newJournalRecord(page: number, content: Uint8Array, nonce: number): Buffer {
  const record = Buffer.alloc(content.length + 8)
  record.writeUInt32BE(page, 0)
  record.set(content, 4)
  record.writeUInt32BE(checksum(content, nonce), content.length + 4)
  return record
}

/** As pager_cksum of SQLite's pager.c: every 200th byte, from the end. */
function checksum(content: Uint8Array, nonce: number): number {
  let sum = nonce
  for (let at = content.length - 200; at > 0; at -= 200) sum = (sum + (content[at] ?? 0)) >>> 0
  return sum
}

/** Bytes of one record. */
export const journalBytesOf = (pageSize: number): number => pageSize + 8
