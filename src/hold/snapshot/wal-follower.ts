/**
 * Copies a WAL to which the service appends. While the service writes, only committed frames are copied, because a
 * transaction may still rewrite its own uncommitted frames. Once the tenant stands still, all frames of this generation
 * are copied. The wal-index says what is committed. A writer that was killed between its commit frame and its entry
 * there leaves frames that look committed, and that the next writer overwrites.
 */
import { write } from 'node:fs'
import { isDeepStrictEqual, promisify } from 'node:util'
import { copyRangeSparsely } from '../../host/files/copy-range.ts'
import { Failure } from '../../model/failure.ts'
import { readWalIndexHeader, walIndexHeaderBytes, type WalIndexHeader } from '../../sqlite/wal/wal-index.ts'
import {
  frameBytesOf,
  readWalHeader,
  walHeaderBytes,
  frameHeaderBytes,
  WalScan,
  type WalHeader,
} from '../../sqlite/wal/wal.ts'
import type { LiveFiles } from '../live/live-files.ts'
import { companionBytesOf } from './companion-bytes.ts'

const pieceBytes = 1024 * 1024

export class WalFollower {
  readonly #files: LiveFiles
  readonly #copy: number
  /** One for all pieces: V8 would collect discarded buffers in the pause. */
  readonly #buffer = Buffer.allocUnsafe(pieceBytes)
  #header: WalHeader | null = null
  #scan: WalScan | null = null

  constructor(files: LiveFiles, copy: number) {
    this.#files = files
    this.#copy = copy
  }

  /** The salts of the generation that is copied; null while the WAL has no header. */
  get salts(): string | null {
    return this.#header?.salts ?? null
  }

  /**
   * Copies what was committed since the last round.
   * @returns how many bytes
   * @throws {Failure} COPY_CHANGED if the wal-index counts frames that do not verify
   */
  async followCommitted(signal: AbortSignal): Promise<number> {
    const index = readWalIndexHeader(await this.#files.read('-shm', 0, walIndexHeaderBytes))
    // Null: it is being changed right now. The next round, or `followRest`, copies what is missing.
    return index === null ? 0 : this.followTo(index, signal)
  }

  /**
   * Copies the frames that the wal-index counts, and not yet copied. The chain of checksums must end in the one that it
   * names.
   * @returns how many bytes
   * @throws {Failure} COPY_CHANGED if the frames do not verify
   */
  async followTo({ frames, checksum, salts }: WalIndexHeader, signal: AbortSignal): Promise<number> {
    const scan = await this.#start(salts)
    if (!scan || salts !== this.salts) {
      if (frames > 0) throw this.#unreadable()
      return 0 // The WAL is about to start a new generation.
    }
    scan.rewind()
    const from = scan.state.committedEnd
    const to = walHeaderBytes + frames * frameBytesOf(this.#header as WalHeader)
    await this.#feed(from, to, signal)
    const { committedEnd } = scan.state
    if (committedEnd < to) throw this.#unreadable()
    if (frames > 0 && !isDeepStrictEqual(scan.checksum, checksum)) throw this.#unreadable()
    // Read again from the file: only what the scan found committed may be in the copy.
    await this.#copyBytes(from, committedEnd, signal)
    return committedEnd - from
  }

  /**
   * Copies the rest, once the tenant stands still. It copies every frame with this generation's salts, valid or not, so
   * that a cut in the chain is seen in the copy. Older generations behind it are left out; SQLite does not read them
   * either.
   * @returns how many bytes
   */
  async followRest(signal: AbortSignal): Promise<number> {
    const scan = await this.#start(null)
    const size = Number(this.#files.stat('-wal').size)
    if (!scan) return this.#copyUnread(size, signal)
    scan.rewind()
    const from = scan.state.committedEnd
    await this.#feed(from, size, signal)
    const end = await this.#endOfGeneration(scan.state.validEnd, size)
    return this.#copyBytes(from, end, signal)
  }

  /**
   * Null as long as the header does not have the salts of the wal-index. A WAL that was just reset has no header, or
   * still the old one.
   */
  async #start(salts: string | null): Promise<WalScan | null> {
    if (this.#scan) return this.#scan
    const first = await this.#files.read('-wal', 0, walHeaderBytes)
    const header = readWalHeader(first)
    if (!header || (salts !== null && header.salts !== salts)) return null
    this.#header = header
    await writeAt(this.#copy, first, 0)
    this.#scan = new WalScan(this.#header)
    return this.#scan
  }

  /**
   * The service still reads these frames by its wal-index, and its last close would write them into the database. Under
   * our pin it cannot, and the next program that opens the file would find a WAL that breaks off: committed changes
   * would be lost.
   */
  #unreadable(): Failure {
    return new Failure('COPY_CHANGED', `the WAL of ${this.#files.path} does not verify although the service uses it`)
  }

  async #feed(from: number, to: number, signal: AbortSignal): Promise<void> {
    for (let position = from; position < to;) {
      signal.throwIfAborted()
      const piece = await this.#readPiece(position, to)
      if (piece.length === 0 || !this.#scan?.feed(piece)) return
      position += piece.length
    }
  }

  async #endOfGeneration(validEnd: number, size: number): Promise<number> {
    const { pageSize, salt1, salt2 } = this.#header as WalHeader
    const frameBytes = frameHeaderBytes + pageSize
    let end = validEnd
    while (end + frameBytes <= size) {
      const salts = await this.#files.read('-wal', end + 8, 8)
      if (salts.readUInt32BE(0) !== salt1 || salts.readUInt32BE(4) !== salt2) break
      end += frameBytes
    }
    return end
  }

  /** Without a header SQLite reads nothing of the WAL. It is copied as it is, to be inspected in the copy. */
  async #copyUnread(size: number, signal: AbortSignal): Promise<number> {
    const wal = this.#files.descriptor('-wal')
    const bytes = await companionBytesOf(wal, size)
    await copyRangeSparsely(wal, this.#copy, { offset: 0, bytes }, signal)
    return bytes
  }

  async #copyBytes(from: number, to: number, signal: AbortSignal): Promise<number> {
    for (let position = from; position < to; position += pieceBytes) {
      signal.throwIfAborted()
      await writeAt(this.#copy, await this.#readPiece(position, to), position)
    }
    return to - from
  }

  /** Valid until the next piece is read. */
  #readPiece(position: number, to: number): Promise<Buffer> {
    return this.#files.readInto('-wal', position, this.#buffer.subarray(0, Math.min(pieceBytes, to - position)))
  }
}

const writeOnce = promisify(write)

/** Writes all of `bytes` at `position`. */
async function writeAt(descriptor: number, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await writeOnce(descriptor, bytes, done, bytes.length - done, position + done)
    done += bytesWritten
  }
}
