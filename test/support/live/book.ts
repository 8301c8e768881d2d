/**
 * The book: a database whose whole content follows from the number of its last transaction. So a copy of it shows by
 * itself whether it is a state that was, and which one.
 *
 * Transaction S adds the row S to `hist` without a gap, moves S from one account to another, and, if S is a multiple of
 * `chapter`, writes S into every row of `big`. A transaction that is rolled back writes -1 everywhere.
 */
import { rmSync } from 'node:fs'
import Database from 'better-sqlite3'
import { liveSetParts } from '../../../src/model/result/evidence.ts'

export type JournalMode = 'wal' | 'delete' | 'truncate' | 'persist' | 'memory'

const accounts = 1000
/** Every so many transactions all rows of `big` are written: with a small cache these spill before they commit. */
export const chapter = 15
const bigRows = 200

/** Makes a new book with transaction 1, closed and without a WAL. @param fillerBytes that no transaction touches */
export function makeBook(file: string, mode: JournalMode, fillerBytes = 0): void {
  for (const part of liveSetParts) rmSync(file + part, { force: true })
  const database = new Database(file)
  database.pragma('synchronous = off')
  database.pragma(`journal_mode = ${mode}`)
  database.exec(
    `create table hist (seq integer primary key, writer text);
    create table acct (id integer primary key, balance integer);
    create index acct_balance on acct (balance);
    create table big (id integer primary key, seq integer, body blob);
    create index big_seq on big (seq);
    create table filler (id integer primary key, body blob)`,
  )
  const numbers = 'with recursive n(i) as (select 0 union all select i + 1 from n where i < ?)'
  database.prepare(`${numbers} insert into acct select i, 0 from n`).run(accounts - 1)
  database.prepare(`${numbers} insert into big select i, 0, randomblob(2000) from n`).run(bigRows - 1)
  if (fillerBytes > 0)
    database
      .prepare(`${numbers} insert into filler select i, randomblob(100000) from n`)
      .run(Math.ceil(fillerBytes / 100_000) - 1)
  database.prepare("insert into hist values (1, 'maker')").run()
  database.prepare('update acct set balance = balance - 1 where id = ?').run(fromAccount(1))
  database.prepare('update acct set balance = balance + 1 where id = ?').run(toAccount(1))
  database.close()
}

export const fromAccount = (seq: number): number => (seq * 7919) % accounts
export const toAccount = (seq: number): number => (seq * 104_729) % accounts

export interface JudgedCopy {
  /** The last transaction that the copy has. */
  readonly seq: number
  /** Why the copy is no state that ever was; null if it is one. */
  readonly wrong: string | null
}

/** Opens a private copy with SQLite, which replays what lies beside it. */
export function judgeBook(copy: string): JudgedCopy {
  const database = new Database(copy, { fileMustExist: true })
  try {
    const [integrity] = database.pragma('integrity_check(3)') as { integrity_check: string }[]
    const { rows, seq } = database.prepare('select count(*) as rows, max(seq) as seq from hist').get() as {
      rows: number
      seq: number
    }
    return { seq, wrong: deviation(database, integrity?.integrity_check ?? 'no answer', rows, seq) }
  } catch (error) {
    return { seq: 0, wrong: String(error) }
  } finally {
    database.close()
  }
}

function deviation(database: Database.Database, integrity: string, rows: number, seq: number): string | null {
  if (integrity !== 'ok') return `integrity_check: ${integrity}`
  if (rows !== seq) return `${rows} transactions, and the last one is ${seq}`
  const expected = Array.from({ length: accounts }, () => 0)
  for (let at = 1; at <= seq; at++) {
    expected[fromAccount(at)] = (expected[fromAccount(at)] ?? 0) - at
    expected[toAccount(at)] = (expected[toAccount(at)] ?? 0) + at
  }
  const held = database.prepare('select id, balance from acct order by id').all() as { id: number; balance: number }[]
  const off = held.find(({ id, balance }) => balance !== expected[id])
  if (held.length !== accounts || off)
    return `${held.length} accounts, ${off?.id} has ${off?.balance}, not ${expected[off?.id ?? 0]}`
  const inBig = database.prepare('select distinct seq from big').pluck().all()
  const last = seq - (seq % chapter)
  return inBig.length === 1 && inBig[0] === last ? null : `big has ${inBig.join(', ')}, not ${last}`
}
