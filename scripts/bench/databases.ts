/** The tenants to measure: a few tables with indexes, as an older service has them. */
import { closeSync, copyFileSync, fsyncSync, openSync } from 'node:fs'
import Database from 'better-sqlite3'
import { makeReference } from './reference.ts'

const schema = `
create table users (id integer primary key, email text not null unique, name text not null, created integer not null);
create table events (
  id integer primary key, user integer not null references users, kind text not null, at integer not null,
  body text not null
);
create index events_user on events (user, at);
create index events_kind on events (kind);
create table accounts (id integer primary key, balance integer not null);
create table transfers (
  id integer primary key, source integer not null, target integer not null, amount integer not null,
  at integer not null
);
`
/** Rows that one transaction inserts while it fills a database. */
const rowsOfTransaction = 20_000
const eventBytes = 330

/**
 * Makes a database of about this many bytes: closed, one file, without a journal. It is on the disk: otherwise the
 * program's first checkpoint would write all of it, and its wait would count as that of the first way measured.
 */
export function makeBenchTenant(file: string, bytes: number, mode: 'wal' | 'delete'): void {
  const database = new Database(file)
  try {
    database.pragma('journal_mode = off')
    database.pragma('synchronous = off')
    database.pragma('cache_size = -200000')
    database.exec(schema)
    const users = Math.max(20, Math.round(bytes / 20_000))
    database
      .prepare(`with recursive n(i) as (select 1 union all select i + 1 from n where i < ?)
      insert into users select i, 'user' || i || '@example.org', 'User ' || i, 1700000000 + i from n`)
      .run(users)
    database
      .prepare(
        'with recursive n(i) as (select 1 union all select i + 1 from n where ' +
          'i < 100) insert into accounts select i, 1000 from n',
      )
      .run()
    const fill = database.prepare(`with recursive n(i) as (select ? union all select i + 1 from n where i < ?)
      insert into events
      select i, 1 + i * 7919 % ?, 'kind ' || i % 17, 1700000000 + i, hex(randomblob(${eventBytes / 4})) || i from n`)
    const pages = database.prepare<[], number>('pragma page_count').pluck()
    const pageBytes = Number(database.pragma('page_size', { simple: true }))
    const rows = Math.max(200, Math.min(rowsOfTransaction, Math.round(bytes / 10 / eventBytes)))
    for (let first = 1; (pages.get() ?? 0) * pageBytes < bytes; first += rows) fill.run(first, first + rows - 1, users)
    database.pragma(`journal_mode = ${mode}`)
  } finally {
    database.close()
  }
  sync(file)
}

function sync(file: string): void {
  const descriptor = openSync(file, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** Bytes of the reference database for each of its events. */
const bytesPerEvent = 187

/** Makes one small reference database and copies it for each tenant. @returns their paths */
export function makeBenchTenants(folder: string, count: number, bytes: number): readonly string[] {
  const paths = Array.from({ length: count }, (_, at) => `${folder}/tenant-${String(at).padStart(5, '0')}.db`)
  const [first, ...rest] = paths
  if (first === undefined) return paths
  makeReference(first, Math.max(10, Math.round(bytes / bytesPerEvent)))
  for (const path of rest) copyFileSync(first, path)
  return paths
}
