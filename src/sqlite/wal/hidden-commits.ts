/**
 * Finds commits that SQLite ignores, because the header of the WAL does not verify or is of another generation.
 *
 * Healthy files have such frames too. A WAL starts again with a new header, and the frames of the generation before
 * stay behind it. SQLite starts again only after it has written all of them into the database file. So the newest image
 * of each page is compared with the file: if they are equal, nothing was lost.
 *
 * The checksum of a frame continues from that of the frame before. So two frames prove each other without any header.
 */

import { count } from '../../text/count.ts'
import { isZero, read32 } from '../bytes.ts'
import { addChecksum, viewOf } from './wal-checksum.ts'
import type { Checksum } from './wal-checksum.ts'
import { frameChecksum, frameHeaderBytes, readWalHeader, walHeaderBytes } from './wal.ts'
import type { WalHeader } from './wal.ts'

/** Reads `length` bytes at `offset`; null if the file ends before them. */
export type ReadExactly = (offset: number, length: number) => Uint8Array | null

interface LogFile {
  readonly read: ReadExactly
}

interface DatabaseFile {
  readonly bytes: number
  /** Bytes; null if the header of the file is not readable. */
  readonly pageSize: number | null
  readonly read: ReadExactly
}

type HiddenCommits =
  /** `frames` frames prove each other up to a commit, and `pages` pages of the file have other content. */
  | { readonly kind: 'lost'; readonly frames: number; readonly pages: number }
  /** Frames differ from the file, but nothing proves that they are the newest ones, or that they are commits. */
  | { readonly kind: 'unclear'; readonly why: string }

/** @param wal a log from which SQLite takes no frame @returns null if nothing was lost */
export function findHiddenCommits(wal: LogFile, database: DatabaseFile): HiddenCommits | null {
  const first = wal.read(0, walHeaderBytes)
  if (first === null) return null
  const header = readWalHeader(first)
  if (header === null && isOfAnotherFormat(first)) return { kind: 'unclear', why: 'its format is not known' }
  const shapes = header === null ? guessShapes(first, database.pageSize) : [header]
  for (const shape of shapes) {
    const chain = firstChain(wal, first, shape)
    if (chain === 'too-far') return header === null ? unclear(`its first ${framesMax} frames are none`) : null
    if (chain?.from === 1)
      return (
        judgeNewest(wal, database, shape, chain) ?? (header === null ? judgeRest(wal, database, shape, chain) : null)
      )
    // Behind a header that verifies, frames that do not begin at frame 1 are older: the newest ones lay before them.
    if (chain !== null) return header === null ? judgeBehind(wal, database, shape, chain) : null
  }
  return header === null ? judgeNoChain(wal, database, shapes) : null
}

/** True for a header that a newer SQLite may write: its checksum is right, but its content is not known here. */
function isOfAnotherFormat(first: Uint8Array): boolean {
  return [true, false].some((bigEndian) => {
    const [one, two] = addChecksum(viewOf(first), 0, 24, bigEndian, [0, 0])
    return one === read32(first, 24) && two === read32(first, 28) && !isZero(first)
  })
}

/** The layout of the frames of a log. */
type FrameLayout = Pick<WalHeader, 'pageSize' | 'bigEndianChecksums'>

const pageSizes = [512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536]

/** A log has the page size of its database. Its checksums have the byte order of the machine that started it. */
function guessShapes(first: Uint8Array, known: number | null): readonly FrameLayout[] {
  const stated = read32(first, 8)
  const sizes = known !== null ? [known] : pageSizes.includes(stated) ? [stated] : pageSizes
  const bigFirst = read32(first, 0) === 0x377f0683
  return [bigFirst, !bigFirst].flatMap((bigEndianChecksums) =>
    sizes.map((pageSize) => ({ pageSize, bigEndianChecksums })),
  )
}

