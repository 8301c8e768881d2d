/** Child side: how the pages of a file lie whose header does not say it. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { isZero, read16, startsWith } from '../../../../sqlite/bytes.ts'
import { magic, readHeader, type DatabaseHeader } from '../../../../sqlite/header.ts'

/** Bytes from the beginning of the file that are searched for pages. */
const searchedBytesMax = 16_000_000
/** Pages that must look like pages of a tree. */
const pagesMin = 2

/** The header with the page size that the pages show; null if nothing looks like pages. */
export function guessHeader(path: string): DatabaseHeader | null {
  const file = openSync(path, 'r')
  try {
    const bytes = new Uint8Array(Math.min(searchedBytesMax, fstatSync(file).size))
    const begin = bytes.subarray(0, readSync(file, bytes, 0, bytes.length, 0))
    const pageSize = pageSizeOf(begin)
    return pageSize === null ? null : patchedHeader(begin.subarray(0, 100), pageSize)
  } finally {
    closeSync(file)
  }
}

/** The size by which most of the file consists of pages. */
function pageSizeOf(bytes: Uint8Array): number | null {
  let best: { readonly pageSize: number; readonly covered: number } | null = null
  for (let pageSize = 65_536; pageSize >= 512; pageSize /= 2) {
    let pages = 0
    for (let at = pageSize; at + pageSize <= bytes.length; at += pageSize)
      if (isLikePage(bytes.subarray(at, at + pageSize))) pages++
    const covered = pages * pageSize
    if (pages >= pagesMin && (best === null || covered > best.covered)) best = { pageSize, covered }
  }
  return best?.pageSize ?? null
}

/** SQLite fills a page from its end: in a larger page than the true one, no cell would lie in the second half. */
function isLikePage(page: Uint8Array): boolean {
  const type = page[0] ?? 0
  if (type !== 2 && type !== 5 && type !== 10 && type !== 13) return false
  const cellCount = read16(page, 3)
  const content = read16(page, 5) || 65_536
  const pointers = type === 2 || type === 5 ? 12 : 8
  if (cellCount === 0 || pointers + 2 * cellCount > content || content >= page.length || (page[7] ?? 0) > 60)
    return false
  let highest = 0
  for (let i = 0; i < cellCount; i++) {
    const at = read16(page, pointers + 2 * i)
    if (at < content || at > page.length - 4) return false
    highest = Math.max(highest, at)
  }
  return highest >= page.length / 2
}

/** What else the header says is kept, if it is one. */
function patchedHeader(first100: Uint8Array, pageSize: number): DatabaseHeader | null {
  const isHeader = startsWith(first100, magic) || isHeaderBehindMagic(first100)
  const bytes = isHeader ? first100.slice() : new Uint8Array(100)
  bytes.set(magic)
  bytes[16] = pageSize === 65_536 ? 0 : pageSize >> 8
  bytes[17] = pageSize === 65_536 ? 1 : 0
  bytes.set([64, 32, 32], 21)
  if (!isHeader) {
    bytes.set([1, 1], 18)
    bytes.set([0xff, 0xff, 0xff, 0xff], 32) // No page: what the free list has is not known.
  }
  const reading = readHeader(bytes)
  return reading.kind === 'header' || reading.kind === 'wrong' ? reading.header : null
}

/** True if only the first bytes were overwritten. */
const isHeaderBehindMagic = (bytes: Uint8Array): boolean =>
  bytes[21] === 64 && bytes[22] === 32 && bytes[23] === 32 && isZero(bytes.subarray(72, 92))
