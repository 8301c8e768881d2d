/**
 * Compresses a database into one zstd frame and back, as streams: memory does not grow with the file. The level is that
 * of `zstd -3`, and the frame has zstd's own checksum, so that `zstd -t` finds a changed bit too.
 */
import { createHash, type Hash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { constants, createZstdCompress, createZstdDecompress } from 'node:zlib'

/** Takes half a millisecond of the event loop to hash, because a tenant may be paused meanwhile. */
const pieceBytes = 1024 * 1024
/** Pieces are read and hashed ahead, while zstd works on earlier ones in another thread. */
const streaming = { chunkSize: pieceBytes, highWaterMark: 8 * pieceBytes }

export interface CompressedFile {
  readonly bytes: number
  readonly sha256: string
  readonly storedBytes: number
  readonly storedSha256: string
}

/** A frame that was written and read back. `whole`: what came out has the digest of what was put in. */
export interface ReadBackResult {
  readonly compressed: CompressedFile
  readonly whole: boolean
}

/**
 * Compresses a file, reads back behind the writing what was written, and syncs it.
 * @param from read from its beginning to its end
 * @param to empty
 * @throws the error of reading or writing; the reason of the signal
 */
export async function compressAndReadBack(
  from: FileHandle,
  to: FileHandle,
  signal: AbortSignal,
): Promise<ReadBackResult> {
  const written = new WriteProgress()
  const [compressing, readingBack] = await Promise.allSettled([
    compress(from, to, written, signal).finally(() => written.end()),
    decompressPieces(() => piecesBehind(to, written), null, Infinity, signal),
  ])
  if (compressing.status === 'rejected') throw compressing.reason
  await to.sync()
  const compressed = compressing.value
  if (readingBack.status === 'rejected' && !isFrameError(readingBack.reason)) throw readingBack.reason
  const back = readingBack.status === 'rejected' ? 'too-many' : readingBack.value
  const whole = back !== 'too-many' && back.bytes === compressed.bytes && back.sha256 === compressed.sha256
  return { compressed, whole }
}

async function compress(
  from: FileHandle,
  to: FileHandle,
  written: WriteProgress,
  signal: AbortSignal,
): Promise<CompressedFile> {
  const plain = new Counter()
  const stored = new Counter()
  const { ZSTD_c_compressionLevel: level, ZSTD_c_checksumFlag: checksum } = constants
  // Without ZSTD_c_nbWorkers, with which Node 24.21 pushes bytes after the end of a large stream.
  const params = { [level]: 3, [checksum]: 1 }
  const zstd = createZstdCompress({ ...streaming, params })
  const write = async (pieces: AsyncIterable<Buffer>): Promise<void> => {
    for await (const piece of pieces) {
      await writeAt(to, piece, stored.count(piece))
      written.advance(stored.bytes)
    }
  }
  await pipeline(() => piecesOf(from, plain), zstd, write, { signal }).catch((error: unknown) => {
    signal.throwIfAborted() // Its reason, not the AbortError of the stream.
    throw error
  })
  return { bytes: plain.bytes, sha256: plain.digest(), storedBytes: stored.bytes, storedSha256: stored.digest() }
}

/** How far a file is written. */
class WriteProgress {
  bytes = 0
  isEnded = false
  #changed = Promise.withResolvers<void>()

  advance(bytes: number): void {
    this.bytes = bytes
    this.#wake()
  }

  end(): void {
    this.isEnded = true
    this.#wake()
  }

  /** Resolves at the next change. */
  change(): Promise<void> {
    return this.#changed.promise
  }

  #wake(): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }
}

/** Bytes that came out of a frame; `too-many` if there were more than allowed, and the rest was not read. */
type DecompressResult = { readonly bytes: number; readonly sha256: string } | 'too-many'

/**
 * @param to receives the bytes, and is synced
 * @param bytesMax a frame with more bytes is not read to its end
 * @throws the error of reading or writing, or of zlib (`ZSTD_...`, `Z_BUF_ERROR`); the reason of the signal
 */
export const decompress = (
  from: FileHandle,
  to: FileHandle,
  bytesMax: number,
  signal: AbortSignal,
): Promise<DecompressResult> => decompressPieces(() => piecesOf(from, null), to, bytesMax, signal)

/** @param to null: the bytes are only counted and hashed */
async function decompressPieces(
  stored: () => AsyncIterable<Buffer>,
  to: FileHandle | null,
  bytesMax: number,
  signal: AbortSignal,
): Promise<DecompressResult> {
  const plain = new Counter()
  const tooMany = new Error('more bytes than the backup has')
  const write = async (pieces: AsyncIterable<Buffer>): Promise<void> => {
    for await (const piece of pieces) {
      if (plain.bytes + piece.length > bytesMax) throw tooMany
      const position = plain.count(piece)
      if (to !== null) await writeAt(to, piece, position)
    }
  }
  try {
    await pipeline(stored, createZstdDecompress(streaming), write, { signal })
  } catch (error) {
    signal.throwIfAborted()
    if (error === tooMany) return 'too-many'
    throw error
  }
  await to?.sync()
  return { bytes: plain.bytes, sha256: plain.digest() }
}

/** True for an error of zlib: the bytes are no whole frame. */
export function isFrameError(error: unknown): error is Error & { readonly code: string } {
  const { code } = error as NodeJS.ErrnoException
  return error instanceof Error && typeof code === 'string' && /^(?:ZSTD_|Z_)/.test(code)
}

class Counter {
  readonly #hash: Hash = createHash('sha256')
  bytes = 0

  /** @returns the number of bytes before this piece */
  count(piece: Buffer): number {
    const before = this.bytes
    this.#hash.update(piece)
    this.bytes += piece.length
    return before
  }

  digest(): string {
    return this.#hash.digest('hex')
  }
}

async function* piecesOf(file: FileHandle, counter: Counter | null): AsyncGenerator<Buffer> {
  for (let position = 0; ;) {
    const piece = Buffer.allocUnsafe(pieceBytes)
    const { bytesRead } = await file.read(piece, 0, pieceBytes, position)
    if (bytesRead === 0) return
    position += bytesRead
    const read = piece.subarray(0, bytesRead)
    counter?.count(read)
    yield read
  }
}

/** Reads what is written, and waits for more until the writing has ended. */
async function* piecesBehind(file: FileHandle, written: WriteProgress): AsyncGenerator<Buffer> {
  for (let position = 0; ;) {
    const change = written.change() // Before looking, so that no change is missed.
    if (position < written.bytes) {
      const piece = Buffer.allocUnsafe(Math.min(pieceBytes, written.bytes - position))
      const { bytesRead } = await file.read(piece, 0, piece.length, position)
      if (bytesRead === 0) return
      position += bytesRead
      yield piece.subarray(0, bytesRead)
    } else if (written.isEnded) return
    else await change
  }
}

async function writeAt(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done)
    done += bytesWritten
  }
}
