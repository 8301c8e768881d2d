/**
 * Finds a cut WAL: SQLite silently drops commits, because a frame before them no longer agrees with its checksum.
 *
 * Invalid frames at the end of a WAL are normal. A crash in a transaction leaves them, so does a transaction that was
 * rolled back, and an older generation. It is damage if the checksums continue behind the bad frame up to a commit. A
 * writer continued from that frame, so it was right once. Frames of a transaction that was rolled back continue each
 * other too, but have no commit mark. If every page is what the dropped frames say, nothing was lost.
 *
 * Damage may also destroy the headers of several frames. Frames behind them still prove each other, and have the salts
 * of the header.
 *
 * Two states of a healthy WAL look like a cut, and both have one commit behind the bad frame. A power loss in a commit
 * leaves holes, because the disk writes blocks in any order. A writer that dies right after its commit frame leaves a
 * commit that never happened; the next writer begins at the same place, and the rest stays behind its commit.
 */

import { read32 } from '../bytes.ts'
import type { ReadExactly } from './hidden-commits.ts'
import { viewOf } from './wal-checksum.ts'
import type { Checksum } from './wal-checksum.ts'
import { frameBytesOf, frameChecksum, frameHeaderBytes, walHeaderBytes } from './wal.ts'
import type { WalHeader, WalScanState } from './wal.ts'

interface WalCut {
  /** The first bad frame, counted from 1, and its byte offset. */
  readonly frame: number
  readonly offset: number
  /** Frames behind it. */
  readonly framesBehind: number
  /** False if a healthy WAL may look so, too. */
  readonly isProven: boolean
}

/** A log that was scanned up to its first bad frame. */
interface ScannedLog {
  readonly header: WalHeader
  readonly state: WalScanState
  /** Checksum up to the last valid frame (`WalScan.checksum`). */
  readonly checksumBefore: Checksum
  readonly read: ReadExactly
}

/** @param database the file beside the log */
export function findWalCut(log: ScannedLog, database: ReadExactly): WalCut | null {
  const { header, state, read } = log
  if (state.stopped !== 'checksum' && state.stopped !== 'salts') return null
  const frameBytes = frameBytesOf(header)
  const offset = state.validEnd
  const bad = read(offset, frameBytes)
  if (bad === null) return null
  const number = (offset - walHeaderBytes) / frameBytes + 1
  const behind = chainBehind(log, bad, offset + frameBytes)
  if (behind === null) return null
  const last = behind.commitEnd ?? offset + frameBytes
  if (!losesPages(log, bad, last, database)) return null
  return { frame: number, offset, framesBehind: behind.frames, isProven: behind.isProven }
}

interface Chain {
  readonly frames: number
  /** Byte offset behind the last frame with a commit mark; null if only the bad frame has one. */
  readonly commitEnd: number | null
  /** Frames with a commit mark. */
  readonly commits: number
}

/** Finds frames behind the bad one that continue each other's checksums up to a commit. */
function chainBehind(
  { header, state, read, checksumBefore }: ScannedLog,
  bad: Uint8Array,
  from: number,
): ProvenChain | null {
  const badCommits = read32(bad, 4) !== 0
  // The frame is whole but for its stored checksum, and so are those behind it.
  const computed = followChain(header, from, frameChecksum(viewOf(bad), 0, header, checksumBefore), read)
  if (computed.frames > 0 && (computed.commitEnd !== null || badCommits)) return { ...computed, isProven: true }
  // If the content was damaged, the stored checksum is right.
  const stored = followChain(header, from, [read32(bad, 16), read32(bad, 20)], read)
  if (stored.frames > 0 && (stored.commitEnd !== null || badCommits)) {
    const isBehindCommit = state.validEnd === state.committedEnd && state.committedFrames > 0
    return { ...stored, isProven: !isBehindCommit || stored.commits + Number(badCommits) > 1 }
  }
  const later = laterChain(header, from, read)
  return later && { ...later, isProven: later.frames > 0 && later.commits > 1 }
}

interface ProvenChain extends Chain {
  readonly isProven: boolean
}

