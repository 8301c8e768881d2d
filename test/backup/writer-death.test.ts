/** A writer that dies or finds no space: what it leaves never counts, and the next run removes it. */
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { backupFolderOf } from '../../src/backup/layout.ts'
import { openBackups } from '../../src/backup/store.ts'
import { tenantId, type SnapshotPath } from '../../src/model/brand.ts'
import { Failure } from '../../src/model/failure.ts'
import { noEvidence } from '../../src/model/result/evidence.ts'
import { acmeFile, day, never, rows, useStore } from '../support/backup/sound-files.ts'
import { create } from '../support/databases/create-database.ts'
import { mount, whyNoMount, whySkipped } from '../support/host/mounts.ts'
import { temporaryFolder } from '../support/host/other-process.ts'
import { startNode } from '../support/processes.ts'

const store = useStore()
const large = temporaryFolder()
afterAll(() => large[Symbol.dispose]())

/** Some megabytes that do not compress well, so that writing takes a while. */
function makeLarge(path: string): void {
  create(path, 4096, (db) => {
    db.exec('CREATE TABLE blobs(id INTEGER PRIMARY KEY, bytes BLOB)')
    const insert = db.prepare('INSERT INTO blobs(bytes) VALUES(randomblob(100000))')
    for (let row = 0; row < 80; row++) insert.run()
  })
}

test('kill -9 while keeping, 15 times: whole backups are verified, half ones broken and removed', async () => {
  const database = large.file('large.db')
  if (!existsSync(database)) makeLarge(database)
  const original = readFileSync(database)
  const folder = store.file('backups')
  let half = 0
  for (let round = 0; round < 15; round++) {
    await using writer = startNode('test/support/programs/keep-backup.ts', [folder, database])
    while (!existsSync(store.folderOf())) await new Promise((resolve) => setTimeout(resolve, 5))
    const before = readdirSync(store.folderOf()).length
    while (readdirSync(store.folderOf()).length === before) await new Promise((resolve) => setTimeout(resolve, 1))
    await new Promise((resolve) => setTimeout(resolve, (round * 37) % 200))
    writer.kill('SIGKILL')
    await writer.ended
    const listed = await store.list()
    const whole = listed.filter(({ state }) => state === 'verified')
    half += listed.length - whole.length
    for (const { id, state, failure, tenant } of listed) {
      if (state === 'verified') continue
      expect([state, tenant], id).toEqual(['broken', whole.length === 0 ? null : 'acme'])
      expect(failure?.message).toMatch(/half written|no manifest/)
      await expect(store.backups.restore(id, store.file('x.db'), never)).rejects.toMatchObject({
        code: 'BACKUP_BROKEN',
      })
    }
    const newest = await store.backups.newestVerified({ ...acmeFile, before: null })
    expect(newest?.id).toBe(whole.at(-1)?.id)
    if (newest === null) continue
    const back = await store.backups.restore(newest.id, store.file(`back-${round}.db`), never)
    expect(readFileSync(back).equals(original)).toBe(true)
    await store.backups.rotate(acmeFile, { last: 2, daily: 0, weekly: 0 })
  }
  expect(half).toBeGreaterThan(0)
  await store.keep(rows(1), { takenAt: day(20) })
  const left = readdirSync(store.folderOf()).filter((name) => name.endsWith('.db.zst.partial'))
  expect(left).toEqual([])
})

test('a backup that a living process writes now is not listed, and not removed', async () => {
  const database = large.file('large.db')
  if (!existsSync(database)) makeLarge(database)
  await using writer = startNode('test/support/programs/keep-backup.ts', [store.file('backups'), database])
  const partial = (): string | undefined =>
    existsSync(store.folderOf())
      ? readdirSync(store.folderOf()).find((name) => name.endsWith('.zst.partial'))
      : undefined
  let seen = 0
  const deadline = Date.now() + 20_000
  while (seen < 5 && Date.now() < deadline) {
    const now = partial()
    if (now === undefined) {
      await new Promise((resolve) => setTimeout(resolve, 1))
      continue
    }
    expect((await store.list()).filter(({ state }) => state === 'broken')).toEqual([])
    await store.backups.prune({ last: 100, daily: 0, weekly: 0 }, false)
    seen++
  }
  expect(seen).toBe(5)
  writer.kill('SIGKILL')
})

