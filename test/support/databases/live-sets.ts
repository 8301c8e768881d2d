/** Live sets as a killed process leaves them: copies of a database taken after each step of its work. */

import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import { integersFrom } from '../random.ts'

export interface LiveSet {
  readonly main: Buffer
  /** null if there is no such file. */
  readonly wal: Buffer | null
  readonly journal: Buffer | null
  /** The steps so far, for the message of a test that fails. */
  readonly how: string
}

function takeLiveSet(path: string, how: string): LiveSet {
  const read = (part: string): Buffer | null => (existsSync(path + part) ? readFileSync(path + part) : null)
  return { main: read('') ?? Buffer.alloc(0), wal: read('-wal'), journal: read('-journal'), how }
}

export function putLiveSet(path: string, { main, wal, journal }: Omit<LiveSet, 'how'>): void {
  for (const part of ['-shm', '-wal', '-journal']) rmSync(path + part, { force: true })
  writeFileSync(path, main)
  if (wal !== null) writeFileSync(`${path}-wal`, wal)
  if (journal !== null) writeFileSync(`${path}-journal`, journal)
}

/** The database file as SQLite recovers it. */
export function recovered(path: string, set: Omit<LiveSet, 'how'>): Buffer {
  putLiveSet(path, set)
  const db = new Database(path)
  try {
    db.pragma('schema_version')
    db.pragma('wal_checkpoint(TRUNCATE)')
  } finally {
    db.close()
  }
  return readFileSync(path)
}

/** A database in WAL mode that two connections write to. The seed decides everything. */
export function* walAtWork(path: string, seed: number, steps: number): Generator<LiveSet> {
  const random = integersFrom(seed)
  const pageSize = [512, 1024, 4096, 4096, 65_536][random(5)] ?? 4096
  const done: string[] = [`page size ${pageSize}`]
  const open = (): Database.Database => {
    const db = new Database(path)
    db.pragma(`cache_size=${random(2) === 0 ? 5 : 200}`)
    db.pragma('cache_spill=1')
    db.pragma(`wal_autocheckpoint=${random(2) === 0 ? 0 : 20}`)
    return db
  }
  let [one, other] = [open(), open()]
  one.pragma(`page_size=${pageSize}`)
  one.pragma(`auto_vacuum=${random(3) === 0 ? 1 : 0}`)
  one.pragma('journal_mode=WAL')
  one.exec('CREATE TABLE t(id INTEGER PRIMARY KEY, a, b); CREATE INDEX t_a ON t(a)')
  try {
    for (let step = 0; step < steps; step++) {
      const db = random(3) === 0 ? other : one
      const what = actions[random(actions.length)] ?? 'insert'
      done.push(what)
      if (what === 'reopen') {
        one.close()
        other.close()
        ;[one, other] = [open(), open()]
      } else if (what === 'roll back') {
        db.exec('BEGIN')
        write(db, 'insert', random)
        yield takeLiveSet(path, `seed ${seed}: ${done.join(', ')}, in the transaction`)
        db.exec('ROLLBACK')
      } else if (what.startsWith('checkpoint')) db.pragma(`wal_checkpoint(${what.slice(11)})`)
      else write(db, what, random)
      yield takeLiveSet(path, `seed ${seed}: ${done.join(', ')}`)
    }
  } finally {
    one.close()
    other.close()
  }
}

/** A database with a rollback journal, copied also within transactions that have written into the file. */
export function* journalAtWork(path: string, seed: number, steps: number): Generator<LiveSet> {
  const random = integersFrom(seed)
  const pageSize = [512, 1024, 4096][random(3)] ?? 4096
  const db = new Database(path)
  try {
    db.pragma(`page_size=${pageSize}`)
    db.pragma(`auto_vacuum=${random(2)}`)
    db.pragma(`journal_mode=${['DELETE', 'PERSIST', 'TRUNCATE'][random(3)]}`)
    db.pragma('cache_size=2')
    db.pragma('cache_spill=1')
    db.exec('CREATE TABLE t(id INTEGER PRIMARY KEY, a, b); CREATE INDEX t_a ON t(a)')
    for (let step = 0; step < steps; step++) {
      db.exec('BEGIN')
      for (let i = 0; i < 1 + random(3); i++) write(db, ['insert', 'update', 'delete'][random(3)] ?? 'insert', random)
      yield takeLiveSet(path, `seed ${seed}: step ${step}, in the transaction`)
      db.exec(random(3) === 0 ? 'ROLLBACK' : 'COMMIT')
      yield takeLiveSet(path, `seed ${seed}: step ${step}`)
    }
  } finally {
    db.close()
  }
}

const actions = [
  'insert',
  'insert',
  'one',
  'one',
  'update',
  'delete',
  'vacuum',
  'roll back',
  'roll back',
  'reopen',
  'checkpoint PASSIVE',
  'checkpoint PASSIVE',
  'checkpoint FULL',
  'checkpoint RESTART',
  'checkpoint TRUNCATE',
] as const

function write(db: Database.Database, what: string, random: (below: number) => number): void {
  const some = random(1000)
  if (what === 'vacuum') db.exec('VACUUM')
  else if (what === 'one') db.prepare('INSERT INTO t(a, b) VALUES(?, ?)').run(some, 'one')
  else if (what === 'update') db.prepare('UPDATE t SET b = b || ?, a = a + 1 WHERE id % 7 = ?').run('u', some % 7)
  else if (what === 'delete') db.prepare('DELETE FROM t WHERE id % 5 = ?').run(some % 5)
  else
    db.prepare(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
       INSERT INTO t(a, b) SELECT i, printf('%040d', i) FROM n`,
    ).run(1 + (some % 120))
}
