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

export interface Compressed {
  readonly bytes: number
  readonly sha256: string
  readonly storedBytes: number
  readonly storedSha256: string
}

/**
 * @param from read from its beginning to its end
 * @param to empty; it is synced
 * @throws the error of reading or writing; the reason of the signal
 */
export async function compress(from: FileHandle, to: FileHandle, signal: AbortSignal): Promise<Compressed> {
  const plain = new Counter()
  const stored = new Counter()
  const { ZSTD_c_compressionLevel, ZSTD_c_checksumFlag } = constants
  const zstd = createZstdCompress({
    chunkSize: pieceBytes,
    params: { [ZSTD_c_compressionLevel]: 3, [ZSTD_c_checksumFlag]: 1 },
  })
  await pipeline(
    () => piecesOf(from, plain),
    zstd,
    async (pieces: AsyncIterable<Buffer>) => {
      for await (const piece of pieces) await writeAt(to, piece, stored.count(piece))
    },
    { signal },
  )
  await to.sync()
  return { bytes: plain.bytes, sha256: plain.digest(), storedBytes: stored.bytes, storedSha256: stored.digest() }
}

/** Bytes that came out of a frame; `tooMany` if there were more than allowed, and the rest was not read. */
export type Decompressed = Compressed | 'too-many'

/**
 * @param to receives the bytes; null: they are only counted and hashed
 * @param bytesMax a frame with more bytes is not read to its end
 * @throws the error of reading or writing, or of zlib (`ZSTD_...`, `Z_BUF_ERROR`); the reason of the signal
 */
export async function decompress(
  from: FileHandle,
  to: FileHandle | null,
  bytesMax: number,
  signal: AbortSignal,
): Promise<Decompressed> {
  const plain = new Counter()
  const stored = new Counter()
  let tooMany = false
  await pipeline(
    () => piecesOf(from, stored),
    createZstdDecompress({ chunkSize: pieceBytes }),
    async (pieces: AsyncIterable<Buffer>) => {
      for await (const piece of pieces) {
        tooMany = plain.bytes + piece.length > bytesMax
        if (tooMany) return
        const position = plain.count(piece)
        if (to !== null) await writeAt(to, piece, position)
      }
    },
    { signal },
  )
  if (tooMany) return 'too-many'
  await to?.sync()
  return { bytes: plain.bytes, sha256: plain.digest(), storedBytes: stored.bytes, storedSha256: stored.digest() }
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

async function* piecesOf(file: FileHandle, counter: Counter): AsyncGenerator<Buffer> {
  for (;;) {
    const piece = Buffer.allocUnsafe(pieceBytes)
    const { bytesRead } = await file.read(piece, 0, pieceBytes, counter.bytes)
    if (bytesRead === 0) return
    const read = piece.subarray(0, bytesRead)
    counter.count(read)
    yield read
  }
}

async function writeAt(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done)
    done += bytesWritten
  }
}