test('an interrupted backup leaves nothing, and throws the reason', async () => {
  const database = large.file('large.db')
  if (!existsSync(database)) makeLarge(database)
  const controller = new AbortController()
  const keeping = openBackups(store.file('backups')).keep(database as SnapshotPath, aboutLarge, controller.signal)
  while (!existsSync(store.folderOf()) || readdirSync(store.folderOf()).length === 0)
    await new Promise((resolve) => setTimeout(resolve, 1))
  controller.abort(new Failure('INTERRUPTED', 'stopped by the test'))
  await expect(keeping).rejects.toMatchObject({ code: 'INTERRUPTED', message: 'stopped by the test' })
  expect(store.namesOf()).toEqual([])
})

const aboutLarge = {
  tenant: tenantId('acme'),
  path: '/srv/notes/acme.db',
  service: null,
  origin: 'held' as const,
  takenAt: day(1),
  content: { format: '1', tables: [] },
  evidence: noEvidence,
  tool: { version: '0.0.0', sqlite: '' },
}

describe('a deletion that was cut short', () => {
  test('is completed by the next run, and the backup is not listed meanwhile', async () => {
    const { backup } = await store.keep(rows(1))
    const at = join(store.folderOf(), backup.id)
    writeFileSync(`${at}.json.removed`, '')
    expect(await store.list()).toEqual([])
    await store.keep(rows(2), { takenAt: day(2) })
    expect(store.namesOf().filter((name) => name.startsWith(backup.id) && !name.endsWith('.json'))).toEqual([])
  })
})

const whyNoTmpfs = whyNoMount('tmpfs')

describe.skipIf(whyNoTmpfs !== null)(`a full disk${whySkipped(whyNoTmpfs)}`, () => {
  test('no room is seen before anything is written', async () => {
    using small = mount('tmpfs', 12 << 20)
    const path = store.file('some.db') as SnapshotPath
    create(path, 4096, rows(10))
    const backups = openBackups(join(small.path, 'backups'))
    await expect(backups.keep(path, aboutLarge, never)).rejects.toMatchObject({ code: 'NO_SPACE' })
    expect(readdirSync(join(small.path, 'backups', backupFolderOf(acmeFile)))).toEqual([])
  })

  test('a disk that is filled meanwhile: NO_SPACE, nothing is left, and the older backup stays', async () => {
    using small = mount('tmpfs', 40 << 20)
    const database = large.file('large.db')
    if (!existsSync(database)) makeLarge(database)
    const backups = openBackups(join(small.path, 'backups'))
    const some = store.file('some.db') as SnapshotPath
    create(some, 4096, rows(10))
    const { backup } = await backups.keep(some, aboutLarge, never)
    const folder = join(small.path, 'backups', backupFolderOf(acmeFile))
    const keeping = backups.keep(database as SnapshotPath, { ...aboutLarge, takenAt: day(2) }, never)
    while (!readdirSync(folder).some((name) => name.endsWith('.zst.partial')))
      await new Promise((resolve) => setTimeout(resolve, 1))
    const filler = join(small.path, 'filler')
    const free = (40 << 20) - statSync(database).size / 2
    writeFileSync(filler, Buffer.alloc(free))
    await expect(keeping).rejects.toMatchObject({ code: 'NO_SPACE' })
    expect(readdirSync(folder).toSorted()).toEqual([`${backup.id}.db.zst`, `${backup.id}.json`])
    expect(await backups.newestVerified({ ...acmeFile, before: null })).toEqual(backup)
  })

  test('a restore without room: NO_SPACE, and no file is left', async () => {
    using small = mount('tmpfs', 12 << 20)
    const { backup } = await store.keep(rows(300))
    const to = join(small.path, 'back.db')
    await expect(store.backups.restore(backup.id, to, never)).rejects.toMatchObject({ code: 'NO_SPACE' })
    expect(readdirSync(small.path)).toEqual([])
  })
})
