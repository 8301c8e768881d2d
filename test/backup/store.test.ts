/** The store of backups: what is kept comes back byte for byte, once for each content, under the right name. */
import { copyFileSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { backupFolderOf } from '../../src/backup/layout.ts'
import { tenantId } from '../../src/model/brand.ts'
import { acmeFile, day, never, rows, useStore } from '../support/backup/sound-files.ts'

const store = useStore()

test('a sound database is stored, listed as verified, and comes back byte for byte', async () => {
  const { kind, backup } = await store.keep(rows(300))
  expect(kind).toBe('stored')
  expect(await store.list()).toEqual([backup])
  expect(backup).toMatchObject({ ...acmeFile, takenAt: day(1), state: 'verified', confirmedAt: null, failure: null })
  expect(backup.storedBytes).toBeLessThan(backup.bytes ?? 0)
  const restored = await store.backups.restore(backup.id, store.file('back.db'), never)
  expect(readFileSync(restored)).toEqual(readFileSync(store.file('kept.db')))
  expect(statSync(restored).mode & 0o777).toBe(0o600)
})

test('folders are 0700, files 0600, and nothing else lies there', async () => {
  const { backup } = await store.keep(rows(10))
  expect(store.namesOf()).toEqual([`${backup.id}.db.zst`, `${backup.id}.json`])
  for (const folder of ['backups', 'backups/tenants', join('backups', backupFolderOf(acmeFile))])
    expect(statSync(store.file(folder)).mode & 0o777).toBe(0o700)
  for (const name of store.namesOf()) expect(statSync(join(store.folderOf(), name)).mode & 0o777).toBe(0o600)
})

test('content equal to the newest backup is not stored again: the old one is confirmed', async () => {
  const first = await store.keep(rows(50))
  const again = await store.keep(rows(50), { takenAt: day(2) })
  expect(again.kind).toBe('confirmed')
  expect(again.backup).toEqual({ ...first.backup, confirmedAt: day(2) })
  expect(await store.list()).toEqual([again.backup])
  const changed = await store.keep(rows(51), { takenAt: day(3) })
  expect(changed.kind).toBe('stored')
  expect((await store.list()).map(({ takenAt }) => takenAt)).toEqual([day(1), day(3)])
})

test.each([
  ['another index', 'CREATE INDEX more ON events(weight)'],
  ['another view', 'CREATE VIEW some AS SELECT 1'],
  ['user_version', 'PRAGMA user_version=7'],
  ['application_id', 'PRAGMA application_id=7'],
  ['one changed value', 'UPDATE events SET weight=weight+1 WHERE id=30'],
])('%s is other content', async (_, sql) => {
  await store.keep(rows(50))
  const other = await store.keep(
    (db) => {
      rows(50)(db)
      db.exec(sql)
    },
    { takenAt: day(2) },
  )
  expect(other.kind).toBe('stored')
})

test('an older state is no confirmation of a newer one', async () => {
  await store.keep(rows(50), { takenAt: day(5) })
  expect((await store.keep(rows(50), { takenAt: day(4), origin: 'fetched' })).kind).toBe('stored')
})

test('a backup that was made while the clock was wrong is neither the newest nor in the way', async () => {
  const ahead = new Date(Date.now() + 400 * 86_400_000).toISOString()
  await store.keep(rows(1), { takenAt: ahead })
  const { backup } = await store.keep(rows(2))
  await store.backups.rotate(acmeFile, { last: 1, daily: 0, weekly: 0 })
  expect(await store.list()).toHaveLength(2)
  expect((await store.backups.newestVerified({ ...acmeFile, before: null }))?.id).toBe(backup.id)
})

test('ids that look alike have folders of their own', async () => {
  const ids = ['a/b', 'a:b', 'A/b', 'a_b', '..', '.', 'é', 'e\u0301', '\ud800', '\udc00', 'x'.repeat(300), '-rf', ' ']
  const folders = ids.map((id) => backupFolderOf({ tenant: tenantId(id), path: '/srv/a.db' }))
  expect(new Set(folders.map((folder) => folder.toLowerCase())).size).toBe(ids.length)
  for (const folder of folders) expect(folder).toMatch(/^tenants\/[A-Za-z0-9_-][A-Za-z0-9._-]*-[0-9a-f]{16}$/)
  for (const [at, id] of ids.entries()) await store.keep(rows(at + 1), { tenant: tenantId(id) })
  for (const [at, id] of ids.entries()) {
    const newest = await store.backups.newestVerified({ ...acmeFile, tenant: tenantId(id), before: null })
    expect(newest?.tenant).toBe(id)
    await store.backups.restore(newest?.id ?? '', store.file(`${at}.db`), never)
  }
})

test('files of one tenant, and bare files, are told apart by their paths', async () => {
  const [one, two] = ['/srv/notes/acme.db', '/srv/notes/search.db']
  await store.keep(rows(1), { path: one })
  await store.keep(rows(1), { path: two })
  await store.keep(rows(1), { tenant: null, path: one })
  expect((await store.list()).map(({ tenant, path }) => [tenant, path])).toEqual([
    ['acme', one],
    ['acme', two],
    [null, one],
  ])
  expect(await store.list({ tenant: acmeFile.tenant, path: two })).toHaveLength(1)
  expect(await store.list({ tenant: null })).toHaveLength(1)
  expect(await store.backups.newestVerified({ tenant: null, path: two, before: null })).toBeNull()
})

test('the newest verified backup from before a time is chosen', async () => {
  const kept = [
    await store.keep(rows(1), { takenAt: day(1) }),
    await store.keep(rows(2), { takenAt: day(2) }),
    await store.keep(rows(3), { takenAt: day(3) }),
  ].map(({ backup }) => backup)
  const newest = (before: string | null) => store.backups.newestVerified({ ...acmeFile, before })
  expect(await newest(null)).toEqual(kept[2])
  expect(await newest('2026-11-02T04:00:00+00:00')).toEqual(kept[1])
  expect(await newest(day(1))).toEqual(kept[0])
  expect(await newest(day(1, 2))).toBeNull()
})

test('a stray copy in the folder of another file is broken, and does not hide the backup', async () => {
  const { backup } = await store.keep(rows(10))
  const others = { ...acmeFile, tenant: tenantId('aaa') }
  await store.keep(rows(20), others)
  const [from, to] = [store.folderOf(), store.folderOf(others)]
  for (const name of store.namesOf()) copyFileSync(join(from, name), join(to, name))
  expect(from > to).toBe(true)
  const entry = await store.backups.find(backup.id)
  expect([entry.folder, entry.backup.state]).toEqual([from, 'verified'])
  await store.backups.restore(backup.id, store.file('back.db'), never)
  const states = (await store.list()).filter(({ id }) => id === backup.id).map(({ state }) => state)
  expect(states.toSorted()).toEqual(['broken', 'verified'])
})

test('an unknown id, or one that is none, is refused by its own code', async () => {
  await store.keep(rows(1))
  for (const id of ['20260101T000000000Z-00000000', '../../etc/passwd', '']) {
    await expect(store.backups.find(id)).rejects.toMatchObject({ code: 'BACKUP_UNKNOWN' })
    await expect(store.backups.restore(id, store.file('x.db'), never)).rejects.toMatchObject({ code: 'BACKUP_UNKNOWN' })
  }
})

test('a restore replaces no file', async () => {
  const { backup } = await store.keep(rows(1))
  mkdirSync(store.file('there.db'))
  await expect(store.backups.restore(backup.id, store.file('there.db'), never)).rejects.toMatchObject({
    name: 'Failure',
  })
  expect(statSync(store.file('there.db')).isDirectory()).toBe(true)
})

test('an empty or missing store lists nothing', async () => {
  expect(await store.list()).toEqual([])
  mkdirSync(store.file('backups'), { mode: 0o700 })
  expect(await store.list()).toEqual([])
})
