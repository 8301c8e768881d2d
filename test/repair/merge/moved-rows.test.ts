/** A row that a salvage moves because another one has its UNIQUE key was in its table: the backup's row comes back. */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import { expect, it } from 'vitest'
import type { SnapshotPath } from '../../../src/model/brand.ts'
import { mergeNewer } from '../../../src/repair/merge/merge-newer.ts'
import { makeFolder } from '../../support/cli/folder.ts'

function rowsOf(path: string): unknown {
  const db = new Database(path, { readonly: true })
  try {
    return db.prepare('SELECT typeof(id), * FROM u ORDER BY id').raw().all()
  } finally {
    db.close()
  }
}

it.each([
  ['with rowids', 'id INTEGER PRIMARY KEY, k TEXT', ''],
  ['without rowids', 'id TEXT PRIMARY KEY, k TEXT', 'WITHOUT ROWID'],
])('in a table %s', async (_, columns, how) => {
  using folder = makeFolder()
  const db = new Database(folder.in('backup'))
  db.exec(`CREATE TABLE u(${columns}) ${how}; CREATE UNIQUE INDEX u_k ON u(k);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)
      INSERT INTO u SELECT i, printf('k%05d', i) FROM n`)
  db.close()
  copyFileSync(folder.in('backup'), folder.in('live'))
  const bytes = readFileSync(folder.in('live'))
  bytes.write('k00018', bytes.indexOf('k00017')) // Of the table, which lies before its index.
  writeFileSync(folder.in('live'), bytes)
  const limits = { memoryBytesMax: 500_000_000, niceness: 0, timeoutMs: 60_000 }
  using merged = await mergeNewer(
    folder.in('backup') as SnapshotPath,
    { path: folder.in('live') as SnapshotPath, kept: null },
    folder.in('result'),
    { prefer: 'newer', folder: folder.path, limits },
    new AbortController().signal,
  )
  expect(rowsOf(folder.in('result'))).toEqual(rowsOf(folder.in('backup')))
  expect(merged.account.summary.tables).toMatchObject([{ rows: { deleted: { total: 0 } } }])
})
