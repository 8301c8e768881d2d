/** Rows that no cell and no index names any more: the account has the ranges in which their keys lie, and no others. */
import { copyFileSync, mkdtempSync, rmSync, statSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { SnapshotPath } from '../../../src/model/brand.ts'
import type { LostRange, TableSummary } from '../../../src/model/result/account.ts'
import { AccountDraft } from '../../../src/repair/account/account-draft.ts'
import { mergeNewer } from '../../../src/repair/merge/merge-newer.ts'
import { salvage } from '../../../src/repair/salvage/salvage.ts'
import { dropCell, EditableDatabase, recordBody } from '../../support/databases/surgeon.ts'
import { rowidsOn } from '../../support/merge/rowids-on.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-ranges-'))
})
afterEach(() => rmSync(folder, { recursive: true }))
const at = (name: string): string => join(folder, name)

function make(schema: string, insert: string, rows: number): void {
  const db = new Database(at('live'))
  db.exec(`PRAGMA page_size=1024; ${schema}`)
  const put = db.prepare<[number]>(insert)
  db.transaction(() => {
    for (let i = 1; i <= rows; i++) put.run(i)
  })()
  db.close()
  copyFileSync(at('live'), at('whole'))
}

async function accountOf(table: string): Promise<TableSummary> {
  using account = new AccountDraft(folder)
  await salvage(
    { path: at('live') as SnapshotPath, kept: null },
    at('result'),
    { folder, schemaOf: null, limits: { memoryBytesMax: 500_000_000, niceness: 0, timeoutMs: 60_000 }, account },
    new AbortController().signal,
  )
  const found = account.summary.tables.find((one) => one.table === table)
  if (found === undefined) throw new Error(`the account has no ${table}`)
  return found
}

function rowids(file: string): readonly number[] {
  const db = new Database(at(file), { readonly: true })
  const ids = db.prepare<[], number>('SELECT rowid FROM t NOT INDEXED ORDER BY rowid').pluck().all()
  db.close()
  return ids
}

const isIn = ({ lostRanges }: TableSummary, id: number): boolean =>
  lostRanges.first.some(
    ({ after, before }) => (after === null || id > Number(after)) && (before === null || id < Number(before)),
  )

/** Zeros leaves of an object, from `from` to before `to`. @returns their numbers */
function zeroLeaves(name: string, from: number, to: number): readonly number[] {
  using patient = new EditableDatabase(at('live'))
  const leaves = patient
    .pages(name)
    .filter((page) => patient.bTree(page).leaf)
    .slice(from, to)
  for (const page of leaves) patient.write(page, Buffer.alloc(1024))
  return leaves
}

function rowidsOnLeaves(leaves: readonly number[]): readonly number[] {
  using whole = new EditableDatabase(at('whole'))
  return leaves.flatMap((page) => rowidsOn(whole, page).map(Number)).toSorted((a, b) => a - b)
}

const plain = "INSERT INTO t SELECT i, 'owner ' || i, hex(zeroblob(20)) FROM (SELECT ? AS i)"

it('a file that was cut off: the range behind the last readable key has no end', async () => {
  make('CREATE TABLE t(id INTEGER PRIMARY KEY, owner TEXT, body TEXT)', plain, 2000)
  truncateSync(at('live'), Math.floor(statSync(at('live')).size / 1024 / 2) * 1024)
  const account = await accountOf('t')
  const found = rowids('result')
  const missing = rowids('whole').filter((id) => !found.includes(id))
  expect(missing.length).toBeGreaterThan(500)
  expect(account.rows.unreadable.total).toBe(0)
  expect(missing.filter((id) => !isIn(account, id))).toEqual([])
  expect(account.lostRanges.first.at(-1)).toMatchObject({ after: found.at(-1), before: null })
  expect(found.filter((id) => isIn(account, id))).toEqual([])
})

it('I1.10 a file that was cut off before an upper page: the leaves that are left do not fill its range', async () => {
  make('CREATE TABLE t(id INTEGER PRIMARY KEY, owner TEXT, body TEXT)', plain, 4000)
  const upper = lastUpperPage()
  truncateSync(at('live'), (upper - 1) * 1024)
  const account = await accountOf('t')
  const found = rowids('result')
  const missing = rowids('whole').filter((id) => !found.includes(id))
  // Leaves of the lost page are left, and were given to the table.
  expect(rowidsOnLeaves(leavesOf(upper).filter((page) => page < upper)).filter((id) => !found.includes(id))).toEqual([])
  expect(missing.length).toBeGreaterThan(20)
  expect(missing.filter((id) => !isIn(account, id))).toEqual([])
  expect(found.filter((id) => isIn(account, id))).toEqual([])
})

