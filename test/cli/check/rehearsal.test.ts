/** A check tries the rebuild that it proposes on a copy: what its report says of the remedy has been seen. */
import { readdirSync, writeFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { damageIndex, fingerprintOf, makeDatabase, makeFolder } from '../../support/cli/folder.ts'
import { holdfast, reportOf } from '../../support/cli/program.ts'
import { openService } from '../../support/cli/service.ts'

function damagedFile(path: string): string {
  makeDatabase(path)
  damageIndex(path)
  return path
}

test('a rebuild that mends the copy is rehearsed; the live file and its folder stay as they were', async () => {
  using folder = makeFolder()
  using copies = makeFolder()
  const path = damagedFile(folder.in('app.db'))
  const before = fingerprintOf(folder.path)
  const { results } = await reportOf(['check', path, '--snapshots', copies.path])
  expect(results[0]?.remedy).toMatchObject({
    do: 'rebuild',
    indexes: ['notes_title'],
    rehearsed: true,
    command: `holdfast repair ${path} --apply`,
  })
  expect([fingerprintOf(folder.path), readdirSync(copies.path)]).toEqual([before, []])
  const { stdout } = await holdfast(['check', path])
  expect(stdout).toContain('remedy  rebuild (rehearsed on a copy): 1 index (notes_title) can be rebuilt from its table')
})

test('a check by SQLite rehearses too: what it compares is counted for the rehearsal', async () => {
  using folder = makeFolder()
  const path = damagedFile(folder.in('app.db'))
  const [result] = (await reportOf(['check', path, '--engine', 'sqlite'])).results
  expect(result).toMatchObject({ verdict: 'damaged', remedy: { do: 'rebuild', rehearsed: true } })
})

test('nothing is rehearsed with check.rehearse: false', async () => {
  using folder = makeFolder()
  const path = damagedFile(folder.in('app.db'))
  const config = folder.in('holdfast.yaml')
  writeFileSync(
    config,
    JSON.stringify({
      service: { name: 'n', admin: 'unix:/none' },
      tenants: { roots: [folder.path] },
      check: { rehearse: false },
    }),
    { mode: 0o600 },
  )
  const { results } = await reportOf(['check', path, '--config', config])
  expect(results[0]?.remedy).toMatchObject({ do: 'rebuild', rehearsed: false })
})

test('a private copy is rehearsed on a copy of its own', async () => {
  using folder = makeFolder()
  using copies = makeFolder()
  const path = damagedFile(folder.in('app.db'))
  const before = fingerprintOf(folder.path)
  const { results } = await reportOf(['check', '--snapshot', path, '--snapshots', copies.path])
  expect(results[0]?.remedy).toMatchObject({ do: 'rebuild', rehearsed: true })
  expect([fingerprintOf(folder.path), readdirSync(copies.path)]).toEqual([before, []])
})

test('a rebuild that does not mend the copy is not offered, and the report says why', async () => {
  using folder = makeFolder()
  const path = makeDatabase(folder.in('app.db'))
  const database = new Database(path)
  database.unsafeMode(true) // Else SQLite protects the tables of the module.
  database.exec(
    `CREATE TABLE texts(id INTEGER PRIMARY KEY, body TEXT);
     CREATE VIRTUAL TABLE found USING fts5(body, content='texts', content_rowid='id');
     INSERT INTO texts(body) VALUES('one'), ('two'); INSERT INTO found(rowid, body) SELECT id, body FROM texts;
     DELETE FROM found_data WHERE id > 10; ALTER TABLE texts RENAME COLUMN body TO renamed`,
  )
  database.close()
  const [result] = (await reportOf(['check', path])).results
  expect(result).toMatchObject({ damage: 'fts', remedy: { do: 'ask', rehearsed: false } })
  expect(result?.remedy.why).toMatch(/a rebuild was tried on a copy, and does not mend the file: /)
})

test('a sweep rehearses too, without a further pause', async () => {
  await using service = await openService({ tenants: (data) => ({ acme: damagedFile(`${data}/acme.db`) }) })
  const { results } = await reportOf(['sweep', '--config', service.config])
  expect(results[0]?.remedy).toMatchObject({ rehearsed: true, command: 'holdfast repair --tenant acme --apply' })
  expect(service.actions).toEqual(['close acme', 'open acme'])
  expect(readdirSync(service.snapshots)).toEqual([])
})
