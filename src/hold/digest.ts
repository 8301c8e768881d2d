/** The digest of a file of ours, read through its descriptor. */
import { createHash } from 'node:crypto'
import { fstatSync, read, readSync } from 'node:fs'
import { promisify } from 'node:util'

/** Half a millisecond of the event loop each: hashing runs there, beside another tenant's pause. */
const pieceBytes = 1024 * 1024
/** Buffers that nobody uses now. New ones for each file cost a quarter of a sweep's time in garbage collection. */
const idle: Buffer[] = []

const readInto = promisify(read)

/** Of the whole file, from its beginning; nobody writes it meanwhile. */
export async function digestOf(descriptor: number): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const hash = createHash('sha256')
  const buffer = idle.pop() ?? Buffer.allocUnsafe(pieceBytes)
  let bytes = 0
  for (const { size } = fstatSync(descriptor); bytes < size; ) {
    // A small file was written a moment ago and comes from memory: a hop through the thread pool would take as long as the hashing.
    const bytesRead = size <= pieceBytes ? readSync(descriptor, buffer, 0, pieceBytes, bytes) : (await readInto(descriptor, buffer, 0, pieceBytes, bytes)).bytesRead
    if (bytesRead === 0) break
    hash.update(buffer.subarray(0, bytesRead))
    bytes += bytesRead
  }
  idle.push(buffer) // Not after an error: the kernel may still be writing into it.
  return { bytes, sha256: hash.digest('hex') }
}
