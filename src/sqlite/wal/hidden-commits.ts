/**
 * Commits that SQLite does not see, because the header of the WAL does not verify or is that of another generation.
 *
 * Healthy files have such frames too: a WAL begins anew by a new header, and the frames of the generation before stay
 * behind it. SQLite begins anew only after it has written all of them into the database file. So the newest image of
 * each page is compared with the file: equal images lost nothing.
 *
 * A frame's checksum runs on from that of the frame before it. So two frames prove each other without any header.
 */

import { count } from '../../text/count.ts'
import { isZero, read32 } from '../bytes.ts'
import { addChecksum, viewOf } from './wal-checksum.ts'
import type { Checksum } from './wal-checksum.ts'
import { frameChecksum, frameHeaderBytes, readWalHeader, walHeaderBytes } from './wal.ts'
import type { WalHeader } from './wal.ts'

/** `length` bytes at `offset`; null where the file ends before them. */
export type ReadExactly = (offset: number, length: number) => Uint8Array | null

export interface LogFile {
  readonly read: ReadExactly
}

export interface DatabaseFile {
  readonly bytes: number
  /** Bytes; null where the header of the file gives none. */
  readonly pageSize: number | null
  readonly read: ReadExactly
}

export type HiddenCommits =
  /** `frames` agree among themselves up to a commit, and `pages` of the file hold something else. */
  | { readonly kind: 'lost'; readonly frames: number; readonly pages: number }
  /** Frames differ from the file, but nothing proves that they are the newest ones, or commits at all. */
  | { readonly kind: 'unclear'; readonly why: string }

/** @param wal a log of which SQLite takes no frame @returns null where nothing was lost */
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
    // Behind a header that verifies, what does not begin at frame 1 is older: the newest generation lay before it.
    if (chain !== null) return header === null ? judgeBehind(wal, database, shape, chain) : null
  }
  return header === null ? judgeNoChain(wal, database, shapes) : null
}

/** What a newer SQLite may write: the header is whole, and says something that this one does not know. */
function isOfAnotherFormat(first: Uint8Array): boolean {
  return [true, false].some((bigEndian) => {
    const [one, two] = addChecksum(viewOf(first), 0, 24, bigEndian, [0, 0])
    return one === read32(first, 24) && two === read32(first, 28) && !isZero(first)
  })
}

/** How frames lie in the log. */
type Shape = Pick<WalHeader, 'pageSize' | 'bigEndianChecksums'>

const pageSizes = [512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536]

/** A log has the page size of its database. The byte order of its checksums is that of the machine that began it. */
function guessShapes(first: Uint8Array, known: number | null): readonly Shape[] {
  const said = read32(first, 8)
  const sizes = known !== null ? [known] : pageSizes.includes(said) ? [said] : pageSizes
  const bigFirst = read32(first, 0) === 0x377f0683
  return [bigFirst, !bigFirst].flatMap((bigEndianChecksums) =>
    sizes.map((pageSize) => ({ pageSize, bigEndianChecksums })),
  )
}

/** Frames that agree among themselves, numbered from 1, both ends included. */
interface Chain {
  readonly from: number
  readonly to: number
  /** The last frame with a commit mark; 0 without any. */
  readonly commit: number
}

/** A log may be a hole of terabytes: so many places are looked at for a first frame, which takes seconds. */
const framesMax = 1_000_000

function firstChain(wal: LogFile, first: Uint8Array, shape: Shape): Chain | null | 'too-far' {
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

function follow(wal: LogFile, shape: Shape, from: number, head: Uint8Array): Chain {
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

/**
 * One of the two was hit: the bytes that the header's checksum covers, or the checksum. The other one is right then.
 */
function isProvenByHeader(wal: LogFile, first: Uint8Array, shape: Shape): boolean {
  const frame = wal.read(walHeaderBytes, frameBytesOf(shape))
  if (frame === null) return false
  const stored: Checksum = [read32(first, 24), read32(first, 28)]
  const computed = addChecksum(viewOf(first), 0, 24, shape.bigEndianChecksums, [0, 0])
  return verifies(frame, shape, stored) || verifies(frame, shape, computed)
}

/** The frames at the beginning are those of the newest generation: a newer one would have overwritten them first. */
function judgeNewest(wal: LogFile, database: DatabaseFile, shape: Shape, { commit }: Chain): HiddenCommits | null {
  const pages = commit === 0 ? 0 : pagesThatDiffer(wal, database, shape, 1, commit)
  return pages === 0 ? null : { kind: 'lost', frames: commit, pages }
}

/** Frames of the same generation, behind one that breaks the chain. */
function judgeRest(wal: LogFile, database: DatabaseFile, shape: Shape, { to }: Chain): HiddenCommits | null {
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

/** Frames that prove each other, behind some that nothing proves. */
function judgeBehind(
  wal: LogFile,
  database: DatabaseFile,
  shape: Shape,
  { from, commit }: Chain,
): HiddenCommits | null {
  const newest = unprovenFrames(wal, database, shape)
  // Of another generation, and before the chain: the chain is older then, and was written into the file.
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
  shape: Shape,
  { commit }: Omit<Chain, 'from'>,
): HiddenCommits | null {
  const pages = commit === 0 ? 0 : pagesThatDiffer(wal, database, shape, 1, commit)
  return pages === 0 ? null : unclear(`frames behind it differ from ${count(pages, 'page')} of the file`)
}

/** Noise, or frames of which no two prove each other. */
function judgeNoChain(wal: LogFile, database: DatabaseFile, shapes: readonly Shape[]): HiddenCommits | null {
  for (const shape of shapes) {
    const newest = unprovenFrames(wal, database, shape)
    if (newest !== null) return judgeUnproven(wal, database, shape, newest)
  }
  return null
}

/**
 * The frames of the newest generation where no two prove each other: a single commit of one page, or a transaction that
 * was under way, whose checksums are made at its end. null where the log begins with something else.
 */
function unprovenFrames(wal: LogFile, database: DatabaseFile, shape: Shape): Omit<Chain, 'from'> | null {
  let first: Uint8Array | null = null
  let commit = 0
  for (let number = 1; ; number++) {
    const head = wal.read(offsetOf(shape, number), frameHeaderBytes)
    // Every frame makes the database larger by one page at most.
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
 * How many pages of the file are not what the frames from `from` to `commit` leave. Frames of pages behind the end of
 * the database do not count.
 */
function pagesThatDiffer(wal: LogFile, database: DatabaseFile, shape: Shape, from: number, commit: number): number {
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
    const there = database.read((page - 1) * pageSize, pageSize)
    if (there === null || Buffer.compare(there, frame.subarray(frameHeaderBytes)) !== 0) different++
  }
  return different
}

const frameBytesOf = ({ pageSize }: Shape): number => frameHeaderBytes + pageSize
const offsetOf = (shape: Shape, number: number): number => walHeaderBytes + (number - 1) * frameBytesOf(shape)
const isPlausible = (head: Uint8Array): boolean => read32(head, 0) !== 0 && !isZero(head.subarray(8, 24))
const isCommit = (head: Uint8Array): boolean => read32(head, 4) !== 0
const haveSameSalts = (a: Uint8Array, b: Uint8Array): boolean =>
  read32(a, 8) === read32(b, 8) && read32(a, 12) === read32(b, 12)
const storedChecksum = (head: Uint8Array): Checksum => [read32(head, 16), read32(head, 20)]

function verifies(frame: Uint8Array, shape: Shape, before: Checksum): boolean {
  const [one, two] = frameChecksum(viewOf(frame), 0, shape, before)
  return one === read32(frame, 16) && two === read32(frame, 20)
}
