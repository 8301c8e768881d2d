/** Random histories, random destroyed pages, and the real salvage. What was on which page, the test reads itself. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { array, assert, asyncProperty, boolean, constantFrom, integer, record } from 'fast-check'
import { expect, it } from 'vitest'
import type { SnapshotPath } from '../../../src/model/brand.ts'
import type { Account, TableAccount } from '../../../src/model/result/account.ts'
import type { RowKey } from '../../../src/model/result/finding.ts'
import { mergeNewer } from '../../../src/repair/merge/merge-newer.ts'
import { EditableDatabase } from '../../support/databases/surgeon.ts'
import { exactRows, checkOfResult } from '../../support/merge/merge-in-process.ts'
import { rowidsOn } from '../../support/merge/rowids-on.ts'

const limits = { memoryBytesMax: 500_000_000, niceness: 0, timeoutMs: 60_000 }

/** `t` has rowids and indexes, `k` is its own primary key. */
const schema = `CREATE TABLE t(id INTEGER PRIMARY KEY, u TEXT UNIQUE, v, w REAL); CREATE INDEX t_w ON t(w, v);
  CREATE TABLE k(a TEXT, b INT, c, PRIMARY KEY(a, b)) WITHOUT ROWID;`
const keys = { t: 'id', k: "a || '/' || b" } as const

function fill(db: Database.Database, from: number, to: number): void {
  const t = db.prepare('INSERT INTO t VALUES(?, ?, ?, ?)')
  const k = db.prepare('INSERT INTO k VALUES(?, ?, ?)')
  for (let i = from; i < to; i++) {
    t.run(
      i,
      `u ${(i * 7919) % 10_007}`,
      i % 3 === 0 ? Buffer.alloc(i % 90, i) : i % 3 === 1 ? `v${i}` : BigInt(i) << 40n,
      i / 4,
    )
    k.run(`key ${(i * 31) % 17}`, i, i % 2 === 0 ? null : `c ${i}`)
  }
}

const history = record({
  pageSize: constantFrom(512, 1024, 4096),
  before: integer({ min: 0, max: 400 }),
  more: integer({ min: 0, max: 400 }),
  updateEvery: integer({ min: 2, max: 40 }),
  deleteEvery: integer({ min: 2, max: 40 }),
  /** Which pages are destroyed, as parts of a thousand of the pages of the object. */
  wounds: array(
    record({
      object: constantFrom('t', 'k', 't_w', 'sqlite_autoindex_t_1'),
      at: integer({ min: 0, max: 999 }),
      leafOnly: boolean(),
    }),
    { maxLength: 4 },
  ),
  byte: constantFrom(0, 0xff, 0x0d),
  encoding: constantFrom('UTF-8', 'UTF-16be'),
})
type History = typeof history extends import('fast-check').Arbitrary<infer Value> ? Value : never

class Tenant implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'holdfast-wounds-'))
  readonly backup = join(this.folder, 'backup')
  readonly live = join(this.folder, 'live')
  readonly whole = join(this.folder, 'whole')
  readonly result = join(this.folder, 'result')
  /** Pages of `t` and `k` that were destroyed. */
  readonly destroyed = new Set<number>()

  constructor(one: History) {
    this.#change(this.backup, (db) => {
      db.exec(`PRAGMA page_size=${one.pageSize}; PRAGMA encoding='${one.encoding}'; ${schema}`)
      fill(db, 1, one.before + 1)
    })
    copyFileSync(this.backup, this.live)
    this.#change(this.live, (db) => {
      fill(db, one.before + 1, one.before + one.more + 1)
      db.exec(`UPDATE t SET v = 'changed ' || id WHERE id % ${one.updateEvery} = 0;
        DELETE FROM t WHERE id % ${one.deleteEvery} = 1;
        UPDATE k SET c = 'changed' WHERE b % ${one.updateEvery} = 0; DELETE FROM k WHERE b % ${one.deleteEvery} = 1`)
    })
    copyFileSync(this.live, this.whole)
    const patient = new EditableDatabase(this.live)
    const pagesOf = new Map(['t', 'k', 't_w', 'sqlite_autoindex_t_1'].map((name) => [name, patient.pages(name)]))
    for (const { object, at, leafOnly } of one.wounds) {
      const pages = (pagesOf.get(object) ?? []).filter((page) => !leafOnly || this.#isLeaf(page))
      const page = pages[Math.floor((at * pages.length) / 1000)]
      if (page === undefined) continue
      patient.write(page, Buffer.alloc(one.pageSize, one.byte))
      if (object === 't' || object === 'k') this.destroyed.add(page)
    }
    patient[Symbol.dispose]()
  }

  /** Rowids of `t` on pages that were not destroyed. */
  readable(): readonly string[] {
    using whole = new EditableDatabase(this.whole)
    return whole
      .pages('t')
      .filter((page) => whole.bTree(page).leaf && !this.destroyed.has(page))
      .flatMap((page) => rowidsOn(whole, page))
  }

  #isLeaf(page: number): boolean {
    using whole = new EditableDatabase(this.whole)
    return whole.bTree(page).leaf
  }

  #change(path: string, work: (db: Database.Database) => void): void {
    const db = new Database(path)
    db.unsafeMode(true)
    db.exec('PRAGMA secure_delete=OFF; PRAGMA synchronous=OFF; PRAGMA journal_mode=MEMORY')
    work(db)
    db.close()
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true })
  }
}

