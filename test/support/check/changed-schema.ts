/** A healthy file whose schema or header is then changed. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { diagnose } from '../../../src/diagnosis/diagnose.ts'
import type { Diagnosis } from '../../../src/model/result/verdict.ts'
import { create } from '../databases/create-database.ts'
import { bareFileContext } from '../differential/engines.ts'
import { readInProcess } from '../read-in-process.ts'

/** SQLite versions of the writer: newer than this one, and known. */
export const later = 3_071_000
export const known = 3_040_001

/** What is done to a healthy file. */
export interface FileEdit {
  readonly sql?: string
  readonly version?: number
  readonly bytes?: (bytes: Buffer) => void
}

/** A database of three tables with 300 rows each, changed. */
export function makeChanged(path: string, { sql = '', version = known, bytes: change = () => {} }: FileEdit): void {
  rmSync(path, { force: true })
  create(path, 1024, (db) => {
    db.exec(`CREATE TABLE note(id INTEGER PRIMARY KEY, t TEXT UNIQUE, n); CREATE INDEX note_n ON note(n);
      CREATE TABLE meta(k TEXT, v TEXT); CREATE INDEX meta_k ON meta(k);
      CREATE TABLE pair(a TEXT PRIMARY KEY, b UNIQUE) WITHOUT ROWID`)
    const [note, meta, pair] = [
      'INSERT INTO note VALUES(?,?,?)',
      'INSERT INTO meta VALUES(?,?)',
      'INSERT INTO pair VALUES(?,?)',
    ].map((insert) => db.prepare(insert))
    for (let i = 1; i <= 300; i++) {
      note?.run(i, `t${i}`, i % 9)
      meta?.run(`k${i}`, i)
      pair?.run(`a${i}`, i)
    }
    db.unsafeMode(true)
    db.pragma('writable_schema=ON')
    db.exec(sql)
  })
  const bytes = readFileSync(path)
  bytes.writeUInt32BE(version, 96)
  change(bytes)
  writeFileSync(path, bytes)
}

/** The diagnosis of a file after `change`, with the objects that were skipped and the tables that were counted. */
export async function concludeChanged(
  path: string,
  change: FileEdit,
  depth: 'quick' | 'full' = 'full',
  engine: 'census' | 'sqlite' = 'census',
): Promise<Diagnosis & { readonly skipped: readonly string[]; readonly tables: readonly string[] }> {
  makeChanged(path, change)
  const reading = await readInProcess(path, depth, engine)
  return {
    ...diagnose(reading, bareFileContext),
    skipped: reading.coverage.skipped.map(({ object }) => object),
    tables: reading.content.map(({ name }) => name).toSorted(),
  }
}

/** SQL that replaces the statement of an object. */
export const statement = (name: string, sql: string): string =>
  `UPDATE sqlite_schema SET sql = '${sql.replaceAll("'", "''")}' WHERE name = '${name}'`
/** The statement of the table `meta`. */
export const meta = 'CREATE TABLE meta(k TEXT, v TEXT)'
