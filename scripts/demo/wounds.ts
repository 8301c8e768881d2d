/** Two wounds for the demo, made by changing bytes of closed databases, as a bad disk or a stray writer does. */
import { closeSync, openSync, readSync, writeSync } from 'node:fs'
import Database from 'better-sqlite3'

/**
 * Changes one title in a leaf page of index notes_title, so that the entry and its row have different titles. The order
 * of the index stays correct, so a check of the structure alone cannot find it.
 */
export function damageNotesIndex(file: string): { readonly page: number } {
  const { pageSize, pages } = leavesOf(file, 'notes_title')
  for (const page of pages.slice(Math.floor(pages.length / 2))) {
    const bytes = readPage(file, page, pageSize)
    const at = cellsOf(bytes).find((cell) => title.test(bytes.toString('latin1', cell, cell + titleMax)))
    if (at === undefined) continue
    writeAt(file, (page - 1) * pageSize + bytes.indexOf('Note ', at, 'latin1') + 'Note '.length + 7, Buffer.from('x'))
    return { page }
  }
  throw new Error(`${file}: no leaf of notes_title holds a title to change`)
}

/** Overwrites a leaf page of table notes with zeroes, so rows are lost. */
export function damageNotesTable(file: string): { readonly page: number } {
  const { pageSize, pages } = leavesOf(file, 'notes')
  const page = pages[Math.floor(pages.length / 2)]
  if (page === undefined) throw new Error(`${file}: table notes has no leaf page`)
  writeAt(file, (page - 1) * pageSize, Buffer.alloc(pageSize))
  return { page }
}

/** Overwrites all leaf pages of an index with zeroes: each use of it then meets damage. Its table stays whole. */
export function damageIndexPages(file: string, index: string): void {
  const { pageSize, pages } = leavesOf(file, index)
  if (pages.length < 2) throw new Error(`${file}: ${index} has only one page`)
  for (const page of pages) writeAt(file, (page - 1) * pageSize, Buffer.alloc(pageSize))
}

/** A title that ends in 9. With a letter instead of a digit it still sorts before the next title. */
const title = /Note [0-9]{7}9/
/** A title ends within this many bytes of the start of its cell. */
const titleMax = 24

/** Offsets of the cells of an index leaf (file format, section 1.6). Bytes between cells have no meaning. */
function cellsOf(page: Buffer): readonly number[] {
  return Array.from({ length: page.readUInt16BE(3) }, (_, at) => page.readUInt16BE(8 + 2 * at))
}

function leavesOf(file: string, object: string): { readonly pageSize: number; readonly pages: readonly number[] } {
  const database = new Database(file)
  try {
    database.pragma('wal_checkpoint(truncate)')
    const pageSize = database.pragma('page_size', { simple: true }) as number
    const pages = database
      .prepare("select pageno from dbstat where name = ? and pagetype = 'leaf' order by path")
      .pluck()
      .all(object) as number[]
    return { pageSize, pages }
  } finally {
    database.close()
  }
}

function readPage(file: string, page: number, pageSize: number): Buffer {
  const descriptor = openSync(file, 'r')
  try {
    const bytes = Buffer.alloc(pageSize)
    readSync(descriptor, bytes, 0, pageSize, (page - 1) * pageSize)
    return bytes
  } finally {
    closeSync(descriptor)
  }
}

function writeAt(file: string, offset: number, bytes: Buffer): void {
  const descriptor = openSync(file, 'r+')
  try {
    writeSync(descriptor, bytes, 0, bytes.length, offset)
  } finally {
    closeSync(descriptor)
  }
}