/** As `keys` says: the id, or both parts of the key with a slash. */
const textOfKey = (key: RowKey): string =>
  typeof key === 'object' ? key.map((one) => (typeof one === 'object' ? JSON.stringify(one) : one)).join('/') : `${key}`

const isInLostRange = ({ lostRanges }: TableAccount, key: string): boolean =>
  lostRanges.some(
    ({ after, before }) =>
      (after === null || isBefore(textOfKey(after), key)) && (before === null || isBefore(key, textOfKey(before))),
  )

function isBefore(one: string, other: string): boolean {
  const [a, b] = [one.split('/'), other.split('/')] as const
  return a.length === 2 && a[0] !== b[0] ? (a[0] ?? '') < (b[0] ?? '') : Number(a.at(-1)) < Number(b.at(-1))
}

it('brings back what is readable, invents nothing, and leaves no row out without listing it', async () => {
  await assert(
    asyncProperty(history, async (one) => {
      using tenant = new Tenant(one)
      using merged = await mergeNewer(
        tenant.backup as SnapshotPath,
        { path: tenant.live as SnapshotPath, kept: null },
        tenant.result,
        { prefer: 'newer', folder: tenant.folder, limits },
        new AbortController().signal,
      )
      expect(checkOfResult(tenant.result)).toBe('ok')
      const published = await merged.account.publish('01A', { folder: tenant.folder, name: 'account' })
      const account = JSON.parse(readFileSync(published, 'utf8')) as Account
      const isWhole = tenant.destroyed.size === 0
      for (const table of ['t', 'k'] as const) {
        const [result, live, backup] = [tenant.result, tenant.whole, tenant.backup].map((path) =>
          exactRows(path, table, keys[table]),
        )
        if (!result || !live || !backup) throw new Error('three files')
        for (const [key, row] of result)
          expect([row === live.get(key) || row === backup.get(key), key]).toEqual([true, key])
        if (isWhole) expect(result).toEqual(live)
        const accounted = account.tables.find((one) => one.table === table)
        if (accounted === undefined) throw new Error(`the account has ${table}`)
        const { unreadable, conflicting, orphaned } = accounted
        const listed = new Set([...unreadable.keys, ...conflicting.leftOut.keys, ...orphaned.keys].map(textOfKey))
        const gone = [...live.keys()].filter((key) => !result.has(key) && !listed.has(key))
        // Rows that no index and no cell knows.
        expect(gone.filter((key) => !isInLostRange(accounted, key))).toEqual([])
        if (isWhole) expect(accounted.lostRanges).toEqual([])
        if (table === 't') for (const id of tenant.readable()) expect([id, result.get(id)]).toEqual([id, live.get(id)])
        for (const key of backup.keys()) if (live.has(key)) expect([key, result.has(key)]).toEqual([key, true])
      }
    }),
    { numRuns: Number(process.env['HOLDFAST_RUNS'] ?? 15) },
  )
})
