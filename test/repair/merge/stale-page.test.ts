/** A write of one page was lost, so an old page stands in its place: it can be read, and only indexes contradict it. */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { SnapshotPath } from '../../../src/model/brand.ts'
import type { TableSummary } from '../../../src/model/result/account.ts'
import { mergeNewer } from '../../../src/repair/merge/merge-newer.ts'
import { EditableDatabase } from '../../support/databases/surgeon.ts'
import { checkOfResult, exactRows } from '../../support/merge/merge-in-process.ts'
import { rowidsOn } from '../../support/merge/rowids-on.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-stale-'))
})
afterEach(() => rmSync(folder, { recursive: true }))
const at = (name: string): string => join(folder, name)

const limits = { memoryBytesMax: 500_000_000, niceness: 0, timeoutMs: 60_000 }

async function merge(): Promise<TableSummary> {
  using merged = await mergeNewer(
    at('backup') as SnapshotPath,
    { path: at('live') as SnapshotPath, kept: null },
    at('result'),
    { prefer: 'newer', folder, limits },
    new AbortController().signal,
  )
  const found = merged.account.summary.tables.find(({ table }) => table === 'notes')
  if (found === undefined) throw new Error('the account has the table')
  expect(checkOfResult(at('result'))).toBe('ok')
  return found
}

/** The backup, and a live file in which every row has changed since. Each row stays on its page. */
function make(schema: string): void {
  const db = new Database(at('backup'))
  db.exec(`PRAGMA page_size=1024; ${schema}; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 400)
    INSERT INTO notes(id, owner, state, body) SELECT i, printf('%04d old', i), 10000 + i, 'body' FROM n`)
  db.close()
  change('backup', 'live', "owner = printf('%04d new', id), state = state + 20000")
}

function change(from: string, to: string, what: string): void {
  copyFileSync(at(from), at(to))
  const db = new Database(at(to))
  db.exec(`UPDATE notes SET ${what}`)
  db.close()
}

/** Puts a leaf of an object of another file in the place of the live one. @returns its number */
function putBack(from: string, name: string): number {
  using source = new EditableDatabase(at(from))
  const leaves = source.pages(name).filter((page) => source.bTree(page).leaf)
  const page = leaves[Math.floor(leaves.length / 2)] ?? 0
  using live = new EditableDatabase(at('live'))
  live.write(page, source.read(page))
  return page
}

function idsOn(page: number): readonly number[] {
  using live = new EditableDatabase(at('live'))
  return rowidsOn(live, page).map(Number)
}

const byRowid = 'CREATE TABLE notes(id INTEGER PRIMARY KEY, owner TEXT, state INT, body TEXT)'
const byKey = 'CREATE TABLE notes(id INTEGER, owner TEXT, state INT, body TEXT, PRIMARY KEY(id)) WITHOUT ROWID'
const indexes = 'CREATE INDEX notes_owner ON notes(owner); CREATE INDEX notes_state ON notes(state)'

it.each([
  ['with rowids', byRowid],
  ['WITHOUT ROWID', byKey],
])('I1.10 an old page that equals the backup, table %s: its rows stay, and each is listed', async (_, schema) => {
  make(`${schema}; ${indexes}`)
  const live = exactRows(at('live'), 'notes', 'id')
  putBack('backup', 'notes')
  const stale = oldIds()
  expect(stale.length).toBeGreaterThan(5)
  const { rows } = await merge()
  expect(rows.ofBackup.total).toBe(stale.length)
  expect(rows.conflicting.total).toBe(400)
  const result = exactRows(at('result'), 'notes', 'id')
  const backup = exactRows(at('backup'), 'notes', 'id')
  for (let id = 1; id <= 400; id++)
    expect([id, result.get(`${id}`)]).toEqual([id, (stale.includes(id) ? backup : live).get(`${id}`)])
})

/** Rows of the live file that are as in the backup. No index has the body, so the table itself is read. */
function oldIds(): readonly number[] {
  const db = new Database(at('live'), { readonly: true })
  const ids = db
    .prepare<[], number>("SELECT id FROM notes NOT INDEXED WHERE body LIKE 'b%' AND +owner LIKE '% old'")
    .pluck()
    .all()
  db.close()
  return ids
}

it('an old page that is newer than the backup: indexes contradict its rows, so those of the backup stay', async () => {
  make(`${byRowid}; ${indexes}`)
  change('backup', 'between', "owner = printf('%04d mid', id), state = state + 10000")
  const stale = idsOn(putBack('between', 'notes'))
  const { rows } = await merge()
  expect(rows.ofBackup).toEqual({ total: stale.length, keys: stale.slice(0, rows.ofBackup.keys.length) })
  const [result, backup] = ['result', 'backup'].map((name) => exactRows(at(name), 'notes')) as [
    ReadonlyMap<string, string>,
    ReadonlyMap<string, string>,
  ]
  for (const id of stale) expect(result.get(`${id}`)).toBe(backup.get(`${id}`))
})

it('an old page of one index: the other one agrees with the table, whose rows stay', async () => {
  make(`${byRowid}; ${indexes}`)
  putBack('backup', 'notes_owner')
  const live = exactRows(at('live'), 'notes')
  const { rows } = await merge()
  expect(rows.ofBackup.total).toBe(0)
  expect(exactRows(at('result'), 'notes')).toEqual(live)
})

it('an index that was damaged says nothing against the table', async () => {
  make(`${byRowid}; CREATE INDEX notes_owner ON notes(owner)`)
  const live = exactRows(at('live'), 'notes')
  using patient = new EditableDatabase(at('live'))
  patient.write(patient.leaf('notes_owner'), Buffer.alloc(1024))
  const { rows } = await merge()
  expect(rows.ofBackup.total).toBe(0)
  expect(exactRows(at('result'), 'notes')).toEqual(live)
})

it('rows of every kind of value agree with their indexes', async () => {
  const db = new Database(at('backup'))
  db.exec(`PRAGMA encoding='UTF-16le'; CREATE TABLE notes(id INTEGER PRIMARY KEY, a REAL, b, c TEXT COLLATE NOCASE);
    CREATE INDEX notes_all ON notes(a, b DESC, c, id); INSERT INTO notes VALUES(1, 1, 1, 'Ä'), (2, 1.5, 1.0, 'x'),
      (3, NULL, NULL, NULL), (4, 9223372036854775807, x'00ff', ''), (5, 'text', 'text', CAST(x'00d8' AS TEXT)),
      (-6, -1e308, 9007199254740993, 'X')`)
  db.exec("ALTER TABLE notes ADD COLUMN d DEFAULT 'later'; CREATE INDEX notes_d ON notes(d)")
  db.close()
  copyFileSync(at('backup'), at('live'))
  const { rows } = await merge()
  expect(rows.conflicting.total).toBe(0)
})
