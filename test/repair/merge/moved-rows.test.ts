/** Rows that a salvage does not find under their key though they were in their table: the backup's row comes back. */
import Database from 'better-sqlite3'
import { expect, it } from 'vitest'
import { makeFolder } from '../../support/cli/folder.ts'
import { exactRows } from '../../support/merge/merge-in-process.ts'
import { makeWounded, mergeWounded } from '../../support/merge/wounded-live.ts'

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
])('another row has its UNIQUE key, in a table %s', async (_, columns, how) => {
  using folder = makeFolder()
  const before = `CREATE TABLE u(${columns}) ${how}; CREATE UNIQUE INDEX u_k ON u(k);
    NUMBERS INSERT INTO u SELECT i, printf('k%05d', i) FROM n WHERE i <= 200`
  makeWounded(folder, before, '', (patient) => {
    for (const page of patient.pages('u'))
      patient.edit(page, (bytes) => {
        const at = bytes.indexOf('k00017')
        if (at >= 0) bytes.write('k00018', at)
      })
  })
  using merged = await mergeWounded(folder)
  expect(rowsOf(folder.in('result'))).toEqual(rowsOf(folder.in('backup')))
  expect(merged.account.summary.tables).toMatchObject([{ rows: { deleted: { total: 0 } } }])
})

it('its rowid was changed, so the index has as many entries as the table has rows', async () => {
  using folder = makeFolder()
  const before = `CREATE TABLE u(id INTEGER PRIMARY KEY, k TEXT); CREATE INDEX u_k ON u(k);
    NUMBERS INSERT INTO u SELECT i, printf('k%05d', i) FROM n WHERE i <= 200`
  makeWounded(folder, before, '', (patient) => {
    patient.edit(patient.pages('u').at(-1) ?? 0, (bytes) => {
      // The rowid 200 is a varint of two bytes, and becomes 201.
      bytes[bytes.lastIndexOf(Buffer.from([0x81, 0x48]), bytes.indexOf('k00200')) + 1] = 0x49
    })
  })
  using merged = await mergeWounded(folder)
  const rows = exactRows(folder.in('result'), 'u')
  for (const [id, row] of exactRows(folder.in('backup'), 'u')) expect(rows.get(id)).toEqual(row)
  expect(merged.account.summary.tables).toMatchObject([{ rows: { deleted: { total: 0 } } }])
})
