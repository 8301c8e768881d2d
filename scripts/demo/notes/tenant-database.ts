/** A tenant's database: notes to search, and accounts whose balances always have the same sum. */
import Database from 'better-sqlite3'

export type TenantHandle = Database.Database

export interface TenantFeatures {
  readonly wal: boolean
  readonly fts: boolean
  /** About this many bytes of notes. */
  readonly bytes: number
  readonly pageSize: number
}

const accounts = 100
const balance = 1_000

export function openTenantDatabase(file: string): TenantHandle {
  const database = new Database(file, { timeout: 5_000, fileMustExist: true })
  database.pragma('synchronous = normal')
  return database
}

/** Makes the file. The caller closes the handle. */
export function createTenantDatabase(file: string, features: TenantFeatures): TenantHandle {
  const database = new Database(file)
  database.pragma(`page_size = ${features.pageSize}`)
  database.pragma(`journal_mode = ${features.wal ? 'wal' : 'delete'}`)
  database.pragma('synchronous = off')
  database.exec(`
    create table notes (id integer primary key, title text not null, body text not null, at integer not null);
    create index notes_title on notes (title);
    create index notes_at on notes (at);
    create table accounts (id integer primary key, balance integer not null);
    create table transfers (
      id text primary key, source integer not null references accounts, target integer not null references accounts,
      amount integer not null, at integer not null
    );
    create table promises (name text primary key, value integer not null) without rowid;
  `)
  if (features.fts) database.exec('create virtual table notes_search using fts5(title, body)')
  database.transaction(() => fill(database, features))()
  database.pragma('synchronous = normal')
  return database
}

function fill(database: TenantHandle, features: TenantFeatures): void {
  const account = database.prepare('insert into accounts values (?, ?)')
  for (let id = 1; id <= accounts; id++) account.run(id, balance)
  database.prepare('insert into promises values (?, ?)').run('sum of balances', accounts * balance)
  const note = database.prepare('insert into notes (id, title, body, at) values (?, ?, ?, ?)')
  const searched = features.fts
    ? database.prepare('insert into notes_search (rowid, title, body) values (?, ?, ?)')
    : null
  for (let id = 1, bytes = 0; bytes < features.bytes; id++) {
    const title = `Note ${String(id).padStart(8, '0')}`
    const body =
      `${title} about ${words[id % words.length]}: ` + 'all is well and the books are balanced. '.repeat(1 + (id % 20))
    note.run(id, title, body, 1_700_000_000 + id)
    searched?.run(id, title, body)
    bytes += (body.length + 80) * (features.fts ? 2 : 1)
  }
}

const words = ['harvest', 'shipping', 'payroll', 'weather', 'travel', 'repairs', 'garden']

/**
 * Makes one transfer between two accounts and records it as a row, in one transaction.
 * @param onDamage called in the transaction if SQLite finds the database damaged
 */
export function transfer(database: TenantHandle, id: string, onDamage: () => void): void {
  const pick = (): number => 1 + Math.floor(Math.random() * accounts)
  const source = pick()
  const target = pick()
  const amount = 1 + Math.floor(Math.random() * 10)
  const move = prepare(database, 'update accounts set balance = balance + ? where id = ?')
  const record = prepare(database, 'insert into transfers values (?, ?, ?, ?, ?)')
  database.transaction(() => {
    try {
      move.run(-amount, source)
      move.run(amount, target)
      record.run(id, source, target, amount, Date.now())
    } catch (error) {
      if (error instanceof Database.SqliteError && error.code.startsWith('SQLITE_CORRUPT')) onDamage()
      throw error
    }
  })()
}

const statements = new WeakMap<TenantHandle, Map<string, Database.Statement>>()

function prepare(database: TenantHandle, sql: string): Database.Statement {
  const known = statements.get(database) ?? new Map<string, Database.Statement>()
  statements.set(database, known)
  const statement = known.get(sql) ?? database.prepare(sql)
  known.set(sql, statement)
  return statement
}

export interface Invariant {
  readonly sum: number
  readonly promised: number
  readonly transfers: number
}

export function readInvariant(database: TenantHandle): Invariant {
  const sum = database.prepare('select sum(balance) from accounts').pluck().get() as number
  const promised = database.prepare('select value from promises').pluck().get() as number
  const transfers = database.prepare('select count(*) from transfers').pluck().get() as number
  return { sum, promised, transfers }
}

/** @returns whether the demo made this database. Others can be tenants too, but the demo writes nothing into them. */
export function keepsAccounts(database: TenantHandle): boolean {
  return (
    database
      .prepare(
        "select count(*) from sqlite_schema where name in ('accounts', 'transfers', 'promises') and type = 'table'",
      )
      .pluck()
      .get() === 3
  )
}
