/** The surgeon: opens a closed database file and wounds it, one wound at a time, by page and cell arithmetic. */

import { closeSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs'
import Database from 'better-sqlite3'
import { read16, read32 } from '../../../src/sqlite/bytes.ts'
import { readCell } from '../../../src/sqlite/cell.ts'
import { readHeader } from '../../../src/sqlite/header.ts'
import type { DatabaseHeader } from '../../../src/sqlite/header.ts'
import { pointerMapEntryOffset, pointerMapPageFor } from '../../../src/sqlite/page-layout.ts'
import type { PageLayout } from '../../../src/sqlite/page-layout.ts'
import { cellOffset, headerOffset, readPage } from '../../../src/sqlite/page.ts'
import type { BTreePage } from '../../../src/sqlite/page.ts'

/** An open database file, whose pages can be read and written. Disposing closes it. */
export class EditableDatabase implements Disposable {
  readonly path: string
  readonly roots: ReadonlyMap<string, number>
  readonly header: DatabaseHeader
  readonly layout: PageLayout
  readonly #file: number

  constructor(path: string) {
    this.path = path
    const db = new Database(path, { readonly: true })
    this.roots = new Map(
      db.prepare('SELECT name, rootpage FROM sqlite_schema WHERE rootpage > 0').raw().all() as [string, number][],
    )
    db.close()
    this.#file = openSync(path, 'r+')
    const first = Buffer.alloc(100)
    readSync(this.#file, first, 0, 100, 0)
    const reading = readHeader(first)
    if (reading.kind !== 'header') throw new Error(`${path} is no healthy database`)
    this.header = reading.header
    this.layout = {
      pageSize: this.header.pageSize,
      usable: this.header.pageSize - this.header.reservedBytes,
      autoVacuum: this.header.largestRoot > 0,
    }
  }

  get bytes(): number {
    return fstatSync(this.#file).size
  }

  read(page: number): Buffer {
    const bytes = Buffer.alloc(this.layout.pageSize)
    readSync(this.#file, bytes, 0, bytes.length, (page - 1) * bytes.length)
    return bytes
  }

  write(page: number, bytes: Uint8Array): void {
    writeSync(this.#file, bytes, 0, bytes.length, (page - 1) * this.layout.pageSize)
  }

  /** Changes the bytes of a page in place. */
  edit(page: number, change: (bytes: Buffer, bTree: BTreePage) => void): void {
    const bytes = this.read(page)
    const bTree = readPage(bytes, page, this.layout)
    if (bTree.kind !== 'b-tree') throw new Error(`page ${page} is no b-tree page`)
    change(bytes, bTree)
    this.write(page, bytes)
  }

  writeAt(offset: number, bytes: readonly number[]): void {
    writeSync(this.#file, Buffer.from(bytes), 0, bytes.length, offset)
  }

  write32At(offset: number, number: number): void {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32BE(number)
    writeSync(this.#file, bytes, 0, 4, offset)
  }

  truncate(bytes: number): void {
    ftruncateSync(this.#file, bytes)
  }

  root(name: string): number {
    const root = this.roots.get(name)
    if (root === undefined) throw new Error(`no object ${name}`)
    return root
  }

  bTree(page: number): BTreePage {
    const bTree = readPage(this.read(page), page, this.layout)
    if (bTree.kind !== 'b-tree') throw new Error(`page ${page} is no b-tree page`)
    return bTree
  }

  children(page: number): readonly number[] {
    const bytes = this.read(page)
    const bTree = this.bTree(page)
    if (bTree.leaf) return []
    return [
      ...Array.from({ length: bTree.cellCount }, (_, i) => read32(bytes, cellOffset(bytes, bTree, i))),
      bTree.rightChild,
    ]
  }

  /** Pages of a tree, in key order, without overflow. */
  pages(name: string): readonly number[] {
    const under = (page: number): readonly number[] => [page, ...this.children(page).flatMap(under)]
    return under(this.root(name))
  }

  /** A leaf from the middle of the tree. */
  leaf(name: string): number {
    const leaves = this.pages(name).filter((page) => this.bTree(page).leaf)
    return leaves[Math.floor(leaves.length / 2)] ?? this.root(name)
  }

  /** An overflow chain with at least so many pages: its first page, and the byte offset in the file of its pointer. */
  chain(name: string, pages: number): { readonly first: number; readonly pointer: number } {
    for (const page of this.pages(name)) {
      const bytes = this.read(page)
      const bTree = this.bTree(page)
      for (let i = 0; i < bTree.cellCount; i++) {
        const cell = readCell(bytes, cellOffset(bytes, bTree, i), bTree, this.layout)
        if (cell.kind !== 'cell' || cell.overflow === 0) continue
        if (cell.payloadBytes - cell.localBytes <= (pages - 1) * (this.layout.usable - 4)) continue
        return { first: cell.overflow, pointer: (page - 1) * this.layout.pageSize + cell.payload + cell.localBytes }
      }
    }
    throw new Error(`${name} has no chain of ${pages} pages`)
  }

  next(page: number): number {
    return read32(this.read(page), 0)
  }

  [Symbol.dispose](): void {
    closeSync(this.#file)
  }
}

/**
 * Removes a cell from a leaf as SQLite does: its pointer goes, and its bytes become a freeblock. Only for pages without
 * freeblocks.
 */
export function dropCell(database: EditableDatabase, page: number, i: number): void {
  database.edit(page, (bytes, bTree) => {
    const header = headerOffset(page)
    if (read16(bytes, header + 1) !== 0) throw new Error(`page ${page} has freeblocks`)
    const at = cellOffset(bytes, bTree, i)
    const length = cellBytes(bytes, at, bTree, database.layout)
    for (let k = i; k < bTree.cellCount - 1; k++)
      bytes.writeUInt16BE(cellOffset(bytes, bTree, k + 1), bTree.pointers + 2 * k)
    bytes.writeUInt16BE(bTree.cellCount - 1, header + 3)
    if (at === bTree.content) {
      bytes.writeUInt16BE((at + length) % 65_536, header + 5)
      return
    }
    bytes.writeUInt16BE(at, header + 1)
    bytes.writeUInt16BE(0, at)
    bytes.writeUInt16BE(length, at + 2)
  })
}

/** Bytes that a cell occupies in its page. */
function cellBytes(bytes: Buffer, at: number, bTree: BTreePage, layout: PageLayout): number {
  const cell = readCell(bytes, at, bTree, layout)
  if (cell.kind !== 'cell') throw new Error(cell.why)
  return Math.max(4, cell.payload + cell.localBytes + (cell.overflow > 0 ? 4 : 0) - at)
}

/** Byte offset in the page of the values of a cell's record, which follow the header of the record. */
export function recordBody(database: EditableDatabase, page: number, i: number): number {
  const bytes = database.read(page)
  const bTree = database.bTree(page)
  const cell = readCell(bytes, cellOffset(bytes, bTree, i), bTree, database.layout)
  if (cell.kind !== 'cell') throw new Error(cell.why)
  return cell.payload + (bytes[cell.payload] ?? 0)
}

/** Sets what the pointer map says of a page. */
export function setPointerMap(database: EditableDatabase, page: number, type: number, parent: number): void {
  const map = pointerMapPageFor(database.layout, page)
  const at = (map - 1) * database.layout.pageSize + pointerMapEntryOffset(database.layout, page)
  database.writeAt(at, [type])
  database.write32At(at + 1, parent)
}
