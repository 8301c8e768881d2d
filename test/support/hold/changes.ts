/** Live sets in every state, what SQLite finds in them, and a remedy that adds rows, carried out on a snapshot. */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import Database from 'better-sqlite3'
import type { RehearsedCopy } from '../../../src/hold/change/change-types.ts'
import type { SnapshotPath } from '../../../src/model/brand.ts'
import { liveSetParts } from '../../../src/model/result/evidence.ts'
import { newJournalHeader, newJournalRecord } from '../../../src/sqlite/journal/new-journal.ts'

/** In memory if there is such a folder: these tests sync far more often than a disk of a busy machine likes. */
export const inMemory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

export const setStates = [
  'wal',
  'wal-empty',
  'wal-hot',
  'delete',
  'delete-hot',
  'persist',
  'persist-hot',
  'truncate',
  'truncate-hot',
] as const
export type SetState = (typeof setStates)[number]

export interface SetBytes extends Readonly<Partial<Record<'' | '-wal' | '-journal' | '-shm', Buffer>>> {
  readonly '': Buffer
}

/** The bytes of a live set in this state, as a crash of its service leaves them. */
export function bytesInState(state: SetState, rows = 400, pageSize = 1024): SetBytes {
  if (state === 'wal-hot') return withHotJournal(bytesInState('wal', rows, pageSize), pageSize)
  const folder = mkdtempSync(join(inMemory, 'holdfast-state-'))
  const file = join(folder, 'made.db')
  const db = new Database(file)
  try {
    db.pragma(`page_size=${pageSize}`)
    db.pragma(`journal_mode=${state.split('-')[0]}`)
    db.pragma('wal_autocheckpoint=0')
    db.exec('create table t(id integer primary key, v text, w text); create index i on t(v)')
    const insert = db.prepare('insert into t(v, w) values(?, ?)')
    db.transaction(() => {
      for (let row = 0; row < rows; row++) insert.run(`old${row}`, 'x'.repeat(200))
    })()
    if (state.startsWith('wal')) {
      db.pragma('wal_checkpoint(TRUNCATE)')
      if (state === 'wal') db.exec("update t set v = 'committed' || id where id % 3 = 0; delete from t where id > 300")
      return readSet(file)
    }
    if (!state.endsWith('-hot')) {
      db.exec("update t set v = 'committed' || id")
      return readSet(file)
    }
    db.pragma('cache_size=5')
    db.exec("begin; update t set v = 'half' || id, w = w || w")
    const half = readSet(file)
    db.exec('rollback')
    return half
  } finally {
    db.close()
    rmSync(folder, { recursive: true })
  }
}

/**
 * A hot journal beside a WAL, of pages that the WAL has too: SQLite rolls the journal back first. No SQLite leaves
 * both; a backup that was laid over a file may.
 */
function withHotJournal(bytes: SetBytes, pageSize: number): SetBytes {
  const main = Buffer.from(bytes[''])
  const pages = [1, 2, 3, 4, 5]
  const about = { pageSize, pageCount: main.length / pageSize, records: pages.length, nonce: 7 }
  const journal = [newJournalHeader(about)]
  for (const page of pages) {
    const at = (page - 1) * pageSize
    journal.push(newJournalRecord(page, main.subarray(at, at + pageSize), about.nonce))
    main.fill(0xab, at + (page === 1 ? 100 : 0), at + pageSize)
  }
  return { ...bytes, '': main, '-journal': Buffer.concat(journal) }
}

export function readSet(file: string): SetBytes {
  const parts = liveSetParts.filter((part) => existsSync(file + part) && (part !== '-shm' || file.includes('keep-shm')))
  return Object.fromEntries(parts.map((part) => [part, readFileSync(file + part)])) as unknown as SetBytes
}

export function writeSet(file: string, bytes: SetBytes): void {
  for (const part of liveSetParts) rmSync(file + part, { force: true })
  for (const [part, content] of Object.entries(bytes)) writeFileSync(file + part, content as Buffer)
}

/** What SQLite finds in a copy of the live set: its own check, and all rows. */
export function contentOf(file: string): string {
  const folder = mkdtempSync(join(inMemory, 'holdfast-read-'))
  const copy = join(folder, 'copy.db')
  for (const part of liveSetParts)
    if (part !== '-shm' && existsSync(file + part)) copyFileSync(file + part, copy + part)
  const db = new Database(copy)
  try {
    const check = String(db.pragma('integrity_check', { simple: true }))
    return `${check} ${JSON.stringify(db.prepare('select * from t order by id').all())}`
  } finally {
    db.close()
    rmSync(folder, { recursive: true })
  }
}

/** Lets SQLite recover a snapshot into one plain file, and carries out a remedy on a copy of it. */
export function rehearse(
  snapshot: string,
  sql = "update t set v = 'mended' || id; insert into t(v) select 'more' || id from t limit 50",
): RehearsedCopy {
  const db = new Database(snapshot)
  db.pragma('schema_version')
  db.pragma('wal_checkpoint(TRUNCATE)')
  db.close()
  for (const part of ['-wal', '-journal', '-shm']) rmSync(snapshot + part, { force: true })
  const folder = join(dirname(snapshot), 'mended')
  mkdirSync(folder, { recursive: true })
  const mended = join(folder, 'mended.db')
  copyFileSync(snapshot, mended)
  const copy = new Database(mended)
  copy.exec(sql)
  copy.pragma('wal_checkpoint(TRUNCATE)')
  copy.close()
  for (const part of ['-wal', '-journal', '-shm']) rmSync(mended + part, { force: true })
  return { settled: snapshot as SnapshotPath, mended: mended as SnapshotPath }
}