/** Frames that prove each other, numbered from 1, both ends included. */
interface Chain {
  readonly from: number
  readonly to: number
  /** The last frame with a commit mark; 0 if there is none. */
  readonly commit: number
}

/** Most offsets that are searched for a first frame, which takes seconds: a log may be a hole of terabytes. */
const framesMax = 1_000_000

function firstChain(wal: LogFile, first: Uint8Array, shape: FrameLayout): Chain | null | 'too-far' {
  for (let number = 1; ; number++) {
    if (number > framesMax) return 'too-far'
    const head = wal.read(offsetOf(shape, number), frameHeaderBytes)
    if (head === null) return null
    if (!isPlausible(head)) continue
    const proven = number === 1 && isProvenByHeader(wal, first, shape)
    const chain = follow(wal, shape, number, head)
    if (proven || chain.to > number) return chain
  }
}

function follow(wal: LogFile, shape: FrameLayout, from: number, head: Uint8Array): Chain {
  let before = head
  let commit = isCommit(head) ? from : 0
  for (let number = from + 1; ; number++) {
    const next = wal.read(offsetOf(shape, number), frameHeaderBytes)
    if (next === null || !isPlausible(next) || !haveSameSalts(before, next)) return { from, to: number - 1, commit }
    const frame = wal.read(offsetOf(shape, number), frameBytesOf(shape))
    if (frame === null || !verifies(frame, shape, storedChecksum(before))) return { from, to: number - 1, commit }
    if (isCommit(next)) commit = number
    before = next
  }
}

/** Damage hit either the checksum of the header, or the bytes that it covers. The other is then right. */
function isProvenByHeader(wal: LogFile, first: Uint8Array, shape: FrameLayout): boolean {
  const frame = wal.read(walHeaderBytes, frameBytesOf(shape))
  if (frame === null) return false
  const stored: Checksum = [read32(first, 24), read32(first, 28)]
  const computed = addChecksum(viewOf(first), 0, 24, shape.bigEndianChecksums, [0, 0])
  return verifies(frame, shape, stored) || verifies(frame, shape, computed)
}

/** Judges a chain from frame 1 on. It is of the newest generation: a newer one would have overwritten it first. */
function judgeNewest(
  wal: LogFile,
  database: DatabaseFile,
  shape: FrameLayout,
  { commit }: Chain,
): HiddenCommits | null {
  const pages = commit === 0 ? 0 : pagesThatDiffer(wal, database, shape, 1, commit)
  return pages === 0 ? null : { kind: 'lost', frames: commit, pages }
}

/** Judges frames of the same generation behind one that breaks the chain. */
function judgeRest(wal: LogFile, database: DatabaseFile, shape: FrameLayout, { to }: Chain): HiddenCommits | null {
  const last = wal.read(offsetOf(shape, to), frameHeaderBytes)
  const broken = wal.read(offsetOf(shape, to + 1), frameHeaderBytes)
  if (last === null || broken === null || !isPlausible(broken) || !haveSameSalts(last, broken)) return null
  const rest = follow(wal, shape, to + 1, broken)
  if (rest.to === rest.from || rest.commit === 0) return null
  const behind = pagesThatDiffer(wal, database, shape, rest.from, rest.commit)
  return behind === 0
    ? null
    : unclear(
        `it breaks off at frame ${rest.from}, and frames behind it differ from ${count(behind, 'page')} of the file`,
      )
}

/** Judges frames that prove each other, behind some that nothing proves. */
function judgeBehind(
  wal: LogFile,
  database: DatabaseFile,
  shape: FrameLayout,
  { from, commit }: Chain,
): HiddenCommits | null {
  const newest = unprovenFrames(wal, database, shape)
  // Frames of another generation lie before the chain. So the chain is older, and was written into the file.
  if (newest !== null && newest.to < from) return judgeUnproven(wal, database, shape, newest)
  const pages = commit === 0 ? 0 : pagesThatDiffer(wal, database, shape, from, commit)
  return pages === 0
    ? null
    : unclear(
        `its beginning is destroyed, and frames from frame ${from} on differ from ${count(pages, 'page')} of the file`,
      )
}

