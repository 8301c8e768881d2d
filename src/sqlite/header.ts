/**
 * The database header: the first 100 bytes of page 1 (sqlite.org/fileformat2.html, section 1.3). Offsets of its fields:
 *
 *  0 magic                         28 page count                     60 user version
 * 16 page size                     32 first free-list trunk          64 incremental vacuum
 * 18 write version                 36 free pages                     68 application id
 * 19 read version                  40 schema cookie                  72 twenty zero bytes
 * 20 reserved bytes                44 schema format                  92 version valid for
 * 21 payload fractions 64 32 32    52 largest root (auto-vacuum)     96 SQLite version
 * 24 change counter                56 text encoding
 */

import { count } from '../text/count.ts'
import { isZero, read16, read32, startsWith } from './bytes.ts'

export interface DatabaseHeader {
  /** Bytes, a power of two from 512 to 65536. */
  readonly pageSize: number
  /** Bytes at the end of each page that SQLite leaves to extensions. */
  readonly reservedBytes: number
  /** 1: rollback journal, 2: WAL. SQLite knows no others. */
  readonly writeVersion: number
  readonly readVersion: number
  readonly changeCounter: number
  /** What the header says. Trust it only if `pageCountValid` is true. */
  readonly pageCount: number
  /** False if a SQLite older than 3.7 wrote last. The size of the file then counts (section 1.3.7). */
  readonly pageCountValid: boolean
  readonly freelistTrunk: number
  readonly freelistCount: number
  readonly schemaCookie: number
  /** 1 to 4; 0 if no object was ever created. */
  readonly schemaFormat: number
  /** 1 UTF-8, 2 UTF-16le, 3 UTF-16be; 0 if no object was ever created. */
  readonly textEncoding: number
  /** Above 0 in an auto-vacuum file, which has pointer-map pages. */
  readonly largestRoot: number
  readonly userVersion: number
  readonly incrementalVacuum: number
  readonly applicationId: number
  readonly versionValidFor: number
  /** As SQLITE_VERSION_NUMBER: 3054001 for 3.54.1. */
  readonly sqliteVersion: number
}

export type HeaderParseResult =
  | { readonly kind: 'header'; readonly header: DatabaseHeader }
  | { readonly kind: 'empty' }
  | { readonly kind: 'not-sqlite' }
  /** The magic is right, but SQLite would refuse the rest. `header` is null if the page size is impossible. */
  | {
      readonly kind: 'wrong'
      readonly header: DatabaseHeader | null
      readonly why: string
      readonly unknown: UnknownFormat | null
    }

/** Which format of the header is unknown, if nothing else is wrong with it. */
type UnknownFormat = 'reading' | 'writing' | 'schema' | 'encoding'

/** 'SQLite format 3\0' */
export const magic = [
  0x53, 0x51, 0x4c, 0x69, 0x74, 0x65, 0x20, 0x66, 0x6f, 0x72, 0x6d, 0x61, 0x74, 0x20, 0x33, 0x00,
] as const

/** @param first100 the first 100 bytes of the file, or all bytes of a shorter file */
export function readHeader(first100: Uint8Array): HeaderParseResult {
  if (first100.length === 0) return { kind: 'empty' }
  if (!startsWith(first100, magic)) return { kind: 'not-sqlite' }
  if (first100.length < 100)
    return {
      kind: 'wrong',
      header: null,
      why: `the file ends after ${count(first100.length, 'byte')}, inside the header`,
      unknown: null,
    }
  const written = read16(first100, 16)
  const pageSize = written === 1 ? 65_536 : written
  if (pageSize < 512 || (pageSize & (pageSize - 1)) !== 0)
    return {
      kind: 'wrong',
      header: null,
      why: `page size ${written} is no power of two from 512 to 65536`,
      unknown: null,
    }
  const header = decode(first100, pageSize)
  const why = refusal(header, first100)
  if (why !== null) return { kind: 'wrong', header, why, unknown: null }
  return unknownFormat(header) ?? { kind: 'header', header }
}

/** SQLite takes a file of one byte as empty: on some file systems it writes one byte into a new file. */
export const isEmptyDatabase = (fileBytes: number): boolean => fileBytes <= 1

