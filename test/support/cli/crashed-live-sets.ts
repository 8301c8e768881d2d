/** Live sets as a killed writer leaves them, and what tests read of their results. */
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import type { Result } from '../../../src/model/result/report.ts'
import { makeDatabase, type Folder } from './folder.ts'
import { holdfast } from './program.ts'

export const crashedParts = ['', '-wal', '-journal'] as const

/** As a kill leaves it: 900 rows, and all that is not in the first page's own table lies in the WAL. */
export function crashWithWal(folder: Folder, name: string, checkpoint = true): string {
  const work = makeDatabase(folder.in(`work-${name}`), { rows: 900, wal: true })
  const db = new Database(work)
  db.pragma('wal_autocheckpoint=0')
  db.exec("CREATE TABLE later(x); UPDATE notes SET title = title || '!' WHERE id < 50")
  if (!checkpoint) db.exec('VACUUM') // Then every page stands in the WAL.
  return leave(folder, name, work, db)
}

/** As a kill leaves it: a transaction has written into the file, and its journal takes it back. */
export function crashWithJournal(folder: Folder, name: string): string {
  const work = makeDatabase(folder.in(`work-${name}`), { rows: 900 })
  const db = new Database(work)
  db.pragma('cache_size=2')
  db.pragma('cache_spill=1')
  db.exec("BEGIN; CREATE TABLE x(y); UPDATE notes SET title = 'x' || title, body = body || 'half done'")
  return leave(folder, name, work, db)
}

function leave(folder: Folder, name: string, work: string, db: Database.Database): string {
  const file = folder.in(name)
  for (const part of crashedParts) if (existsSync(work + part)) copyFileSync(work + part, file + part)
  db.close()
  return file
}

export function overwrite(path: string, change: (bytes: Buffer) => Buffer | void): void {
  const bytes = readFileSync(path)
  writeFileSync(path, change(bytes) ?? bytes)
}

export const byPath = (results: readonly Result[]): readonly Result[] =>
  results.toSorted((a, b) => (a.path < b.path ? -1 : 1))

export const rowsOf = (result: Result): number | undefined =>
  result.content.tables.find(({ name }) => name === 'notes')?.rows

export const words = async (args: readonly string[]): Promise<string> =>
  (await holdfast(args)).stdout.replaceAll(/\s+/g, ' ')
