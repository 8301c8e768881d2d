/** The digest of a file of holdfast, read through its descriptor. */
import { createHash } from 'node:crypto'
import { fstatSync, read, readSync } from 'node:fs'
import { promisify } from 'node:util'
import { nextTurn } from '../clock.ts'
import { dataSpans, hasHoles } from './holes.ts'

/** Takes half a millisecond of the event loop for each, because hashing runs there beside another tenant's pause. */
const pieceBytes = 1024 * 1024
/** Buffers that are free now. New ones for each file took a quarter of a sweep's time in garbage collection. */
const idle: Buffer[] = []

const readInto = promisify(read)

/**
 * The digest of the whole file, holes included. Nothing may write to it meanwhile. Holes are not read, but the zeros of
 * a terabyte take ten minutes to hash: SHA-256 has no shorter way.
 * @throws the reason of the signal, within a hole
 */
export async function digestOf(
  descriptor: number,
  signal: AbortSignal,
): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const hash = createHash('sha256')
  const buffer = idle.pop() ?? Buffer.allocUnsafe(pieceBytes)
  const { size } = fstatSync(descriptor)
  let bytes = 0
  const hashZeros = async (to: number): Promise<void> => {
    for (; bytes < to; bytes += Math.min(zeros.length, to - bytes)) {
      hash.update(zeros.subarray(0, Math.min(zeros.length, to - bytes)))
      await nextTurn()
      signal.throwIfAborted()
    }
  }
  const hashData = async (to: number): Promise<void> => {
    while (bytes < to) {
      const wanted = Math.min(pieceBytes, to - bytes)
      // A small file was written just before and comes from memory. A hop through the thread pool would take as long as
      // the hashing.
      const bytesRead =
        size <= pieceBytes
          ? readSync(descriptor, buffer, 0, wanted, bytes)
          : (await readInto(descriptor, buffer, 0, wanted, bytes)).bytesRead
      if (bytesRead === 0) break
      hash.update(buffer.subarray(0, bytesRead))
      bytes += bytesRead
    }
  }
  if (hasHoles(descriptor)) {
    for await (const { offset, end } of dataSpans(descriptor)) {
      await hashZeros(offset)
      await hashData(end)
    }
    await hashZeros(size)
  } else await hashData(size)
  idle.push(buffer) // Not after an error: the kernel may still write to the buffer.
  return { bytes, sha256: hash.digest('hex') }
}

const zeros = Buffer.alloc(pieceBytes)
