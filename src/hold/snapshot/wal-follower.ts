/**
 * Copies a WAL that is being appended to: whole committed frames only while the service writes, because a transaction
 * may still rewrite its own uncommitted frames; and all frames of this generation once the service stands still. What
 * is committed the wal-index says: a writer that was killed after its commit frame, and before it said so there, leaves
 * frames that look committed and that the next writer overwrites.
 */
import { copyRangeSparsely } from '../../host/files/copying.ts'
import { Failure } from '../../model/failure.ts'
import { readWalIndexHeader, walIndexHeaderBytes } from '../../sqlite/wal/wal-index.ts'
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

export type WriteAt = (descriptor: number, bytes: Uint8Array, position: number) => Promise<void>

const pieceBytes = 1024 * 1024

export class WalFollower {
  readonly #files: LiveFiles
  readonly #copy: number
  readonly #writeAt: WriteAt
  #header: WalHeader | null = null
  #scan: WalScan | null = null

  constructor(files: LiveFiles, copy: number, writeAt: WriteAt) {
    this.#files = files
    this.#copy = copy
    this.#writeAt = writeAt
  }

  /** Salts of the generation that is followed; null while the WAL has no header. */
  get salts(): string | null {
    return this.#header?.salts ?? null
  }

  /**
   * Copies what was committed since the last round.
   * @returns its bytes
   * @throws {Failure} COPY_CHANGED for a log in which the wal-index counts frames that do not verify
   */
  async followCommitted(signal: AbortSignal): Promise<number> {
    const index = readWalIndexHeader(await this.#files.read('-shm', 0, walIndexHeaderBytes))
    if (!index) return 0 // It is being changed right now: what it would have said comes with the rest.
    const scan = await this.#start(index.salts)
    if (!scan || index.salts !== this.salts) {
      if (index.frames > 0) throw this.#unreadable()
      return 0 // The WAL is about to begin anew.
    }
    scan.rewind()
    const from = scan.state.committedEnd
    const to = walHeaderBytes + index.frames * frameBytesOf(this.#header as WalHeader)
    await this.#feed(from, to, signal)
    const { committedEnd } = scan.state
    if (committedEnd < to) throw this.#unreadable()
    // Written again from the file: only what the scan has found committed may stand in the copy.
    await this.#copyBytes(from, committedEnd, signal)
    return committedEnd - from
  }

  /**
   * The rest, while nobody writes: every frame that carries this generation's salts, valid or not, so that a cut in the
   * chain can be seen in the copy. Older generations behind it are left out; SQLite does not read them either.
   * @returns its bytes
   */
  async followRest(signal: AbortSignal): Promise<number> {
    const scan = await this.#start(null)
    const size = Number((await this.#files.stat('-wal')).size)
    if (!scan) return this.#copyUnread(size, signal)
    scan.rewind()
    const from = scan.state.committedEnd
    await this.#feed(from, size, signal)
    const end = await this.#endOfGeneration(scan.state.validEnd, size)
    return this.#copyBytes(from, end, signal)
  }

  /**
   * The header is read until there is one, with the salts of the wal-index: a WAL that was just reset has none, or
   * still the old one.
   */
  async #start(salts: string | null): Promise<WalScan | null> {
    if (this.#scan) return this.#scan
    const first = await this.#files.read('-wal', 0, walHeaderBytes)
    const header = readWalHeader(first)
    if (!header || (salts !== null && header.salts !== salts)) return null
    this.#header = header
    await this.#writeAt(this.#copy, first, 0)
    this.#scan = new WalScan(this.#header)
    return this.#scan
  }

  /**
   * The service still reads these frames by its wal-index, and its last close would write them into the database. Under
   * our pin it cannot, and whoever opens the file next would find a log that breaks off: what was committed would be
   * lost.
   */
  #unreadable(): Failure {
    return new Failure('COPY_CHANGED', `the WAL of ${this.#files.path} does not verify although the service uses it`)
  }

  async #feed(from: number, to: number, signal: AbortSignal): Promise<void> {
    for (let position = from; position < to;) {
      signal.throwIfAborted()
      const piece = await this.#files.read('-wal', position, Math.min(pieceBytes, to - position))
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

  /** Without a header SQLite reads none of it; what it holds is looked for in the copy. */
  async #copyUnread(size: number, signal: AbortSignal): Promise<number> {
    const wal = this.#files.descriptor('-wal')
    const bytes = await companionBytesOf(wal, size)
    await copyRangeSparsely(wal, this.#copy, { offset: 0, bytes }, signal)
    return bytes
  }

  async #copyBytes(from: number, to: number, signal: AbortSignal): Promise<number> {
    for (let position = from; position < to; position += pieceBytes) {
      signal.throwIfAborted()
      await this.#writeAt(
        this.#copy,
        await this.#files.read('-wal', position, Math.min(pieceBytes, to - position)),
        position,
      )
    }
    return to - from
  }
}
