/**
 * The header of the wal-index, the `-shm` file (SQLite file format, section 4.5 and walformat.html, "The WAL-Index
 * Header"). It says how much of the WAL is committed for those who are connected: a commit frame behind `frames`
 * belongs to a writer that died before it could say so, and the next one overwrites it.
 *
 * version · unused · change counter · is it filled in (1) · checksum order (1) · page size (2) · frames · pages of the
 * database
 * · checksum of the last frame (8) · salts of the WAL (8) · checksum over all this (8)      48 bytes, then all of it
 * once more
 *
 * All numbers are in the byte order of the machine; the salts are copied from the WAL as they stand there.
 */

import { addChecksum, viewOf } from './wal-checksum.ts'

const headerBytes = 48
export const walIndexHeaderBytes = 2 * headerBytes

export interface WalIndexHeader {
  /** Frames of the WAL that count; 0 also when the WAL will begin anew with the next one. */
  readonly frames: number
  /** Of the WAL that it speaks of, as `WalHeader.salts`. */
  readonly salts: string
}

const littleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1

/** null while it is being changed, or when nobody has filled it in: then SQLite would read the WAL to make it anew. */
export function readWalIndexHeader(first: Uint8Array): WalIndexHeader | null {
  if (first.length < walIndexHeaderBytes) return null
  for (let at = 0; at < headerBytes; at++) if (first[at] !== first[at + headerBytes]) return null
  const view = viewOf(first)
  if (view.getUint32(0, littleEndian) !== 3_007_000 || first[12] !== 1) return null
  const [one, two] = addChecksum(view, 0, headerBytes - 8, !littleEndian, [0, 0])
  if (one !== view.getUint32(40, littleEndian) || two !== view.getUint32(44, littleEndian)) return null
  return { frames: view.getUint32(16, littleEndian), salts: Buffer.from(first.subarray(32, 40)).toString('hex') }
}
