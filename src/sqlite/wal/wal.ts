/**
 * The write-ahead log (sqlite.org/fileformat2.html, section 4.1). Offsets of its fields:
 *
 * header, 32 bytes               frame, 24 bytes and a page
 *  0 magic                        0 page number
 *  4 format                       4 page count after a commit, else 0
 *  8 page size                    8 salt 1
 * 12 checkpoint sequence         12 salt 2
 * 16 salt 1                      16 checksum over everything before, two words
 * 20 salt 2                      24 the page
 * 24 checksum, two words
 *
 * A frame counts only if its salts are those of the header, and its checksum agrees, which continues from frame to
 * frame. A transaction counts only up to its commit frame. Frames of an older generation, or of a transaction that was
 * rolled back, may lie behind.
 */

import { read32 } from '../bytes.ts'
import { addChecksum, viewOf } from './wal-checksum.ts'
import type { Checksum } from './wal-checksum.ts'

export const walHeaderBytes = 32
export const frameHeaderBytes = 24

export interface WalHeader {
  /** True if the checksum reads words as big-endian. The checksums themselves are always written big-endian. */
  readonly bigEndianChecksums: boolean
  readonly pageSize: number
  readonly checkpointSequence: number
  /** Both salts, 16 hex digits. */
  readonly salts: string
  readonly salt1: number
  readonly salt2: number
  /** The checksum of the header. That of the first frame continues from it. */
  readonly checksum: Checksum
}

/**
 * Reads the header of a WAL. null if SQLite would take the WAL for empty: the header is too short, or magic, page size,
 * format or checksum is wrong.
 */
export function readWalHeader(first32: Uint8Array): WalHeader | null {
  if (first32.length < walHeaderBytes) return null
  const magic = read32(first32, 0)
  const pageSize = read32(first32, 8)
  if (magic !== 0x377f0682 && magic !== 0x377f0683) return null
  if (read32(first32, 4) !== 3_007_000) return null
  if (pageSize < 512 || pageSize > 65_536 || (pageSize & (pageSize - 1)) !== 0) return null
  const bigEndianChecksums = magic === 0x377f0683
  const checksum = addChecksum(viewOf(first32), 0, 24, bigEndianChecksums, [0, 0])
  if (checksum[0] !== read32(first32, 24) || checksum[1] !== read32(first32, 28)) return null
  const salt1 = read32(first32, 16)
  const salt2 = read32(first32, 20)
  return {
    bigEndianChecksums,
    pageSize,
    checkpointSequence: read32(first32, 12),
    salts: hex(salt1) + hex(salt2),
    salt1,
    salt2,
    checksum,
  }
}

/** Bytes of one frame of this WAL. */
export const frameBytesOf = (header: WalHeader): number => frameHeaderBytes + header.pageSize

const hex = (word: number): string => word.toString(16).padStart(8, '0')

/**
 * Why the valid frames end. `end`: the last frame is incomplete. `salts`: an older generation begins. `checksum`: the
 * frame is of this generation, but its checksum does not continue from the frame before.
 */
type ScanStop = 'end' | 'salts' | 'checksum'

export interface WalScanState {
  /** Byte offset behind the last commit frame; 32 if nothing is committed. */
  readonly committedEnd: number
  /** Byte offset behind the last valid frame. */
  readonly validEnd: number
  /** null while every frame is valid. `end` only after `finish()`. */
  readonly stopped: ScanStop | null
  /** Pages of the database after the last commit; null if nothing is committed. */
  readonly pageCountAfterCommit: number | null
  /** Valid frames so far. */
  readonly frames: number
  /** Frames up to the last commit frame, that one included. */
  readonly committedFrames: number
}

/**
 * Scans the frames of a WAL. Feed it the bytes from offset 32 on, in order and without gaps. It verifies salts and
 * checksums. Once it has stopped, it ignores what follows. It keeps at most one frame in memory.
 */
export class WalScan {
  readonly #header: WalHeader
  readonly #frameBytes: number
  /** The beginning of a frame whose other bytes have not been fed yet. */
  readonly #pending: Uint8Array
  #pendingBytes = 0
  #checksum: Checksum
  #committedChecksum: Checksum
  #validEnd = walHeaderBytes
  #committedEnd = walHeaderBytes
  #pageCountAfterCommit: number | null = null
  #frames = 0
  #committedFrames = 0
  #stopped: ScanStop | null = null