it('I1.10 no row of a backup counts as deleted because the file was cut off before an upper page', async () => {
  make('CREATE TABLE t(id INTEGER PRIMARY KEY, owner TEXT, body TEXT)', plain, 4000)
  truncateSync(at('live'), (lastUpperPage() - 1) * 1024)
  using merged = await mergeNewer(
    at('whole') as SnapshotPath,
    { path: at('live') as SnapshotPath, kept: null },
    at('result'),
    { prefer: 'newer', folder, limits: { memoryBytesMax: 500_000_000, niceness: 0, timeoutMs: 60_000 } },
    new AbortController().signal,
  )
  expect(merged.account.summary.tables[0]?.rows.deleted.total).toBe(0)
  expect(rowids('result')).toEqual(rowids('whole'))
})

/** The last interior page of the table that is not the root. */
function lastUpperPage(): number {
  using whole = new EditableDatabase(at('whole'))
  const root = whole.root('t')
  const upper = whole.pages('t').filter((page) => page !== root && !whole.bTree(page).leaf)
  return Math.max(...upper)
}

function leavesOf(upper: number): readonly number[] {
  using whole = new EditableDatabase(at('whole'))
  return whole.children(upper)
}

it('neighbouring leaves and the index entries of their rows: one range with all of their pages', async () => {
  make('CREATE TABLE t(id INTEGER PRIMARY KEY, owner TEXT, body TEXT); CREATE INDEX t_id ON t(id, owner)', plain, 2000)
  const leaves = zeroLeaves('t', 20, 25)
  using whole = new EditableDatabase(at('whole'))
  const entries = whole.pages('t_id').filter((page) => whole.bTree(page).leaf).length
  const lost = rowidsOnLeaves(leaves)
  const first = lost[0] ?? 0
  const last = lost.at(-1) ?? 0
  zeroLeaves('t_id', Math.floor((entries * first) / 2000) - 2, Math.ceil((entries * last) / 2000) + 2)
  const account = await accountOf('t')
  expect(account.lostRanges).toEqual({
    total: 1,
    first: [{ after: first - 1, before: last + 1, pages: leaves.toSorted((a, b) => a - b) }],
  })
  const found = rowids('result')
  const missing = rowids('whole').filter((id) => !found.includes(id))
  expect(missing).toEqual(lost)
  expect(account.rows.unreadable.total).toBeLessThan(missing.length)
})

it('a table without rowids: ranges between rows of the pages above, in the order of its key', async () => {
  const schema = 'CREATE TABLE t(a TEXT, b INTEGER, c TEXT, PRIMARY KEY(a, b)) WITHOUT ROWID'
  make(schema, "INSERT INTO t SELECT printf('key %04d', i), i, hex(zeroblob(20)) FROM (SELECT ? AS i)", 2000)
  const pages = zeroLeaves('t', 10, 12)
  const account = await accountOf('t')
  expect(account.lostRanges.total).toBe(2)
  const ranges = account.lostRanges.first.toSorted((a, b) => boundOf(a) - boundOf(b))
  const [one, other] = ranges
  expect(ranges.flatMap((range) => range.pages)).toEqual(pages)
  expect(one?.before).toEqual(other?.after)
  const db = new Database(at('whole'), { readonly: true })
  const result = new Database(at('result'), { readonly: true })
  const keys = (of: Database.Database): readonly number[] => of.prepare<[], number>('SELECT b FROM t').pluck().all()
  const found = new Set(keys(result))
  const missing = keys(db).filter((key) => !found.has(key))
  for (const one of [db, result]) one.close()
  const isLost = (key: number): boolean => ranges.some((range) => key > boundOf(range) && key < endOf(range))
  expect(missing.length).toBeGreaterThan(10)
  expect(missing.filter((key) => !isLost(key))).toEqual([])
  expect([...found].filter(isLost)).toEqual([])
})

const boundOf = ({ after }: LostRange): number => Number((after as readonly unknown[])[1])
const endOf = ({ before }: LostRange): number => Number((before as readonly unknown[])[1])

it('no range if a whole index names every row', async () => {
  make('CREATE TABLE t(id INTEGER PRIMARY KEY, owner TEXT, body TEXT); CREATE INDEX t_owner ON t(owner)', plain, 2000)
  const lost = rowidsOnLeaves(zeroLeaves('t', 20, 25))
  const account = await accountOf('t')
  expect(account.rows.unreadable.total).toBe(lost.length)
  expect(account.lostRanges).toEqual({ total: 0, first: [] })
})

