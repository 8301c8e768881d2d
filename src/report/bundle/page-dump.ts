/**
 * A damaged page as text: its header and its cell pointers decoded, then its bytes. Contents of rows are masked unless
 * they were asked for. Pure, and bounded for any bytes.
 */
import { Buffer } from 'node:buffer'
import type { DamagedPage } from '../../model/result/page-map.ts'
import { isZero, read16, read32 } from '../../sqlite/bytes.ts'
import { readCell } from '../../sqlite/cell.ts'
import { readHeader } from '../../sqlite/header.ts'
import type { PageLayout } from '../../sqlite/page-layout.ts'
import { cellOffset, headerOffset, readPage, type BTreePage } from '../../sqlite/page.ts'
import { varintBytes, varintRowid } from '../../sqlite/varint.ts'
import { count } from '../../text/count.ts'
import { printable } from '../../text/printable.ts'

const bytesPerLine = 16
/** The beginning of a page of another kind, such as the number of the next page. */
const pointerBytes = 8
const cellsShownMax = 2_000

/** @param first the first page of the file; null if it is not known */
export function layoutOfFile(first: Uint8Array | null, pageSize: number): PageLayout {
  const reading = first === null ? null : readHeader(first.subarray(0, 100))
  const header = reading !== null && 'header' in reading ? reading.header : null
  return { pageSize, usable: pageSize - (header?.reservedBytes ?? 0), autoVacuum: (header?.largestRoot ?? 0) > 0 }
}

/**
 * The page as it is kept. Of a page that only leads to damage, or has the header, its structure is enough. What may be
 * contents of rows is replaced by zeroes. A page that is damaged itself is kept whole, because its bytes are what shows
 * which program wrote them.
 * @param first the first page of the file; null if it is not known
 */
export function pageToKeep(page: DamagedPage, first: Uint8Array | null): DamagedPage {
  if (!page.why.every(isBeside)) return page
  const bytes = Buffer.from(page.bytes, 'base64')
  const layout = layoutOfFile(first, page.pageSize)
  const shown = structuralBytes(bytes, page.page, readPage(bytes, page.page, layout), layout)
  return {
    ...page,
    bytes: Buffer.from(bytes.map((byte, at) => (shown[at] === 1 ? byte : 0))).toString('base64'),
    masked: true,
  }
}

/** The reasons of pages that are not damaged themselves. */
const isBeside = (why: string): boolean => why === 'header' || why.startsWith('leads to page ')

/** @param contents false: bytes that may be contents of rows are masked */
export function dumpPage(page: DamagedPage, bytes: Uint8Array, layout: PageLayout, contents: boolean): string {
  const tree = readPage(bytes, page.page, layout)
  const shown = contents && page.masked !== true ? null : structuralBytes(bytes, page.page, tree, layout)
  return `${[
    `page      ${page.page}`,
    `tenant    ${page.tenant === null ? '-' : printable(page.tenant)}`,
    `file      ${printable(page.path)}`,
    `bytes     ${bytes.length}${bytes.length < page.pageSize ? ` of ${page.pageSize}: the file ends there` : ''}`,
    `kept for  ${page.why.map(printable).join(', ')}`,
    ...(isZero(bytes) ? ['all bytes are zero'] : []),
    '',
    ...(page.page === 1 ? [...headerLines(bytes), ''] : []),
    ...(tree.kind === 'b-tree' ? treeLines(bytes, page.page, tree, layout) : otherLines(bytes, tree.why)),
    '',
    page.masked === true
      ? 'Bytes. ".." was not kept: it may be contents of rows, and the page is not damaged itself.'
      : contents
        ? 'Bytes:'
        : 'Bytes. ".." is masked: it may be contents of rows.',
    ...hexLines(bytes, shown),
  ].join('\n')}\n`
}

function headerLines(bytes: Uint8Array): readonly string[] {
  const reading = readHeader(bytes.subarray(0, 100))
  const why = reading.kind === 'wrong' ? [`the header of the database is wrong: ${reading.why}`] : []
  if (!('header' in reading) || reading.header === null)
    return why.length > 0 ? why : ['the file does not begin with a header of SQLite']
  return [
    'Header of the database:',
    ...why.map((one) => `  ${one}`),
    ...Object.entries(reading.header).map(([field, value]) => `  ${field.padEnd(20)} ${String(value)}`),
  ]
}

