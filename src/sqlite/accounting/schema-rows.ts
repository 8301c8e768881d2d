/** Rows of sqlite_schema, read from its own pages: which trees there are must be known even where SQLite refuses the file (SQLite file format, section 2.6). */
import type { FoundObject } from '../../model/finding.ts'
import { cellOffset, readPage } from '../page.ts'
import { readCell } from '../cell.ts'
import type { PageLayout } from '../page-layout.ts'
import { read32 } from '../bytes.ts'
import { readRecord } from '../record.ts'
import type { Value } from '../record.ts'

export interface SchemaRow {
  readonly type: string
  readonly name: string
  readonly table: string
  /** 0 where the object has no b-tree: views, triggers, virtual tables. */
  readonly root: number
}

export type SchemaPage = { readonly rows: readonly SchemaRow[]; readonly malformed: readonly string[] }

/** Bytes of a schema row that are read: type, names and root page come first, the SQL behind them is of no interest here. */
const rowBytesMax = 1 << 18
const columnsRead = 4

/**
 * Reads the rows of one leaf of the schema's tree.
 * @param readNext gives the overflow page of that number, or null where it cannot be read
 */
export function readSchemaPage(bytes: Uint8Array, pageNumber: number, layout: PageLayout, encoding: number, readNext: (page: number) => Uint8Array | null): SchemaPage {
  const page = readPage(bytes, pageNumber, layout)
  if (page.kind === 'unreadable' || !page.leaf || page.tree !== 'table') return { rows: [], malformed: [] }
  const rows: SchemaRow[] = []
  const malformed: string[] = []
  for (let i = 0; i < page.cellCount; i++) {
    const cell = readCell(bytes, cellOffset(bytes, page, i), page, layout)
    if (cell.kind === 'wrong') continue // The tree walk says so.
    const local = bytes.slice(cell.payload, cell.payload + cell.localBytes)
    const record = readRecord(wholePayload(local, cell.payloadBytes, cell.overflow, layout, readNext), columnsRead)
    const row = record.kind === 'record' ? rowOf(record.values, encoding) : record.why
    if (typeof row === 'string') malformed.push(`row ${i} of page ${pageNumber}: ${row}`)
    else rows.push(row)
  }
  return { rows, malformed }
}

/** As much of the payload as is needed, or as its overflow chain gives: a hostile length must not take memory that no page stands for. */
function wholePayload(local: Uint8Array, payloadBytes: number, overflow: number, layout: PageLayout, readNext: (page: number) => Uint8Array | null): Uint8Array {
  const wanted = Math.min(payloadBytes, rowBytesMax)
  if (local.length >= wanted) return local
  const pieces = [local]
  let bytes = local.length
  let next = overflow
  while (bytes < wanted && next !== 0) {
    const page = readNext(next)
    if (page === null) break
    pieces.push(page.subarray(4, Math.min(layout.usable, 4 + payloadBytes - bytes)))
    bytes += pieces.at(-1)?.length ?? 0
    next = read32(page, 0)
  }
  const whole = new Uint8Array(bytes)
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}

function rowOf(values: readonly Value[], encoding: number): SchemaRow | string {
  const [type, name, table, root] = values
  if (type?.kind !== 'text' || name?.kind !== 'text' || table?.kind !== 'text') return 'type, name or table is no text'
  if (root?.kind === 'null' || root === undefined) return { type: text(type.bytes, encoding), name: text(name.bytes, encoding), table: text(table.bytes, encoding), root: 0 }
  if (root.kind !== 'integer') return 'the root page is no integer'
  if (root.value < 0n || root.value > 0xffff_ffffn) return `the root page is ${root.value}`
  return { type: text(type.bytes, encoding), name: text(name.bytes, encoding), table: text(table.bytes, encoding), root: Number(root.value) }
}

function text(bytes: Uint8Array, encoding: number): string {
  return new TextDecoder(encoding === 2 ? 'utf-16le' : encoding === 3 ? 'utf-16be' : 'utf-8').decode(bytes)
}

export const schemaObject: FoundObject = { kind: 'schema', name: 'sqlite_schema', table: null }

export const objectOfRow = (row: SchemaRow): FoundObject =>
  row.type === 'index' ? { kind: 'index', name: row.name, table: row.table } : { kind: 'table', name: row.name, table: row.name }
