/**
 * Copies between open descriptors, off the event loop. To open the source would break our own lease (hold/README.md
 * F5). The pieces are so small that an abort takes effect soon. It never rejects while the kernel still works on a
 * piece. Otherwise the caller could close its descriptors, and the rest would be written to another file that got their
 * numbers.
 */
import { close, fstatSync, ftruncate, read, write } from 'node:fs'
import { promisify } from 'node:util'
import { invariant } from '../../model/bug.ts'
import type { CopyMethod } from '../../model/result/evidence.ts'
import { monotonicMs } from '../clock.ts'
import { copyFileRange, ioctlPointer, SystemCallError, systemCallError } from '../libc.ts'
import { hasHoles, nextData } from './holes.ts'
import { openUnnamedFile } from './unnamed-file.ts'

export interface CopiedRange {
  readonly offset: number
  readonly bytes: number
}

/** The source ended before the range did. */
export class ShortCopy extends Error {
  override readonly name = 'ShortCopy'
  readonly copied: number
  readonly wanted: number

  constructor(copied: number, wanted: number) {
    super(`the source ended after ${copied} of ${wanted} bytes`)
    this.copied = copied
    this.wanted = wanted
  }
}

/**
 * Copies a range to the same offset of another file. It shares blocks if the range is the whole source and the file
 * system can, else it copies within the kernel, else through memory. `to` must not have been opened with O_APPEND.
 * The caller must prove that nothing writes to the source meanwhile.
 * @param onBytes called after each piece with the number of bytes that are there, from the start of the range
 * @throws the signal's reason when the current piece has ended (aimed at 50 ms)
 * @throws {ShortCopy} if the source is shorter than the range
 * @throws {SystemCallError} ENOSPC, EDQUOT, EIO and others
 */
export async function copyRange(
  from: number,
  to: number,
  range: CopiedRange,
  signal: AbortSignal,
  onBytes: (copied: number) => void = () => {},
): Promise<CopyMethod> {
  signal.throwIfAborted()
  const progress: Progress = { range, copied: 0, signal, onBytes }
  if (coversWholeFile(from, range) && (await reflink(from, to, progress))) return 'reflink'
  return copyAll(from, to, progress)
}

/**
 * As `copyRange`, but holes stay holes: they take neither time nor space. `to` must end before the range.
 * @throws as `copyRange`
 */
export async function copyRangeSparsely(
  from: number,
  to: number,
  range: CopiedRange,
  signal: AbortSignal,
  onBytes: (copied: number) => void = () => {},
): Promise<CopyMethod> {
  if (!hasHoles(from)) return copyRange(from, to, range, signal, onBytes)
  signal.throwIfAborted()
  invariant(fstatSync(to).size <= range.offset, 'nothing of the copy lies where a hole is left out')
  const progress: Progress = { range, copied: 0, signal, onBytes }
  if (coversWholeFile(from, range) && (await reflink(from, to, progress))) return 'reflink'
  return copyAroundHoles(from, to, progress)
}

async function copyAll(from: number, to: number, progress: Progress): Promise<CopyMethod> {
  if (await copyInKernel(from, to, progress)) return 'copy_file_range'
  await copyThroughMemory(from, to, progress)
  return 'read-write'
}

/** A part that is not written reads as zeros, as holes do. */
async function copyAroundHoles(from: number, to: number, { range, signal, onBytes }: Progress): Promise<CopyMethod> {
  const end = range.offset + range.bytes
  let method: CopyMethod = 'copy_file_range'
  for (let at = range.offset; ;) {
    const data = nextData(from, at, end)
    if (data === null) break
    const { offset } = data
    const part: Progress = {
      range: { offset, bytes: data.end - offset },
      copied: 0,
      signal,
      onBytes: (copied) => onBytes(offset - range.offset + copied),
    }
    method = await copyAll(from, to, part)
    at = data.end
  }
  const { size } = fstatSync(from)
  if (size < end) throw new ShortCopy(Math.max(0, size - range.offset), range.bytes)
  if (fstatSync(to).size < end) await promisify(ftruncate)(to, end)
  onBytes(range.bytes)
  return method
}

interface Progress {
  readonly range: CopiedRange
  copied: number
  readonly signal: AbortSignal
  readonly onBytes: (copied: number) => void
}

const coversWholeFile = (from: number, range: CopiedRange): boolean =>
  range.offset === 0 && range.bytes > 0 && fstatSync(from).size === range.bytes

const MiB = 1 << 20
/**
 * Pieces start at `first` bytes and are halved or doubled so that each takes 10 to 40 ms. All are powers of two.
 * Sharing blocks first writes out what is not on the disk yet, so it must begin small too.
 */
const reflinkPiece = { first: 16 * MiB, least: MiB, most: 4096 * MiB } as const
const kernelPiece = { first: 4 * MiB, least: MiB / 4, most: 16 * MiB } as const

/**
 * Pairs of devices between which the file system cannot share blocks. To ask for each file of a thousand tenants would
 * lengthen each of their pauses.
 */
const withoutSharing = new Set<string>()

