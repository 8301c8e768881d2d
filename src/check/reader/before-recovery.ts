/**
 * Child side: copies of the pages as they were before SQLite recovered the file, in a file beside it. With them the
 * file can be read a second time without its WAL or journal. Only pages that recovery may write are copied.
 *
 *   bytes of the file (8) · page size (4) · then for each piece: offset in the file (8) · length (4) · its bytes
 */
import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  ftruncateSync,
  openSync,
  renameSync,
  rmSync,
  statfsSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { read32 } from '../../sqlite/bytes.ts'
import { readJournal } from '../../sqlite/journal/journal.ts'
import { frameBytesOf, frameHeaderBytes, readWalHeader, walHeaderBytes } from '../../sqlite/wal/wal.ts'
import { withFile, type OpenFile } from './with-file.ts'

/** If there are more bytes to copy, nothing is: no page is counted, and there is no second reading. */
const keptBytesMax = 64_000_000
const tailPieceBytes = 1 << 20
const headBytes = 12

const keptPath = (database: string): string => `${database}-before`

/** @returns false if that is too much, or the disk has too little space */
export function keepBefore(database: string): boolean {
  const pages = pagesToKeep(database)
  if (pages === null) return false
  const kept = openSync(keptPath(database), 'wx', 0o600)
  let whole = false
  try {
    whole = withFile(database, (file) => keepPieces(kept, file, pages)) ?? false
  } catch (error) {
    if (!isFull(error)) throw error
  } finally {
    closeSync(kept)
    if (!whole) rmSync(keptPath(database))
  }
  return whole
}

function keepPieces(kept: number, { bytes, read }: OpenFile, pages: PagesToKeep): boolean {
  writeAll(kept, headOf(bytes, pages.pageSize))
  let total = 0
  for (const { offset, length } of piecesOf(pages, bytes)) {
    total += length
    if (total > keptBytesMax) return false
    const piece = read(offset, length)
    writeAll(kept, headOf(offset, piece.length))
    writeAll(kept, piece)
  }
  return true
}

/** How many pages differ from their copies. Pages that were added or cut off count too. null if there are no copies. */
export function countChanged(database: string): number | null {
  return withFile(keptPath(database), (kept) =>
    withFile(database, (now) => {
      const [fileBytes, pageSize] = readHead(kept.read(0, headBytes))
      let changed = Math.max(0, Math.ceil((now.bytes - fileBytes) / pageSize))
      for (const { offset, bytes } of pieces(kept.read)) {
        for (let at = 0; at < bytes.length; at += pageSize) {
          const before = bytes.subarray(at, at + pageSize)
          if (Buffer.compare(before, now.read(offset + at, before.length)) !== 0) changed++
        }
      }
      return changed
    }),
  )
}

/**
 * Replaces the recovered file by the file as it was. The recovered one lives on under its other names. A WAL or journal
 * that SQLite could not write back is renamed.
 * @returns false if there are no copies, or the disk has too little space
 */
