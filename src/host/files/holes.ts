/**
 * Holes of sparse files. A hole reads as zeros and takes no space, so a copy may leave it out. Only file systems that
 * report holes reliably are believed. On others the whole file counts as data and is read.
 */
import { fstatSync } from 'node:fs'
import { EventLoopYielder } from '../clock.ts'
import { fileSystemTypeOf, seek, SystemCallError } from '../libc.ts'

/** A piece of a file with data in it; `end` is the offset after it. */
export interface DataSpan {
  readonly offset: number
  readonly end: number
}

const MiB = 1 << 20
/** Smaller holes are read as zeros, because a search for each takes longer. */
const leastHoleBytes = MiB
/** A search passes over small holes only so far, because it runs on the event loop. */
const spanBytesMax = 16 * MiB

/**
 * By `f_type` of statfs(2): ext2 to ext4, xfs, btrfs, f2fs, bcachefs, tmpfs, overlay. Not ZFS: it once reported a hole
 * where data was not written out yet.
 */
const dependable: ReadonlySet<number> = new Set([
  0xef53, 0x58465342, 0x9123683e, 0xf2f52010, 0xca451a4e, 0x01021994, 0x794c7630,
])

/** True if the file has holes worth leaving out, on a file system that reports them reliably. */
export function hasHoles(descriptor: number): boolean {
  const { size, blocks } = fstatSync(descriptor)
  if (process.platform !== 'linux' || size - blocks * 512 < leastHoleBytes) return false
  try {
    if (!dependable.has(fileSystemTypeOf(descriptor))) return false
    seek(descriptor, 0, 'hole')
    return true
  } catch (error) {
    if (error instanceof SystemCallError) return false
    throw error
  }
}

/**
 * The next data at or after `from`, for a file that `hasHoles`. Moves the descriptor's own offset.
 * @returns null if there is none before `to`
 */
export function nextData(descriptor: number, from: number, to: number): DataSpan | null {
  const offset = seekData(descriptor, from)
  if (offset === null || offset >= to) return null
  let end = seek(descriptor, offset, 'hole')
  while (end < to && end - offset < spanBytesMax) {
    const next = seekData(descriptor, end)
    if (next === null || next - end >= leastHoleBytes) break
    end = seek(descriptor, next, 'hole')
  }
  return { offset, end: Math.min(end, to) }
}

/** Bytes of a file that a copy has to write. */
export async function dataBytesOf(descriptor: number): Promise<number> {
  if (!hasHoles(descriptor)) return fstatSync(descriptor).size
  let bytes = 0
  for await (const { offset, end } of dataSpans(descriptor)) bytes += end - offset
  return bytes
}

/** Offset after the last data of a file. For children only, because it may take a second of the event loop. */
export function endOfDataAtOnce(descriptor: number): number {
  const { size } = fstatSync(descriptor)
  if (!hasHoles(descriptor)) return size
  let last = 0
  for (let span = nextData(descriptor, 0, size); span !== null; span = nextData(descriptor, last, size)) last = span.end
  return last
}

/** As above, for any file. */
export async function endOfData(descriptor: number): Promise<number> {
  if (!hasHoles(descriptor)) return fstatSync(descriptor).size
  let last = 0
  for await (const { end } of dataSpans(descriptor)) last = end
  return last
}

/** All data of a file, in order. For a file without holes: the whole file. */
export async function* dataSpans(descriptor: number): AsyncGenerator<DataSpan> {
  const { size } = fstatSync(descriptor)
  if (!hasHoles(descriptor)) {
    if (size > 0) yield { offset: 0, end: size }
    return
  }
  const yielder = new EventLoopYielder()
  for (let at = 0; ;) {
    const span = nextData(descriptor, at, size)
    if (span === null) return
    yield span
    at = span.end
    await yielder.take()
  }
}

/** ENXIO: no data follows. */
function seekData(descriptor: number, from: number): number | null {
  try {
    return seek(descriptor, from, 'data')
  } catch (error) {
    if (error instanceof SystemCallError && error.code === 'ENXIO') return null
    throw error
  }
}