/** @returns false if blocks cannot be shared here; the copy by other means then starts at the beginning */
async function reflink(from: number, to: number, progress: Progress): Promise<boolean> {
  const { range } = progress
  const between = `${fstatSync(from).dev} ${fstatSync(to).dev}`
  if (withoutSharing.has(between)) return false
  let piece: number = reflinkPiece.first
  while (progress.copied < range.bytes) {
    const started = monotonicMs()
    // The last piece has length 0, which means up to the end of the file. Only such a piece may end within a block.
    const length = piece >= range.bytes - progress.copied ? 0 : piece
    try {
      await cloneRange(from, to, progress.copied, length)
    } catch (error) {
      // If the disk is the reason, the copy by other means meets the same error and reports it.
      if (!(error instanceof SystemCallError)) throw error
      progress.copied = 0
      if (error.code === 'EOPNOTSUPP' || error.code === 'ENOTTY') withoutSharing.add(between)
      return false
    }
    advance(progress, length === 0 ? range.bytes - progress.copied : length)
    piece = nextPiece(piece, reflinkPiece, monotonicMs() - started)
  }
  // Up to the end of the file: if the source had changed its length meanwhile, so would the copy.
  const { size } = fstatSync(to)
  if (size < range.bytes) throw new ShortCopy(size, range.bytes)
  if (size > range.bytes) await promisify(ftruncate)(to, range.bytes)
  return true
}

/**
 * FICLONERANGE: lets `to` share the blocks of `from` at the same offset. Length 0 means up to the end of the source.
 */
function cloneRange(from: number, to: number, offset: number, length: number): Promise<number> {
  const FICLONERANGE = 0x4020940d
  // struct file_clone_range: source descriptor, source offset, length, offset in the copy.
  const cloned = Buffer.alloc(32)
  cloned.writeBigInt64LE(BigInt(from), 0)
  cloned.writeBigUInt64LE(BigInt(offset), 8)
  cloned.writeBigUInt64LE(BigInt(length), 16)
  cloned.writeBigUInt64LE(BigInt(offset), 24)
  return ioctlPointer(to, FICLONERANGE, cloned)
}

/**
 * Answers that mean "not between these two files". Reading and writing may still work. EPERM and ENOSYS come from
 * sandboxes.
 */
const notHere: ReadonlySet<string> = new Set([
  'EXDEV',
  'EOPNOTSUPP',
  'ENOSYS',
  'EINVAL',
  'EBADF',
  'EPERM',
  'ETXTBSY',
  'ENOTTY',
])

/** @returns false if the rest must go through memory */
async function copyInKernel(from: number, to: number, progress: Progress): Promise<boolean> {
  const { range } = progress
  let piece: number = kernelPiece.first
  while (progress.copied < range.bytes) {
    const started = monotonicMs()
    const wanted = Math.min(piece, range.bytes - progress.copied)
    try {
      const copied = await copyFileRange(from, to, range.offset + progress.copied, wanted)
      // The end of the source, or a file system that answers 0 in error. Reading shows which.
      if (copied === 0) return false
      advance(progress, copied)
    } catch (error) {
      if (!(error instanceof SystemCallError)) throw error
      if (notHere.has(error.code)) return false
      if (error.code !== 'EINTR') throw error
    }
    piece = nextPiece(piece, kernelPiece, monotonicMs() - started)
  }
  return true
}

const readOf = promisify(read)
const writeOf = promisify(write)

async function copyThroughMemory(from: number, to: number, progress: Progress): Promise<void> {
  const { range } = progress
  const buffer = Buffer.allocUnsafe(Math.min(MiB, range.bytes))
  try {
    while (progress.copied < range.bytes) {
      const wanted = Math.min(buffer.length, range.bytes - progress.copied)
      const offset = range.offset + progress.copied
      const { bytesRead } = await readOf(from, buffer, 0, wanted, offset)
      if (bytesRead === 0) throw new ShortCopy(progress.copied, range.bytes)
      let written = 0
      while (written < bytesRead) {
        progress.signal.throwIfAborted()
        written += (await writeOf(to, buffer, written, bytesRead - written, offset + written)).bytesWritten
      }
      advance(progress, bytesRead)
    }
  } catch (error) {
    throw systemCallError(error)
  }
}

/** @throws the signal's reason if it has aborted */
function advance(progress: Progress, bytes: number): void {
  progress.copied += bytes
  progress.onBytes(progress.copied)
  progress.signal.throwIfAborted()
}

function nextPiece(piece: number, limits: { readonly least: number; readonly most: number }, tookMs: number): number {
  if (tookMs > 40) return Math.max(limits.least, piece / 2)
  return tookMs < 10 ? Math.min(limits.most, piece * 2) : piece
}

/**
 * Tries whether files of `folder` can share blocks with this one, with one block and a file without a name there.
 * @throws the error of creating that file: EACCES, EROFS, ENOSPC and others
 */
export async function canReflink(from: number, folder: string): Promise<boolean> {
  const { size, blksize } = fstatSync(from)
  const to = openUnnamedFile(folder)
  try {
    await cloneRange(from, to, 0, size <= blksize ? 0 : blksize)
    return true
  } catch (error) {
    if (error instanceof SystemCallError) return false
    throw error
  } finally {
    await promisify(close)(to)
  }
}