function treeLines(bytes: Uint8Array, number: number, page: BTreePage, layout: PageLayout): readonly string[] {
  const at = headerOffset(number)
  const cells = Array.from({ length: Math.min(page.cellCount, cellsShownMax) }, (_, i) =>
    cellLine(bytes, i, cellOffset(bytes, page, i), page, layout),
  )
  return [
    `B-tree page: ${page.leaf ? 'leaf' : 'interior page'} of ${page.tree === 'table' ? 'a table' : 'an index'}`,
    `  cells                ${page.cellCount}`,
    `  content begins at    ${page.content}`,
    `  first free block     ${read16(bytes, at + 1)}`,
    `  fragmented bytes     ${bytes[at + 7] ?? 0}`,
    ...(page.leaf ? [] : [`  right child          ${page.rightChild}`]),
    '  cell  at byte  ',
    ...cells,
  ]
}

function cellLine(bytes: Uint8Array, i: number, at: number, page: BTreePage, layout: PageLayout): string {
  const label = `  ${String(i).padStart(4)}  ${String(at).padStart(7)}  `
  const cell = readCell(bytes, at, page, layout)
  if (cell.kind === 'wrong') return `${label}WRONG: ${cell.why}`
  return (
    label +
    [
      ...(page.leaf ? [] : [`left child ${cell.leftChild}`]),
      ...(page.tree === 'table' ? [`rowid ${rowidOf(bytes, at, page)}`] : []),
      ...(page.tree === 'index' || page.leaf
        ? [`payload of ${count(cell.payloadBytes, 'byte')}, ${cell.localBytes} in this page`]
        : []),
      ...(cell.overflow === 0 ? [] : [`goes on at page ${cell.overflow}`]),
    ].join(', ')
  )
}

function rowidOf(bytes: Uint8Array, at: number, page: BTreePage): string {
  const start = page.leaf ? at + varintBytes(bytes, at) : at + 4
  return String(varintRowid(bytes, start))
}

const otherLines = (bytes: Uint8Array, why: string): readonly string[] => [
  `No b-tree page: it ${why}.`,
  'Were it a page of the free list or of an overflow chain, it would begin with these numbers:',
  `  next page            ${read32(bytes, 0)}`,
  `  leaves, or contents  ${read32(bytes, 4)}`,
]

/** True for each byte that is structure: headers, pointers, lengths and rowids. */
function structuralBytes(
  bytes: Uint8Array,
  number: number,
  page: ReturnType<typeof readPage>,
  layout: PageLayout,
): Uint8Array {
  const shown = new Uint8Array(bytes.length)
  const show = (from: number, to: number): void => {
    shown.fill(1, Math.max(0, from), Math.min(bytes.length, to))
  }
  if (number === 1) show(0, 100)
  if (page.kind !== 'b-tree') {
    show(headerOffset(number), headerOffset(number) + pointerBytes)
    return shown
  }
  show(headerOffset(number), page.pointers + 2 * page.cellCount)
  for (let i = 0; i < page.cellCount; i++) {
    const at = cellOffset(bytes, page, i)
    const cell = readCell(bytes, at, page, layout)
    if (cell.kind === 'wrong') continue
    show(at, cell.payload)
    if (cell.overflow !== 0) show(cell.payload + cell.localBytes, cell.payload + cell.localBytes + 4)
  }
  return shown
}

/** @param shown null: all bytes are shown */
function hexLines(bytes: Uint8Array, shown: Uint8Array | null): readonly string[] {
  const lines: string[] = []
  let zeroFrom: number | null = null
  const endZeroes = (to: number): void => {
    if (zeroFrom !== null) lines.push(`${offset(zeroFrom)}  zero up to byte ${to - 1}`)
    zeroFrom = null
  }
  for (let at = 0; at < bytes.length; at += bytesPerLine) {
    const line = bytes.subarray(at, at + bytesPerLine)
    if (isZero(line)) {
      zeroFrom ??= at
      continue
    }
    endZeroes(at)
    const hex = Array.from(line, (byte, i) =>
      shown === null || shown[at + i] === 1 ? byte.toString(16).padStart(2, '0') : '..',
    )
    lines.push(`${offset(at)}  ${hex.join(' ')}`)
  }
  endZeroes(bytes.length)
  return lines
}

const offset = (at: number): string => at.toString(16).padStart(5, '0')