export function putPagesBack(database: string): boolean {
  const copy = `${database}-alone`
  const done = withFile(keptPath(database), ({ read }) =>
    withFile(database, ({ bytes }) => {
      const { bavail, bsize } = statfsSync(dirname(database))
      if (bytes > (bavail * bsize) / 2) return false
      copyFileSync(database, copy, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
      const file = openSync(copy, 'r+')
      try {
        for (const piece of pieces(read)) writeAll(file, piece.bytes, piece.offset)
        ftruncateSync(file, readHead(read(0, headBytes))[0])
      } finally {
        closeSync(file)
      }
      return true
    }),
  )
  if (done !== true) return false
  for (const part of companionParts)
    if (existsSync(database + part)) renameSync(database + part, asidePath(database, part))
  renameSync(copy, database)
  return true
}

/** Gives the WAL and journal their names back: outside of the sandbox they are part of the snapshot. */
export function bringCompanionsBack(database: string): void {
  for (const part of companionParts)
    if (existsSync(asidePath(database, part))) renameSync(asidePath(database, part), database + part)
}

const companionParts = ['-wal', '-journal', '-shm']
const asidePath = (database: string, part: string): string => `${database}-aside${part}`

interface PagesToKeep {
  readonly pageSize: number
  /** Page numbers. Pages behind `pageCount` are copied in any case. */
  readonly pages: ReadonlySet<number>
  /** Recovery may cut the file to so many pages. */
  readonly pageCount: number
}

/**
 * Every page that recovery may write: all pages in the journal and in frames of the WAL, committed or not.
 * @returns null if there is none, or there are too many
 */
function pagesToKeep(database: string): PagesToKeep | null {
  const pages = new Set<number>()
  const pageSizes = new Set<number>()
  let pageCount = Infinity
  const add = (page: number): void => void (pages.size < pagesMax && pages.add(page))
  withFile(`${database}-journal`, ({ bytes, read }) => {
    const journal = readJournal(read, bytes)
    if (journal === null) return
    pageSizes.add(journal.pageSize)
    pageCount = journal.pageCount
    for (const { page } of journal.records) add(page)
  })
  withFile(`${database}-wal`, ({ read }) => {
    const header = readWalHeader(read(0, walHeaderBytes))
    if (header === null) return
    for (let at = walHeaderBytes; ; at += frameBytesOf(header)) {
      const frame = read(at, frameHeaderBytes)
      if (frame.length < frameHeaderBytes || read32(frame, 8) !== header.salt1 || read32(frame, 12) !== header.salt2)
        return
      pageSizes.add(header.pageSize)
      add(read32(frame, 0))
      if (read32(frame, 4) !== 0) pageCount = Math.min(pageCount, read32(frame, 4))
    }
  })
  const [pageSize, other] = pageSizes
  return pageSize === undefined || other !== undefined || pages.size >= pagesMax ? null : { pageSize, pages, pageCount }
}

/**
 * The pages that recovery may write; none if there is no WAL and no journal.
 * @returns null if it is not known: there are too many, or the companions contradict each other
 */
export function pagesThatRecoveryWrites(database: string): Pick<PagesToKeep, 'pages' | 'pageCount'> | null {
  if (companionParts.every((part) => !existsSync(database + part))) return { pages: new Set(), pageCount: Infinity }
  return pagesToKeep(database)
}

/** So many of the smallest pages have `keptBytesMax`. */
const pagesMax = Math.ceil(keptBytesMax / 512)

function* piecesOf(
  { pageSize, pages, pageCount }: PagesToKeep,
  fileBytes: number,
): Generator<{ readonly offset: number; readonly length: number }> {
  for (const page of pages) {
    const offset = (page - 1) * pageSize
    if (page > 0 && page <= pageCount && offset < fileBytes)
      yield { offset, length: Math.min(pageSize, fileBytes - offset) }
  }
  // Infinity if nothing gives a size: then recovery cuts nothing off.
  for (let offset = pageCount * pageSize; offset < fileBytes; offset += tailPieceBytes)
    yield { offset, length: Math.min(tailPieceBytes, fileBytes - offset) }
}

function* pieces(read: OpenFile['read']): Generator<{ readonly offset: number; readonly bytes: Uint8Array }> {
  for (let at = headBytes; ;) {
    const head = read(at, headBytes)
    if (head.length < headBytes) return
    const [offset, length] = readHead(head)
    yield { offset, bytes: read(at + headBytes, length) }
    at += headBytes + length
  }
}

function headOf(bytes: number, less: number): Buffer {
  const head = Buffer.alloc(headBytes)
  head.writeBigUInt64BE(BigInt(bytes), 0)
  head.writeUInt32BE(less, 8)
  return head
}

function readHead(bytes: Uint8Array): readonly [number, number] {
  const head = Buffer.from(bytes)
  return [Number(head.readBigUInt64BE(0)), head.readUInt32BE(8)]
}

function writeAll(file: number, bytes: Uint8Array, position: number | null = null): void {
  for (let done = 0; done < bytes.length;)
    done += writeSync(file, bytes, done, bytes.length - done, position === null ? null : position + done)
}

const isFull = (error: unknown): boolean =>
  ['ENOSPC', 'EDQUOT', 'EFBIG'].includes((error as NodeJS.ErrnoException).code ?? '')