  constructor(header: WalHeader) {
    this.#header = header
    this.#frameBytes = frameBytesOf(header)
    this.#pending = new Uint8Array(this.#frameBytes)
    this.#checksum = header.checksum
    this.#committedChecksum = header.checksum
  }

  get state(): WalScanState {
    return {
      committedEnd: this.#committedEnd,
      validEnd: this.#validEnd,
      stopped: this.#stopped,
      pageCountAfterCommit: this.#pageCountAfterCommit,
      frames: this.#frames,
      committedFrames: this.#committedFrames,
    }
  }

  /** The running checksum up to the last valid frame. */
  get checksum(): Checksum {
    return this.#checksum
  }

  /** Takes the next bytes. @returns false if it has stopped */
  feed(bytes: Uint8Array): boolean {
    let at = this.#completePending(bytes)
    const view = viewOf(bytes)
    while (this.#stopped === null && bytes.length - at >= this.#frameBytes) {
      this.#take(bytes, view, at)
      at += this.#frameBytes
    }
    if (this.#stopped === null && at < bytes.length) {
      this.#pending.set(bytes.subarray(at), 0)
      this.#pendingBytes = bytes.length - at
    }
    return this.#stopped === null
  }

  /** Call it when there are no more bytes. */
  finish(): WalScanState {
    if (this.#stopped === null && this.#pendingBytes > 0) this.#stopped = 'end'
    return this.state
  }

  /**
   * Goes back to the last commit: the next bytes must be those from `committedEnd` on. A writer may still rewrite
   * frames that it has not committed. So a caller that follows a growing WAL reads them again in each round.
   */
  rewind(): void {
    this.#pendingBytes = 0
    this.#stopped = null
    this.#validEnd = this.#committedEnd
    this.#frames = this.#committedFrames
    this.#checksum = this.#committedChecksum
  }

  /** Completes the frame that earlier bytes began. @returns how many of these bytes it took */
  #completePending(bytes: Uint8Array): number {
    if (this.#pendingBytes === 0 || this.#stopped !== null) return 0
    const taken = Math.min(this.#frameBytes - this.#pendingBytes, bytes.length)
    this.#pending.set(bytes.subarray(0, taken), this.#pendingBytes)
    this.#pendingBytes += taken
    if (this.#pendingBytes < this.#frameBytes) return taken
    this.#pendingBytes = 0
    this.#take(this.#pending, viewOf(this.#pending), 0)
    return taken
  }

  #take(bytes: Uint8Array, view: DataView, at: number): void {
    const { salt1, salt2 } = this.#header
    if (read32(bytes, at + 8) !== salt1 || read32(bytes, at + 12) !== salt2) {
      this.#stopped = 'salts'
      return
    }
    const checksum = frameChecksum(view, at, this.#header, this.#checksum)
    // Page number 0 is never valid, whatever the checksum says.
    if (checksum[0] !== read32(bytes, at + 16) || checksum[1] !== read32(bytes, at + 20) || read32(bytes, at) === 0) {
      this.#stopped = 'checksum'
      return
    }
    this.#checksum = checksum
    this.#frames++
    this.#validEnd += this.#frameBytes
    const pageCount = read32(bytes, at + 4)
    if (pageCount === 0) return
    this.#committedEnd = this.#validEnd
    this.#committedChecksum = this.#checksum
    this.#committedFrames = this.#frames
    this.#pageCountAfterCommit = pageCount
  }
}

/** Checksum of the frame at `at`, which continues from that of the frame before. */
export function frameChecksum(
  view: DataView,
  at: number,
  shape: Pick<WalHeader, 'pageSize' | 'bigEndianChecksums'>,
  before: Checksum,
): Checksum {
  const afterHeader = addChecksum(view, at, 8, shape.bigEndianChecksums, before)
  return addChecksum(view, at + frameHeaderBytes, shape.pageSize, shape.bigEndianChecksums, afterHeader)
}