it.each([
  ['have lost their overflow pages', 'hex(zeroblob(300)) || i', 0xff],
  ['end in overflow pages of zeros, in their order', "printf('%06d', i) || hex(randomblob(300))", 0],
])('an index whose entries %s does not name every row', async (_, owner, byte) => {
  const long = `INSERT INTO t SELECT i, ${owner}, 'body' FROM (SELECT ? AS i)`
  make('CREATE TABLE t(id INTEGER PRIMARY KEY, owner TEXT, body TEXT); CREATE INDEX t_owner ON t(owner)', long, 500)
  const db = new Database(at('whole'), { readonly: true })
  const overflow = db
    .prepare<[], number>("SELECT pageno FROM dbstat WHERE name = 't_owner' AND pagetype = 'overflow'")
    .pluck()
    .all()
  db.close()
  const lost = rowidsOnLeaves(zeroLeaves('t', 20, 25))
  using patient = new EditableDatabase(at('live'))
  for (const page of overflow) patient.write(page, Buffer.alloc(1024, byte))
  const account = await accountOf('t')
  expect(lost.length).toBeGreaterThan(0)
  expect(lost.filter((id) => !isIn(account, id))).toEqual([])
})

/** Where the entry of a row lies in the index of this name, which begins with the id. */
function entryOf(patient: EditableDatabase, index: string, id: number): { readonly page: number; readonly i: number } {
  for (const page of patient.pages(index)) {
    const bytes = patient.read(page)
    if (!patient.bTree(page).leaf) continue
    for (let i = 0; i < patient.bTree(page).cellCount; i++)
      if (bytes.subarray(recordBody(patient, page, i)).readUInt16BE(0) === id) return { page, i }
  }
  throw new Error(`no leaf of ${index} has ${id}`)
}

const unnamed = async (lost: readonly number[]): Promise<readonly number[]> => {
  const account = await accountOf('t')
  const found = rowids('result')
  const { keys } = account.rows.unreadable
  return lost.filter((id) => !found.includes(id) && !keys.includes(id) && !isIn(account, id))
}

it('an index that lacks a row which can be read may be an old one: it does not name every row', async () => {
  make('CREATE TABLE t(id INTEGER PRIMARY KEY, owner TEXT, body TEXT); CREATE INDEX t_id ON t(id, owner)', plain, 2000)
  const lost = rowidsOnLeaves(zeroLeaves('t', 20, 21))
  {
    using patient = new EditableDatabase(at('live'))
    for (const id of [lost[2] ?? 0, 1000]) {
      const { page, i } = entryOf(patient, 't_id', id)
      dropCell(patient, page, i)
    }
  }
  expect(await unnamed(lost)).toEqual([])
})

it('an index does not name every row if an entry has no rowid', async () => {
  make('CREATE TABLE t(id INTEGER PRIMARY KEY, owner TEXT, body TEXT); CREATE INDEX t_id ON t(id, owner)', plain, 2000)
  const lost = rowidsOnLeaves(zeroLeaves('t', 20, 21))
  {
    using patient = new EditableDatabase(at('live'))
    const { page, i } = entryOf(patient, 't_id', lost[2] ?? 0)
    const type = recordBody(patient, page, i) - 1
    patient.edit(page, (bytes) => {
      bytes[type] = 0x11 // A text of two bytes, no integer of two bytes.
    })
  }
  expect(await unnamed(lost)).toEqual([])
})

it.each(['', 'WITHOUT ROWID'])(
  'no range for a row whose key can be read: its overflow page is lost %s',
  async (kind) => {
    make(
      `CREATE TABLE t(id INTEGER PRIMARY KEY, owner TEXT, body TEXT) ${kind}`,
      "INSERT INTO t SELECT i, 'owner ' || i, hex(zeroblob(iif(i = 30, 3000, 20))) FROM (SELECT ? AS i)",
      60,
    )
    using patient = new EditableDatabase(at('live'))
    patient.write(patient.chain('t', 5).first, Buffer.alloc(1024, 0xff))
    const account = await accountOf('t')
    expect(account.rows.unreadable).toEqual({ total: 1, keys: kind === '' ? [30] : [[30]] })
    expect(account.lostRanges).toEqual({ total: 0, first: [] })
  },
)

it('a table whose only page is lost is not known to be empty because its index is', async () => {
  make('CREATE TABLE t(a TEXT, b TEXT); CREATE INDEX i ON t(a)', "INSERT INTO t VALUES('n' || ?, 'v')", 5)
  {
    using patient = new EditableDatabase(at('live'))
    const [root = 0, index = 0] = [...patient.pages('t'), ...patient.pages('i')]
    patient.write(root, Buffer.alloc(1024))
    patient.edit(index, (bytes) => {
      bytes.fill(0)
      bytes[0] = 10 // As it was before the first row: a leaf without cells.
      bytes.writeUInt16BE(1024, 5)
    })
  }
  expect((await accountOf('t')).lostRanges.total).toBe(1)
})