function judgeUnproven(
  wal: LogFile,
  database: DatabaseFile,
  shape: FrameLayout,
  { commit }: Omit<Chain, 'from'>,
): HiddenCommits | null {
  const pages = commit === 0 ? 0 : pagesThatDiffer(wal, database, shape, 1, commit)
  return pages === 0 ? null : unclear(`frames behind it differ from ${count(pages, 'page')} of the file`)
}

/** Judges a log without a chain: noise, or frames of which no two prove each other. */
function judgeNoChain(wal: LogFile, database: DatabaseFile, shapes: readonly FrameLayout[]): HiddenCommits | null {
  for (const shape of shapes) {
    const newest = unprovenFrames(wal, database, shape)
    if (newest !== null) return judgeUnproven(wal, database, shape, newest)
  }
  return null
}

/**
 * The frames of the newest generation, if no two prove each other. They are a single commit of one page, or an
 * unfinished transaction, whose checksums SQLite writes at its end. null if the log begins with something else.
 */
function unprovenFrames(wal: LogFile, database: DatabaseFile, shape: FrameLayout): Omit<Chain, 'from'> | null {
  let first: Uint8Array | null = null
  let commit = 0
  for (let number = 1; ; number++) {
    const head = wal.read(offsetOf(shape, number), frameHeaderBytes)
    // Each frame adds at most one page to the database.
    const pagesMax = database.bytes / shape.pageSize + number
    const credible = head !== null && isPlausible(head) && read32(head, 0) <= pagesMax && read32(head, 4) <= pagesMax
    if (!credible || (first !== null && !haveSameSalts(first, head)))
      return first === null ? null : { to: number - 1, commit }
    first ??= head
    if (isCommit(head)) commit = number
  }
}

const unclear = (why: string): HiddenCommits => ({ kind: 'unclear', why: `its header does not verify, and ${why}` })

/**
 * Number of pages of the file that differ from what the frames `from` to `commit` leave. Frames of pages behind the end
 * of the database do not count.
 */
function pagesThatDiffer(
  wal: LogFile,
  database: DatabaseFile,
  shape: FrameLayout,
  from: number,
  commit: number,
): number {
  const { pageSize } = shape
  const seen = new Set<number>()
  let pageCount: number | null = null
  let different = 0
  for (let number = commit; number >= from; number--) {
    const frame = wal.read(offsetOf(shape, number), frameBytesOf(shape))
    if (frame === null) continue
    pageCount ??= read32(frame, 4)
    const page = read32(frame, 0)
    if (page > pageCount || seen.has(page)) continue
    seen.add(page)
    const current = database.read((page - 1) * pageSize, pageSize)
    if (current === null || Buffer.compare(current, frame.subarray(frameHeaderBytes)) !== 0) different++
  }
  return different
}

const frameBytesOf = ({ pageSize }: FrameLayout): number => frameHeaderBytes + pageSize
const offsetOf = (shape: FrameLayout, number: number): number => walHeaderBytes + (number - 1) * frameBytesOf(shape)
const isPlausible = (head: Uint8Array): boolean => read32(head, 0) !== 0 && !isZero(head.subarray(8, 24))
const isCommit = (head: Uint8Array): boolean => read32(head, 4) !== 0
const haveSameSalts = (a: Uint8Array, b: Uint8Array): boolean =>
  read32(a, 8) === read32(b, 8) && read32(a, 12) === read32(b, 12)
const storedChecksum = (head: Uint8Array): Checksum => [read32(head, 16), read32(head, 20)]

function verifies(frame: Uint8Array, shape: FrameLayout, before: Checksum): boolean {
  const [one, two] = frameChecksum(viewOf(frame), 0, shape, before)
  return one === read32(frame, 16) && two === read32(frame, 20)
}
