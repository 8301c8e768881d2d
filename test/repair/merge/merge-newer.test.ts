import { copyFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { SnapshotPath } from '../../../src/model/brand.ts'
import { mergeNewer, type MergedNewer } from '../../../src/repair/merge/merge-newer.ts'
import { EditableDatabase } from '../../support/databases/surgeon.ts'
import { exactRows, checkOfResult } from '../../support/merge/merge-in-process.ts'
import { rowidsOn } from '../../support/merge/rowids-on.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-newer-'))
})
afterEach(() => rmSync(folder, { recursive: true }))
const at = (name: string): string => join(folder, name)

const limits = { memoryBytesMax: 500_000_000, niceness: 0, timeoutMs: 60_000 }
const run = (prefer: 'newer' | 'backup' = 'newer'): Promise<MergedNewer> =>
  mergeNewer(
    at('backup') as SnapshotPath,
    { path: at('live') as SnapshotPath, kept: null },
    at('result'),
    { prefer, folder, limits },
    new AbortController().signal,
  )

const value = (i: number): unknown =>
  [`text ${i}`, (BigInt(i) * 1_000_000_007n ** 2n) % (1n << 62n), i / 7, Buffer.from([0, i & 255, 255]), null, `${i}`][
    i % 6
  ]

/** 5,000 rows at the time of the backup, 10,000 newer ones, and changes to older ones. */
function makeTenant(): void {
  const db = new Database(at('backup'))
  db.pragma('secure_delete=OFF')
  db.exec(`CREATE TABLE notes(id INTEGER PRIMARY KEY, owner TEXT NOT NULL, body);
    CREATE INDEX notes_owner ON notes(owner);
    CREATE TABLE owners(name TEXT PRIMARY KEY, n INT) WITHOUT ROWID`)
  const put = db.prepare('INSERT INTO notes VALUES(?, ?, ?)')
  db.transaction(() => {
    for (let i = 1; i <= 5000; i++) put.run(i, `owner ${i % 97}`, value(i))
    for (let i = 0; i < 97; i++) db.prepare('INSERT INTO owners VALUES(?, ?)').run(`owner ${i}`, i)
  })()
  db.close()
  copyFileSync(at('backup'), at('live'))
  const live = new Database(at('live'))
  live.pragma('secure_delete=OFF')
  const add = live.prepare('INSERT INTO notes VALUES(?, ?, ?)')
  live.transaction(() => {
    for (let i = 5001; i <= 15_000; i++) add.run(i, `owner ${i % 97}`, value(i))
    live.exec(`UPDATE notes SET body = 'changed ' || id WHERE id % 50 = 0; DELETE FROM notes WHERE id % 77 = 0`)
  })()
  live.close()
  copyFileSync(at('live'), at('whole'))
}

/** Overwrites every so many leaves of the table. @returns the ids that were on them */
function destroyLeaves(every: number): ReadonlySet<string> {
  const patient = new EditableDatabase(at('live'))
  const leaves = patient.pages('notes').filter((page) => patient.bTree(page).leaf)
  const lost = leaves.filter((_, i) => i % every === 3)
  for (const page of lost) patient.write(page, Buffer.alloc(patient.layout.pageSize, 0xa5))
  patient[Symbol.dispose]()
  const readable = new Set<string>()
  const db = new Database(at('whole'), { readonly: true })
  const ids = db.prepare<[], string>('SELECT CAST(id AS TEXT) FROM notes').pluck().all()
  db.close()
  // Each row lies on the leaf that its id belongs to: the test reads the leaves itself.
  const whole = new EditableDatabase(at('whole'))
  for (const page of leaves) if (!lost.includes(page)) for (const id of rowidsOn(whole, page)) readable.add(id)
  whole[Symbol.dispose]()
  return new Set(ids.filter((id) => !readable.has(id)))
}

it('brings back every readable newer row as it was, and lists every unreadable one', async () => {
  makeTenant()
  const lost = destroyLeaves(9)
  expect(lost.size).toBeGreaterThan(500)
  using merged = await run()
  const live = exactRows(at('whole'), 'notes')
  const backup = exactRows(at('backup'), 'notes')
  const expected = new Map([...live].filter(([id]) => !lost.has(id)))
  for (const id of lost) if (backup.has(id)) expected.set(id, backup.get(id) ?? '')
  // The index has every row of the table, so a row that was deleted is not brought back.
  const result = exactRows(at('result'), 'notes')
  expect(result).toEqual(expected)
  const unreadable = [...lost].filter((id) => !backup.has(id))
  const [notes] = merged.account.summary.tables.filter(({ table }) => table === 'notes')
  expect(notes?.rows.unreadable.total).toBe(unreadable.length)
  expect(merged.losses.find(({ table }) => table === 'notes')).toMatchObject({
    lost: unreadable.length,
    unreadable: lost.size,
  })
  expect(exactRows(at('result'), 'owners', 'name')).toEqual(exactRows(at('whole'), 'owners', 'name'))
  expect(checkOfResult(at('result'))).toBe('ok')
  expect(readdirSync(folder).toSorted()).toEqual(['backup', 'live', 'result', 'whole'])
})