function decode(bytes: Uint8Array, pageSize: number): DatabaseHeader {
  const changeCounter = read32(bytes, 24)
  const pageCount = read32(bytes, 28)
  const versionValidFor = read32(bytes, 92)
  return {
    pageSize,
    reservedBytes: bytes[20] ?? 0,
    writeVersion: bytes[18] ?? 0,
    readVersion: bytes[19] ?? 0,
    changeCounter,
    pageCount,
    pageCountValid: pageCount > 0 && changeCounter === versionValidFor,
    freelistTrunk: read32(bytes, 32),
    freelistCount: read32(bytes, 36),
    schemaCookie: read32(bytes, 40),
    schemaFormat: read32(bytes, 44),
    largestRoot: read32(bytes, 52),
    textEncoding: read32(bytes, 56),
    userVersion: read32(bytes, 60) | 0,
    incrementalVacuum: read32(bytes, 64),
    applicationId: read32(bytes, 68),
    versionValidFor,
    sqliteVersion: read32(bytes, 96),
  }
}

/** Why SQLite would refuse this header, or would silently misread it; null if the header is right. */
function refusal(header: DatabaseHeader, bytes: Uint8Array): string | null {
  if (header.readVersion < 1) return 'read version 0 is neither 1 nor 2'
  if (header.writeVersion < 1) return 'write version 0 is neither 1 nor 2'
  if (header.pageSize - header.reservedBytes < 480)
    return `${header.reservedBytes} reserved bytes leave less than 480 of a page`
  if (bytes[21] !== 64 || bytes[22] !== 32 || bytes[23] !== 32)
    return `payload fractions are ${bytes[21]}, ${bytes[22]}, ${bytes[23]} instead of 64, 32, 32`
  if (header.largestRoot === 0 && header.incrementalVacuum !== 0) return 'incremental vacuum is on without auto-vacuum'
  return null
}

function unknownFormat(header: DatabaseHeader): HeaderParseResult | null {
  const unknown = (format: UnknownFormat, why: string): HeaderParseResult => ({
    kind: 'wrong',
    header,
    why,
    unknown: format,
  })
  if (header.readVersion > 2) return unknown('reading', `read version ${header.readVersion} is neither 1 nor 2`)
  if (header.writeVersion > 2) return unknown('writing', `write version ${header.writeVersion} is neither 1 nor 2`)
  if (header.schemaFormat > 4) return unknown('schema', `schema format ${header.schemaFormat} is not known`)
  // SQLite reads the two lowest bits only, and so silently takes 5 for UTF-8.
  return header.textEncoding > 3 ? unknown('encoding', `text encoding ${header.textEncoding} is none of 1 to 3`) : null
}

const pageTypes = new Set([2, 5, 10, 13])

/**
 * True if b-tree pages lie behind a beginning that is not a SQLite header. The file is then a damaged database, and not
 * a file of another kind.
 *
 * It is conservative. At one page size, at least two pages must have a plausible b-tree page header, and a quarter of
 * all pages that are not zero. That of page 1 lies behind the 100 bytes, and may be whole.
 * @param bytes the first few hundred KB of the file
 */
export function looksLikePages(bytes: Uint8Array): boolean {
  for (let pageSize = 512; pageSize <= 65_536; pageSize *= 2) {
    let plausible = Number(isPlausiblePage(bytes.subarray(0, pageSize), 100))
    let checked = plausible
    for (let at = pageSize; at + pageSize <= bytes.length; at += pageSize) {
      const page = bytes.subarray(at, at + pageSize)
      if (isZero(page)) continue
      checked++
      if (isPlausiblePage(page)) plausible++
    }
    if (plausible >= 2 && plausible * 4 >= checked) return true
  }
  return false
}

/**
 * True for a b-tree page header with cells, whose pointers lead into the cell content area and to different bytes
 * (section 1.6).
 */
function isPlausiblePage(page: Uint8Array, from = 0): boolean {
  const type = page[from] ?? 0
  if (!pageTypes.has(type)) return false
  const cellCount = read16(page, from + 3)
  const content = read16(page, from + 5) || 65_536
  const pointers = from + (type === 2 || type === 5 ? 12 : 8)
  if (cellCount === 0 || pointers + 2 * cellCount > content || content >= page.length || (page[from + 7] ?? 0) > 60)
    return false
  const seen = new Set<number>()
  for (let i = 0; i < cellCount; i++) {
    const at = read16(page, pointers + 2 * i)
    if (at < content || at > page.length - 4 || seen.has(at)) return false
    seen.add(at)
  }
  return true
}
