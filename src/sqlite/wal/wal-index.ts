/**
 * The header of the wal-index, which is the `-shm` file (sqlite.org/walformat.html, "The WAL-Index Header"). It says
 * which part of the WAL is committed; the connected processes read no more than that. A commit frame behind `frames`
 * belongs to a writer that died before it updated this header. The next writer overwrites the frame.
 *
 *  0 version               14 page size, 2 bytes            32 salts of the WAL
 *  4 unused                16 frames                        40 checksum over the first 40 bytes
 *  8 change counter        20 pages of the database         48 the same 48 bytes once more
 * 12 1 if filled in        24 checksum of the last frame
 * 13 checksum order
 *
 * All numbers are in the byte order of the machine, but the salts are copied from the WAL byte for byte.
 */

import { addChecksum, viewOf, type Checksum } from './wal-checksum.ts'

const headerBytes = 48
export const walIndexHeaderBytes = 2 * headerBytes

export interface WalIndexHeader {
  /** Committed frames of the WAL. 0 also if the next frame starts the WAL again from its beginning. */
  readonly frames: number
  /** Of the last of these frames. Where `frames` is 0 it means nothing. */
  readonly checksum: Checksum
  /** The salts of the WAL that this header describes, as `WalHeader.salts`. */
  readonly salts: string
}

const littleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1

/** null while a process changes it, or if no process has filled it in. SQLite would then rebuild it from the WAL. */
export function readWalIndexHeader(first: Uint8Array): WalIndexHeader | null {
  if (first.length < walIndexHeaderBytes) return null
  for (let at = 0; at < headerBytes; at++) if (first[at] !== first[at + headerBytes]) return null
  const view = viewOf(first)
  if (view.getUint32(0, littleEndian) !== 3_007_000 || first[12] !== 1) return null
  const [one, two] = addChecksum(view, 0, headerBytes - 8, !littleEndian, [0, 0])
  if (one !== view.getUint32(40, littleEndian) || two !== view.getUint32(44, littleEndian)) return null
  return {
    frames: view.getUint32(16, littleEndian),
    checksum: [view.getUint32(24, littleEndian), view.getUint32(28, littleEndian)],
    salts: Buffer.from(first.subarray(32, 40)).toString('hex'),
  }
}
