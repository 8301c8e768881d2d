/**
 * Child side: verifies the page checksums of cksumvfs (sqlite/page-checksum.ts), and writes them where SQLite without
 * that extension has written pages.
 */
import { closeSync, openSync, writeSync } from 'node:fs'
import { databasePages } from '../../../sqlite/accounting/account-pages.ts'
import type { DatabaseHeader } from '../../../sqlite/header.ts'
import { checksumBytes, judgeChecksum, stampChecksum } from '../../../sqlite/page-checksum.ts'
import { lockBytePage } from '../../../sqlite/page-layout.ts'
import type { ChecksumAnswer } from '../../step-answers.ts'
import { pagesThatRecoveryWrites } from '../before-recovery.ts'
import { PageFile, readLayout } from './page-file.ts'

const readBytes = 1 << 20
const listedMax = 20
/** So many pages, spread over the file, show whether it carries checksums. */
const samplesMax = 64

/**
 * Reads all whole pages of the database file as it is before recovery. Leaves out pages that recovery will write: those
 * may be torn, and a WAL holds pages without checksums. `carried` is false unless most pages have a right one: eight
 * reserved bytes alone say nothing.
 */
export function verifyChecksums(database: string): ChecksumAnswer {
  const header = headerWithRoom(database)
  const written = header === null ? null : pagesThatRecoveryWrites(database)
  if (header === null || written === null) return { carried: false, checked: 0, wrong: [], wrongTotal: 0 }
  const wrong: number[] = []
  let checked = 0
  let wrongTotal = 0
  for (const { page, bytes } of wholePages(database, header, written.pageCount)) {
    if (written.pages.has(page)) continue
    const checksum = judgeChecksum(bytes)
    if (checksum === 'void') continue
    checked++
    if (checksum === 'right') continue
    wrongTotal++
    if (wrong.length < listedMax) wrong.push(page)
  }
  return { carried: wrongTotal * 2 < checked, checked, wrong, wrongTotal }
}

/** True if most of a few pages have a right checksum. */
export function carriesChecksums(database: string): boolean {
  const header = headerWithRoom(database)
  if (header === null) return false
  const { pageSize } = header
  using file = new PageFile(database, pageSize)
  const pages = databasePages(header, Math.floor(file.fileBytes / pageSize))
  const samples = Math.min(pages, samplesMax)
  const page = new Uint8Array(pageSize)
  let right = 0
  let wrong = 0
  for (let i = 0; i < samples; i++) {
    if (file.read(1 + Math.floor((i * pages) / samples), page) !== pageSize) continue
    const checksum = judgeChecksum(page)
    if (checksum === 'right') right++
    else if (checksum === 'wrong') wrong++
  }
  return right > wrong
}

/**
 * Writes right checksums into pages, as cksumvfs does when it writes them.
 * @param pages null for all pages
 */
export function stampPages(database: string, pages: ReadonlySet<number> | null): void {
  const header = headerWithRoom(database)
  if (header === null) return
  const into = openSync(database, 'r+')
  try {
    for (const { page, bytes } of wholePages(database, header, Infinity)) {
      if ((pages !== null && !pages.has(page)) || judgeChecksum(bytes) !== 'wrong') continue
      stampChecksum(bytes)
      writeSync(into, bytes, bytes.length - checksumBytes, checksumBytes, page * bytes.length - checksumBytes)
    }
  } finally {
    closeSync(into)
  }
}

/** null if the header does not reserve exactly the bytes of a checksum. */
function headerWithRoom(database: string): DatabaseHeader | null {
  const layout = readLayout(database)
  return typeof layout !== 'string' && layout.header.reservedBytes === checksumBytes ? layout.header : null
}

/** Without the page of SQLite's locks, and without pages that the disk cannot read: the page accounting says so. */
function* wholePages(
  database: string,
  header: DatabaseHeader,
  pageCount: number,
): Generator<{ readonly page: number; readonly bytes: Uint8Array }> {
  const { pageSize } = header
  using file = new PageFile(database, pageSize)
  const pages = Math.min(pageCount, databasePages(header, Math.floor(file.fileBytes / pageSize)))
  const lockPage = lockBytePage({ pageSize, usable: pageSize - checksumBytes, autoVacuum: header.largestRoot > 0 })
  const pagesEachRead = Math.max(1, Math.floor(readBytes / pageSize))
  const piece = new Uint8Array(pagesEachRead * pageSize)
  for (let first = 1; first <= pages; first += pagesEachRead) {
    const count = Math.min(pagesEachRead, pages - first + 1)
    const unread = new Set(file.readMany(first, count, piece))
    for (let i = 0; i < count; i++)
      if (first + i !== lockPage && !unread.has(first + i))
        yield { page: first + i, bytes: piece.subarray(i * pageSize, (i + 1) * pageSize) }
  }
}
