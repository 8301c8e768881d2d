/** What a file is by its first bytes, and whether its WAL or journal may make it a database. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import type { SnapshotPath } from '../model/brand.ts'
import { journalHoldsFirstPage, walHoldsFirstPage } from '../sqlite/first-page.ts'
import { isEmptyDatabase, looksLikePages, readHeader } from '../sqlite/header.ts'
import type { ReadBytes } from '../sqlite/journal/journal.ts'

/** What the first bytes of a file say. `broken-header`: pages of SQLite behind a header that is none. */
type FileKindName = 'sqlite' | 'empty' | 'foreign' | 'broken-header'

export interface FileKind {
  readonly contents: FileKindName
  /**
   * True if the file is no database by itself, but its WAL or journal may make it one. They hold the first page of a
   * database, which SQLite takes from there, or they lie beside an empty file. (Of an encrypted file these are
   * encrypted too.)
   */
  readonly recoverable: boolean
}

/** An open WAL or journal. */
export interface OpenCompanion {
  readonly bytes: number
  readonly read: ReadBytes
}

/** How many bytes of a file `contentsOf` needs: three pages of the largest size. */
export const firstBytes = 196_608

/** @param first the first `firstBytes` of the file, or all if it has fewer; the first 100 are enough if SQLite's */
function contentsOf(first: Uint8Array): FileKindName {
  if (isEmptyDatabase(first.length)) return 'empty'
  switch (readHeader(first.subarray(0, 100)).kind) {
    case 'header':
    case 'wrong': // The magic is there: SQLite itself reports what is wrong with the rest.
      return 'sqlite'
    case 'empty':
      return 'empty'
    case 'not-sqlite':
      return looksLikePages(first) ? 'broken-header' : 'foreign'
  }
}

/**
 * @param first as for `contentsOf`
 * @param open opens the WAL or the journal beside the file; null if there is none
 */
export function kindOfFile(first: Uint8Array, open: (part: '-wal' | '-journal') => OpenCompanion | null): FileKind {
  const contents = contentsOf(first)
  return { contents, recoverable: contents !== 'sqlite' && mayBeRecovered(contents, open('-wal'), open('-journal')) }
}

function mayBeRecovered(contents: FileKindName, wal: OpenCompanion | null, journal: OpenCompanion | null): boolean {
  if (contents === 'empty') return (wal?.bytes ?? 0) > 0 || (journal?.bytes ?? 0) > 0
  return (
    (wal !== null && walHoldsFirstPage(wal.read)) ||
    (journal !== null && journalHoldsFirstPage(journal.read, journal.bytes))
  )
}

/** The kind of a private copy. */
export function kindOfCopy(path: SnapshotPath): FileKind {
  const main = openToRead(path)
  const open: (OpenCompanion & { readonly close: () => void })[] = []
  try {
    return kindOfFile(main?.read(0, firstBytes) ?? new Uint8Array(0), (part) => {
      const companion = openToRead(path + part)
      if (companion !== null) open.push(companion)
      return companion
    })
  } finally {
    for (const { close } of [...open, ...(main === null ? [] : [main])]) close()
  }
}

function openToRead(path: string): (OpenCompanion & { readonly close: () => void }) | null {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
  const read: ReadBytes = (offset, length) => {
    const bytes = new Uint8Array(length)
    return bytes.subarray(0, readSync(file, bytes, 0, length, offset))
  }
  return { bytes: fstatSync(file).size, read, close: () => closeSync(file) }
}
