/** The states in which a service, or a service that was killed, leaves a database and its companions. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { putLiveSet, type LiveSet } from '../databases/live-sets.ts'

export const layouts = ['DELETE', 'PERSIST', 'TRUNCATE', 'WAL', 'WAL with commits', 'hot journal'] as const
export type Layout = (typeof layouts)[number]

/** True if recovery changes the main file, so wounds must leave the length of the file as it is. */
export const needsRecovery = (layout: Layout): boolean => layout === 'WAL with commits' || layout === 'hot journal'

type Parts = Omit<LiveSet, 'how'>

/**
 * Gives a closed database this layout, and writes it to `path`. The companions change the page of table `marks` alone.
 * @param wound changes the main file
 */
export function layOut(
  path: string,
  layout: Layout,
  makeSound: (path: string) => void,
  wound: (path: string) => void,
): void {
  const folder = mkdtempSync(join(tmpdir(), 'layout-'))
  try {
    const made = join(folder, 'made.db')
    makeSound(made)
    const parts = makeParts(made, layout)
    const main = join(folder, 'main.db')
    writeFileSync(main, parts.main)
    wound(main)
    putLiveSet(path, { ...parts, main: readFileSync(main) })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function makeParts(made: string, layout: Layout): Parts {
  switch (layout) {
    case 'DELETE':
      return { main: readFileSync(made), wal: null, journal: null }
    case 'PERSIST':
    case 'TRUNCATE':
      return leftByJournal(made, layout)
    case 'WAL':
      return { main: inWalMode(made), wal: null, journal: null }
    case 'WAL with commits':
      return withCommits(made)
    case 'hot journal':
      return withHotJournal(made)
  }
}

function withDatabase<Result>(path: string, work: (db: Database.Database) => Result): Result {
  const db = new Database(path)
  try {
    db.pragma('secure_delete=OFF')
    return work(db)
  } finally {
    db.close()
  }
}

const mark = (db: Database.Database, text: string): void => void db.prepare('UPDATE marks SET mark = ?').run(text)

function leftByJournal(made: string, mode: 'PERSIST' | 'TRUNCATE'): Parts {
  withDatabase(made, (db) => {
    db.pragma(`journal_mode=${mode}`)
    mark(db, 'mark 1')
  })
  const journal = readFileSync(`${made}-journal`)
  return { main: readFileSync(made), wal: null, journal }
}

function inWalMode(made: string): Buffer {
  withDatabase(made, (db) => db.pragma('journal_mode=WAL'))
  return readFileSync(made)
}

/** The WAL of a program that was killed: it holds a commit that the main file does not have. */
function withCommits(made: string): Parts {
  const main = inWalMode(made)
  return withDatabase(made, (db) => {
    db.pragma('wal_autocheckpoint=0')
    mark(db, 'mark 1')
    return { main, wal: readFileSync(`${made}-wal`), journal: null }
  })
}

/** The journal of a program that was killed in a transaction, after it had written one page of the main file. */
function withHotJournal(made: string): Parts {
  const before = readFileSync(made)
  const journal = withDatabase(made, (db) => {
    db.pragma('journal_mode=DELETE')
    db.pragma('synchronous=OFF') // The header of the journal then counts its records from the beginning.
    db.exec('BEGIN')
    mark(db, 'mark 1, never committed')
    const bytes = readFileSync(`${made}-journal`)
    db.exec('COMMIT')
    return bytes
  })
  if (existsSync(`${made}-journal`)) throw new Error('SQLite has left its journal')
  const after = readFileSync(made)
  const pageSize = before.readUInt16BE(16) === 1 ? 65_536 : before.readUInt16BE(16)
  const main = Buffer.from(before)
  // The first page holds the change counter, which SQLite writes last.
  for (let at = pageSize; at < before.length; at += pageSize) after.copy(main, at, at, at + pageSize)
  if (main.equals(before)) throw new Error('the transaction has written no page')
  return { main, wal: null, journal }
}
