/**
 * Reads the rows of sqlite_schema from its pages (sqlite.org/fileformat2.html, section 2.6). The trees of a file must
 * be known even if SQLite refuses the file.
 */

import type { FoundObject } from '../../model/result/finding.ts'
import { read32 } from '../bytes.ts'
import { readCell } from '../cell.ts'
import type { ColumnValue } from '../column-value.ts'
import type { PageLayout } from '../page-layout.ts'
import { cellOffset, readPage } from '../page.ts'
import { readRecord, valueBytes } from '../record.ts'
import { varintBytes, varintNumber } from '../varint.ts'

export interface SchemaPageRow {
  readonly type: string
  readonly name: string
  readonly table: string
  /** 0 if the object has no b-tree: a view, a trigger, a virtual table. */
  readonly root: number
}

type SchemaPage = { readonly rows: readonly SchemaPageRow[]; readonly malformed: readonly string[] }

/** Type, names and root page come first. The SQL behind them is not needed here. */
const columnsRead = 4

/**
 * Reads the rows of one leaf of the schema's tree.
 * @param readNext reads an overflow page; null if it cannot be read
 */
export function readSchemaPage(
  bytes: Uint8Array,
  pageNumber: number,
  layout: PageLayout,
  encoding: number,
  readNext: (page: number) => Uint8Array | null,
): SchemaPage {
  const page = readPage(bytes, pageNumber, layout)
  if (page.kind === 'unreadable' || !page.leaf || page.tree !== 'table') return { rows: [], malformed: [] }
  const rows: SchemaPageRow[] = []
  const malformed: string[] = []
  for (let i = 0; i < page.cellCount; i++) {
    const cell = readCell(bytes, cellOffset(bytes, page, i), page, layout)
    if (cell.kind === 'wrong') continue // The tree walk reports it.
    const local = bytes.slice(cell.payload, cell.payload + cell.localBytes)
    const payload = new Payload(local, cell.payloadBytes, cell.overflow, layout, readNext)
    const record = readRecord(payload.first(bytesOf(payload)), columnsRead)
    // An unreadable page does not make the row malformed. The tree walk has counted the page as unread.
    if (payload.unread) continue
    const row = record.kind === 'record' ? rowOf(record.values, encoding) : record.why
    if (typeof row === 'string') malformed.push(`row ${i} of page ${pageNumber}: ${row}`)
    else rows.push(row)
  }
  return { rows, malformed }
}

/** A header of five serial types, each a varint. */
const headerBytesMax = 64

/** Number of bytes that the header and the first columns of a record take. Names may have any length. */
function bytesOf(payload: Payload): number {
  const header = payload.first(headerBytesMax)
  const headerBytes = varintNumber(header, 0)
  let bytes = headerBytes
  for (
    let at = varintBytes(header, 0), column = 0;
    column < columnsRead && at < Math.min(headerBytes, header.length);
    column++
  ) {
    const serialType = varintNumber(header, at)
    at += varintBytes(header, at)
    bytes += valueBytes(serialType) ?? 0
  }
  return bytes
}

/**
 * A payload that is read from its overflow chain only as far as the caller asks for. It takes memory only for pages
 * that are there: the length in a hostile file may be anything.
 */
class Payload {
  readonly #bytes: number
  readonly #layout: PageLayout
  readonly #readNext: (page: number) => Uint8Array | null
  readonly #pieces: Uint8Array[]
  /** Pages of the chain so far. A page that comes again is not followed: the chain would never end. */
  readonly #seen = new Set<number>()
  #filled: number
  #next: number
  /** True if a page of it could not be read. */
  unread = false

  constructor(
    local: Uint8Array,
    bytes: number,
    overflow: number,
    layout: PageLayout,
    readNext: (page: number) => Uint8Array | null,
  ) {
    this.#bytes = bytes
    this.#layout = layout
    this.#readNext = readNext
    this.#pieces = [local]
    this.#filled = local.length
    this.#next = overflow
  }

  first(bytes: number): Uint8Array {
    const wanted = Math.min(bytes, this.#bytes)
    while (this.#filled < wanted && this.#next !== 0 && !this.#seen.has(this.#next)) {
      this.#seen.add(this.#next)
      const page = this.#readNext(this.#next)
      if (page === null) {
        this.unread = true
        break
      }
      const piece = page.subarray(4, Math.min(this.#layout.usable, 4 + this.#bytes - this.#filled))
      this.#pieces.push(piece)
      this.#filled += piece.length
      this.#next = read32(page, 0)
    }
    return Buffer.concat(this.#pieces)
  }
}

function rowOf(values: readonly ColumnValue[], encoding: number): SchemaPageRow | string {
  const [type, name, table, root] = values
  if (type?.kind !== 'text' || name?.kind !== 'text' || table?.kind !== 'text') return 'type, name or table is no text'
  if (root?.kind === 'null' || root === undefined)
    return {
      type: text(type.bytes, encoding),
      name: text(name.bytes, encoding),
      table: text(table.bytes, encoding),
      root: 0,
    }
  if (root.kind !== 'integer') return 'the root page is no integer'
  if (root.value < 0n || root.value > 0xffff_ffffn) return `the root page is ${root.value}`
  return {
    type: text(type.bytes, encoding),
    name: text(name.bytes, encoding),
    table: text(table.bytes, encoding),
    root: Number(root.value),
  }
}

function text(bytes: Uint8Array, encoding: number): string {
  return new TextDecoder(encoding === 2 ? 'utf-16le' : encoding === 3 ? 'utf-16be' : 'utf-8').decode(bytes)
}

export const schemaObject: FoundObject = { kind: 'schema', name: 'sqlite_schema', table: null }

export const objectOfRow = (row: SchemaPageRow): FoundObject =>
  row.type === 'index'
    ? { kind: 'index', name: row.name, table: row.table }
    : { kind: 'table', name: row.name, table: row.name }
