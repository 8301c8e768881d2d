/** What the cache says about a schema is what SQLite would say. */
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type Database from 'better-sqlite3'
import { afterAll, expect, test } from 'vitest'
import { SchemaCache, type SchemaReadResult } from '../../../../src/check/reader/schema/schema-cache.ts'
import { openDatabase } from '../../../../src/check/reader/sqlite/open-database.ts'
import { create } from '../../../support/databases/create-database.ts'

const folder = mkdtempSync(join(tmpdir(), 'holdfast-schemas-'))
afterAll(() => rmSync(folder, { recursive: true }))

const statements = `
create table users (id integer primary key, email text not null unique collate nocase, name text default 'nobody');
create table events (user integer references users, at integer, kind text, twice integer as (at * 2) stored);
create table kv (k text, v text, primary key (k desc, v)) without rowid;
create index events_at on events (at desc, kind);
create index events_kind on events (kind) where at > 10;
create index kv_v on kv (v);
create view latest as select * from events order by at desc;
create trigger users after insert on users begin select 1; end;
alter table users add column score real default 1.5;
`

let files = 0

/** @param before moves the root pages */
function makeDatabaseFile(fill: (database: Database.Database) => void, pageSize = 4096): string {
  const path = join(folder, `${files++}.db`)
  create(path, pageSize, fill)
  return path
}

const plain =
  (sql: string, before = '') =>
  (database: Database.Database): void =>
    void database.exec(`${before}${sql}`)

function read(path: string, schemas: SchemaCache): SchemaReadResult {
  const db = openDatabase(path, 'strict')
  try {
    return schemas.read(path, db)
  } finally {
    db.close()
  }
}

const before =
  'create table gone (a, b, unique (a), unique (b)); drop table gone; create ' +
  'table first (x); insert into first values (1); drop table first;'
/** The same rows of the schema with other root pages: the tree of a table that was emptied moves. */
const moved = `pragma auto_vacuum = full; ${before}`

test.each<[string, (database: Database.Database) => void, number]>([
  ['with other root pages', plain(statements, moved), 4096],
  ['with other pages', plain(statements), 512],
  ['in UTF-16', plain(statements, 'pragma encoding = "UTF-16le";'), 4096],
  ['with one more column', plain(`${statements} alter table kv add column w default 'x'`), 4096],
  [
    'with an index under the name of another',
    plain(statements.replace('on events (at desc, kind)', 'on events (kind, at)')),
    4096,
  ],
  ['with a virtual table', plain(`${statements} create virtual table words using fts5(word)`), 4096],
])('a file %s', (_, fill, pageSize) => {
  const schemas = new SchemaCache()
  const first = read(makeDatabaseFile(plain(statements)), schemas)
  expect(first.plan?.trees.length).toBe(8)
  const second = makeDatabaseFile(fill, pageSize)
  const asked = read(second, new SchemaCache())
  expect(read(second, schemas)).toEqual(asked)
  expect(read(second, schemas)).toEqual(asked)
})

test('a file in a format that knows no descending indexes', () => {
  const schemas = new SchemaCache()
  const descending = (path: string): unknown =>
    read(path, schemas).plan?.trees.flatMap((tree) => (tree.kind === 'index' ? [tree.parts] : []))
  const modern = descending(makeDatabaseFile(plain(statements)))
  const old = makeDatabaseFile(plain(statements))
  const file = openSync(old, 'r+')
  writeSync(file, Uint8Array.of(1), 0, 1, 47)
  closeSync(file)
  expect(descending(old)).not.toEqual(modern)
  expect(read(old, schemas)).toEqual(read(old, new SchemaCache()))
})

test('the root pages are those of the file', () => {
  const schemas = new SchemaCache()
  const roots = (path: string): unknown => read(path, schemas).plan?.trees.map((tree) => tree.root)
  expect(roots(makeDatabaseFile(plain(statements, moved)))).not.toEqual(roots(makeDatabaseFile(plain(statements))))
})

test('only the last few schemas are remembered', () => {
  const schemas = new SchemaCache()
  for (const round of [1, 2])
    for (let at = 0; at < 8; at++)
      expect(
        read(makeDatabaseFile(plain(`create table t${at} (a${round}, b); create index i on t${at} (b)`)), schemas)
          .objects,
      ).toHaveLength(2)
})