/** If both were damaged, or further frames too, no frame behind them continues a known checksum. */
function laterChain(header: WalHeader, from: number, read: ReadExactly): Chain | null {
  const frameBytes = frameBytesOf(header)
  let unproven: Chain | null = null
  for (let at = from; ; at += frameBytes) {
    const head = read(at, frameHeaderBytes)
    if (head === null) return unproven
    if (!isOfGeneration(head, header)) continue
    const behind = followChain(header, at + frameBytes, [read32(head, 16), read32(head, 20)], read)
    const commits = behind.commits + Number(read32(head, 4) !== 0)
    const commitEnd = behind.commitEnd ?? (commits > 0 ? at + frameBytes : null)
    if (behind.frames > 0 && commitEnd !== null) return { frames: behind.frames + 1, commitEnd, commits }
    if (commitEnd !== null) unproven = { frames: 0, commitEnd, commits }
    at += behind.frames * frameBytes
  }
}

function followChain(header: WalHeader, from: number, seed: Checksum, read: ReadExactly): Chain {
  const frameBytes = frameBytesOf(header)
  let checksum = seed
  let frames = 0
  let commitEnd: number | null = null
  let commits = 0
  for (let offset = from; ; offset += frameBytes) {
    const frame = read(offset, frameBytes)
    if (frame === null || !isOfGeneration(frame, header)) return { frames, commitEnd, commits }
    checksum = frameChecksum(viewOf(frame), 0, header, checksum)
    if (checksum[0] !== read32(frame, 16) || checksum[1] !== read32(frame, 20)) return { frames, commitEnd, commits }
    frames++
    if (read32(frame, 4) === 0) continue
    commitEnd = offset + frameBytes
    commits++
  }
}

const isOfGeneration = (frame: Uint8Array, { salt1, salt2 }: WalHeader): boolean =>
  read32(frame, 0) !== 0 && read32(frame, 8) === salt1 && read32(frame, 12) === salt2

/** True if SQLite reads any page otherwise than the frames up to `end` leave it. The last image of a page counts. */
function losesPages(
  { header, state, checksumBefore, read }: ScannedLog,
  bad: Uint8Array,
  end: number,
  database: ReadExactly,
): boolean {
  const { pageSize } = header
  const frameBytes = frameBytesOf(header)
  const newest = newestImages(header, state.committedEnd, read)
  const seen = new Set<number>()
  let pageCount: number | null = null
  for (let offset = end - frameBytes; offset >= state.committedEnd; offset -= frameBytes) {
    const frame = read(offset, frameBytes)
    if (frame === null) continue
    pageCount ??= read32(frame, 4)
    const page = read32(frame, 0)
    const image = frame.subarray(frameHeaderBytes)
    // If the header of a frame is destroyed, its page is not known, unless only its salts are destroyed.
    const isNumbered =
      offset !== state.validEnd || isOfGeneration(frame, header) || wasOnce(bad, image, header, checksumBefore)
    if (page === 0 || !isNumbered) return true
    if (seen.has(page) || page > pageCount) continue
    seen.add(page)
    const newestAt = newest.get(page)
    const current =
      newestAt === undefined ? database((page - 1) * pageSize, pageSize) : read(newestAt + frameHeaderBytes, pageSize)
    if (current === null) return true
    if (Buffer.compare(current, image) === 0) continue
    if (offset !== state.validEnd || !wasOnce(bad, current, header, checksumBefore)) return true
  }
  return false
}

/** Byte offset of the newest committed frame of each page, as SQLite reads the log. */
function newestImages(header: WalHeader, committedEnd: number, read: ReadExactly): ReadonlyMap<number, number> {
  const images = new Map<number, number>()
  for (let offset = walHeaderBytes; offset < committedEnd; offset += frameBytesOf(header)) {
    const head = read(offset, frameHeaderBytes)
    if (head !== null) images.set(read32(head, 0), offset)
  }
  return images
}

/** True if this page was the content of the bad frame before the damage: the frame's checksum agrees with it. */
function wasOnce(bad: Uint8Array, page: Uint8Array, header: WalHeader, checksumBefore: Checksum): boolean {
  const whole = new Uint8Array(bad)
  whole.set(page, frameHeaderBytes)
  const [one, two] = frameChecksum(viewOf(whole), 0, header, checksumBefore)
  return one === read32(bad, 16) && two === read32(bad, 20)
}
