/**
 * Shows whether only the indexes of a database are wrong. Gives indexes of a copy new, empty trees at the end of the
 * file, and lets SQLite fill them from their tables. What SQLite still reports is not the fault of the indexes.
 *
 * The old trees stay as they are, and their pages are then unused. The free list is emptied in the header, because a
 * broken one would be in the way.
 */

import { closeSync, copyFileSync, fstatSync, openSync, readFileSync, readSync, writeSync } from 'node:fs'
import Database from 'better-sqlite3'
import { quoteName } from '../../../src/check/reader/sqlite/open-database.ts'
import { readHeader } from '../../../src/sqlite/header.ts'
import type { DatabaseHeader } from '../../../src/sqlite/header.ts'
import {
  isPointerMapPage,
  lockBytePage,
  pointerMapEntryOffset,
  pointerMapPageFor,
} from '../../../src/sqlite/page-layout.ts'
import type { PageLayout } from '../../../src/sqlite/page-layout.ts'
import { removeDatabase } from './create-database.ts'

type RebuildResult = { readonly kind: 'rebuilt' } | { readonly kind: 'not-possible'; readonly why: string }

/** Makes `copy` from the database at `path`. The caller removes it. */
export function rebuildIndexes(path: string, copy: string, indexes: readonly string[]): RebuildResult {
  removeDatabase(copy)
  copyFileSync(path, copy)
  const reading = readHeader(readFileSync(copy).subarray(0, 100))
  if (reading.kind !== 'header') return { kind: 'not-possible', why: 'the header is wrong' }
  const roots = appendEmptyTrees(copy, reading.header, indexes.length)
  try {
    pointTo(copy, new Map(indexes.map((name, i) => [name, roots[i] ?? 0])))
    const db = new Database(copy)
    try {
      for (const name of indexes) db.exec(`REINDEX ${quoteName(name)}`)
      return { kind: 'rebuilt' }
    } finally {
      db.close()
    }
  } catch (error) {
    if (error instanceof Database.SqliteError) return { kind: 'not-possible', why: error.message }
    throw error
  }
}

/** Appends an index without entries for each. @returns their root pages */
function appendEmptyTrees(path: string, header: DatabaseHeader, count: number): readonly number[] {
  const { pageSize, reservedBytes } = header
  const usable = pageSize - reservedBytes
  const layout: PageLayout = { pageSize, usable, autoVacuum: header.largestRoot > 0 }
  const empty = Buffer.alloc(pageSize)
  empty[0] = 10
  empty.writeUInt16BE(usable % 65_536, 5)
  const file = openSync(path, 'r+')
  try {
    const roots: number[] = []
    let pages = Math.ceil(fstatSync(file).size / pageSize)
    while (roots.length < count) {
      const page = ++pages
      if (page === lockBytePage(layout)) continue
      const isMap = isPointerMapPage(layout, page)
      writeSync(file, isMap ? Buffer.alloc(pageSize) : empty, 0, pageSize, (page - 1) * pageSize)
      if (isMap) continue
      roots.push(page)
      if (layout.autoVacuum)
        writeSync(
          file,
          Buffer.from([1, 0, 0, 0, 0]),
          0,
          5,
          (pointerMapPageFor(layout, page) - 1) * pageSize + pointerMapEntryOffset(layout, page),
        )
    }
    const bytes = Buffer.alloc(100)
    readSync(file, bytes, 0, 100, 0)
    bytes.writeUInt32BE(pages, 28)
    bytes.writeUInt32BE(header.changeCounter, 92)
    bytes.fill(0, 32, 40)
    if (layout.autoVacuum) bytes.writeUInt32BE(Math.max(header.largestRoot, ...roots), 52)
    writeSync(file, bytes, 0, 100, 0)
    return roots
  } finally {
    closeSync(file)
  }
}

function pointTo(path: string, roots: ReadonlyMap<string, number>): void {
  const db = new Database(path)
  try {
    db.unsafeMode(true)
    db.pragma('writable_schema=ON')
    const update = db.prepare("UPDATE sqlite_schema SET rootpage = ? WHERE type = 'index' AND name = ?")
    for (const [name, root] of roots) update.run(root, name)
  } finally {
    db.close()
  }
}
