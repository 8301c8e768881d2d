/** Which files of a folder are databases. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, it } from 'vitest'
import { kindOfCopy } from '../../../src/hold/file-kind.ts'
import { findDatabases } from '../../../src/hold/live/find-databases.ts'
import type { SnapshotPath } from '../../../src/model/brand.ts'
import { bytesInState } from '../../support/hold/changes.ts'

it('a folder that is checked gives neither files of a change nor kept originals', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-find-'))
  try {
    const id = '01M8HBGZ8RWHH8WDCWJ0187DYB'
    const bytes = bytesInState('delete', 5)['']
    const names = [`.holdfast-${id}-1-mended`, `app.db.original-${id}`, `app.db.original-${id}.settled`]
    for (const name of ['app.db', 'app.db.original', ...names]) writeFileSync(join(folder, name), bytes)
    expect(await findDatabases(folder)).toEqual([join(folder, 'app.db'), join(folder, 'app.db.original')])
    expect(await findDatabases(join(folder, `app.db.original-${id}`))).toHaveLength(1)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

it.each([512, 4096, 65_536])(
  'a database whose header is destroyed is found without an ending, pages of %i',
  async (pageSize) => {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-find-'))
    try {
      const file = join(folder, 'state')
      const db = new Database(file)
      db.pragma(`page_size=${pageSize}`)
      db.exec('CREATE TABLE t(a); CREATE TABLE u(a)')
      for (let i = 0; i < 300; i++) db.exec(`INSERT INTO t VALUES('${'x'.repeat(90)}'); INSERT INTO u VALUES(${i})`)
      db.close()
      const bytes = readFileSync(file).fill(0x5a, 0, 100)
      writeFileSync(file, bytes)
      writeFileSync(join(folder, 'noise'), Buffer.alloc(8192, 'no database'))
      expect(await findDatabases(folder)).toEqual([file])
      expect(kindOfCopy(file as SnapshotPath).contents).toBe('broken-header')
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
)
