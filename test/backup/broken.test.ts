/** Whatever happens to what lies in the store: a backup that is not whole is named as broken, and never comes back. */
import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { constants, zstdCompressSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { backupFolderOf } from '../../src/backup/layout.ts'
import { verifyBackups } from '../../src/backup/verify.ts'
import { tenantId } from '../../src/model/brand.ts'
import type { Backup } from '../../src/model/result/backup.ts'
import { acmeFile, day, never, rows, useStore } from '../support/backup/sound-files.ts'

const store = useStore()
const isRoot = process.geteuid?.() === 0

const stored = (id: string): string => join(store.folderOf(), `${id}.db.zst`)
const manifest = (id: string): string => join(store.folderOf(), `${id}.json`)

function flipBit(path: string, at: number): void {
  const bytes = readFileSync(path)
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at)
  writeFileSync(path, bytes)
}

/** Two backups, so that there is one to fall back to. @returns the newer one, which the test breaks */
async function twoBackups(): Promise<{ readonly older: Backup; readonly newer: Backup }> {
  const older = (await store.keep(rows(30))).backup
  const newer = (await store.keep(rows(60), { takenAt: day(2) })).backup
  return { older, newer }
}

async function expectRefused({ id }: Backup): Promise<void> {
  const to = store.file('refused.db')
  await expect(store.backups.restore(id, to, never)).rejects.toMatchObject({ code: 'BACKUP_BROKEN' })
  expect(existsSync(to)).toBe(false)
}

describe('seen by looking', () => {
  const wounds: readonly (readonly [string, (id: string) => void, RegExp])[] = [
    ['the stored file is cut short', (id) => truncateSync(stored(id), 100), /has 100 bytes instead of \d+/],
    ['something was written behind it', (id) => appendFileSync(stored(id), 'x'), /bytes instead of/],
    ['the stored file is gone', (id) => rmSync(stored(id)), /its stored file is gone/],
    ['the manifest is gone', (id) => rmSync(manifest(id)), /it has no manifest/],
    ['the manifest is empty', (id) => truncateSync(manifest(id), 0), /its manifest is no JSON/],
    ['the manifest is cut short', (id) => truncateSync(manifest(id), 200), /its manifest is no JSON/],
    ['the manifest is another document', (id) => writeFileSync(manifest(id), '{}'), /not one that holdfast wrote/],
    [
      'the manifest names another time',
      (id) => writeFileSync(manifest(id), readFileSync(manifest(id), 'utf8').replace('2026-11-02', '2026-11-01')),
      /its manifest was altered/,
    ],
    [
      'the manifest names another file',
      (id) => writeFileSync(manifest(id), readFileSync(manifest(id), 'utf8').replace('/acme.db', '/bolt.db')),
      /its manifest was altered/,
    ],
    [
      'the stored file is a link',
      (id) => {
        renameSync(stored(id), `${stored(id)}.elsewhere`)
        symlinkSync(`${stored(id)}.elsewhere`, stored(id))
      },
      /is not what holdfast made/,
    ],
    [
      'the manifest is a link',
      (id) => {
        renameSync(manifest(id), `${manifest(id)}.elsewhere`)
        symlinkSync(`${manifest(id)}.elsewhere`, manifest(id))
      },
      /symbolic link|no regular file/,
    ],
    ['others may write the stored file', (id) => chmodSync(stored(id), 0o666), /other users may write/],
    ['others may write the manifest', (id) => chmodSync(manifest(id), 0o622), /other users may write/],
  ]
  test.each(wounds)('%s', async (_, wound, why) => {
    const { older, newer } = await twoBackups()
    wound(newer.id)
    const [first, second, ...others] = (await store.list()).toSorted((a, b) => (a.id < b.id ? -1 : 1))
    expect(others).toEqual([])
    expect(first).toEqual(older)
    expect(second).toMatchObject({ id: newer.id, tenant: acmeFile.tenant, state: 'broken' })
    expect(second?.failure?.message).toMatch(why)
    expect(await store.backups.newestVerified({ ...acmeFile, before: null })).toEqual(older)
    await expectRefused(newer)
    // What is kept next is no confirmation of a broken one, and the broken one stays for a person to see.
    expect((await store.keep(rows(60), { takenAt: day(3) })).kind).toBe('stored')
    expect((await store.list()).map(({ id }) => id)).toContain(newer.id)
  })

  test.skipIf(!isRoot)('a foreign owner of a file, and of the folder (skipped unless root)', async () => {
    const { newer } = await twoBackups()
    chownSync(stored(newer.id), 1234, 1234)
    expect((await store.list()).map(({ state }) => state)).toEqual(['verified', 'broken'])
    await expectRefused(newer)
    chownSync(stored(newer.id), 0, 0)
    chownSync(store.folderOf(), 1234, 1234)
    expect((await store.list()).map(({ state }) => state)).toEqual(['broken', 'broken'])
    expect(await store.backups.newestVerified({ ...acmeFile, before: null })).toBeNull()
    await expect(store.keep(rows(1), { takenAt: day(4) })).rejects.toMatchObject({ code: 'SNAPSHOT_UNSAFE' })
  })

  test('a backup in the folder of another tenant', async () => {
    const { newer } = await twoBackups()
    const bolt = { ...acmeFile, tenant: tenantId('bolt') }
    await store.keep(rows(5), bolt)
    for (const name of store.namesOf().filter((one) => one.startsWith(newer.id)))
      renameSync(join(store.folderOf(), name), join(store.folderOf(bolt), name))
    expect(await store.list({ tenant: bolt.tenant })).toMatchObject([{ state: 'verified' }, { state: 'broken' }])
    await expectRefused(newer)
    expect((await store.backups.newestVerified({ ...bolt, before: null }))?.id).not.toBe(newer.id)
  })

  test('files that are no backups are passed over', async () => {
    const { newer } = await twoBackups()
    for (const name of ['notes.txt', 'x.db.zst', `${newer.id}.json.bak`, '.json']) {
      writeFileSync(join(store.folderOf(), name), 'x')
      writeFileSync(join(dirname(store.folderOf()), name), 'x')
    }
    mkdirSync(join(store.folderOf(), `${newer.id}.d`))
    expect(await store.list()).toHaveLength(2)
  })
})

describe('seen by reading it back', () => {
  test('a flipped bit, anywhere in the frame', async () => {
    const { older, newer } = await twoBackups()
    const copy = store.file('copy')
    copyFileSync(stored(newer.id), copy)
    const before = readFileSync(manifest(newer.id))
    for (let at = 0; at < newer.storedBytes; at += Math.ceil(newer.storedBytes / 40)) {
      flipBit(stored(newer.id), at)
      await expectRefused(newer)
      // From now on it is known without reading it again.
      expect((await store.list()).map(({ state }) => state)).toEqual(['verified', 'broken'])
      expect(await store.backups.newestVerified({ ...acmeFile, before: null })).toEqual(older)
      copyFileSync(copy, stored(newer.id))
      writeFileSync(manifest(newer.id), before)
    }
    await store.backups.restore(newer.id, store.file('whole.db'), never)
  })

  test('another frame of the same size, and one that never ends', async () => {
    const { newer } = await twoBackups()
    const other = zstdCompressSync(Buffer.alloc((newer.bytes ?? 0) + 1), {
      params: { [constants.ZSTD_c_compressionLevel]: 3 },
    })
    writeFileSync(stored(newer.id), Buffer.concat([other, Buffer.alloc(newer.storedBytes - other.length)]))
    await expectRefused(newer)
    expect((await store.list())[1]?.failure?.message).toMatch(/more than its \d+ bytes came out/)
  })

  test('a verification names what is broken, and keeps what is sound', async () => {
    const { older, newer } = await twoBackups()
    flipBit(stored(newer.id), 500)
    const verified: string[] = []
    await verifyBackups(
      store.backups.list(),
      { checker: store.checker, accept: [], scratch: store.folder, maxAgeMs: null, budgetMs: null },
      { onBegin: () => undefined, onVerified: ({ kind, backup }) => verified.push(`${kind} ${backup.id}`) },
      never,
    )
    expect(verified.toSorted()).toEqual([`broken ${newer.id}`, `sound ${older.id}`])
    expect((await store.list())[0]?.verifiedAt ?? '').toSatisfy((at: string) => at > (older.verifiedAt ?? ''))
  })
})

describe('the folder of the store', () => {
  test('one that others may write is refused, for reading and for writing', async () => {
    mkdirSync(store.file('backups'), { mode: 0o700 })
    chmodSync(store.file('backups'), 0o777)
    await expect(store.keep(rows(1))).rejects.toMatchObject({ code: 'SNAPSHOT_UNSAFE' })
    await expect(store.list()).rejects.toMatchObject({ code: 'SNAPSHOT_UNSAFE' })
  })

  test('one that others may read is not used for new backups', async () => {
    mkdirSync(store.file('backups'), { mode: 0o700 })
    chmodSync(store.file('backups'), 0o755)
    await expect(store.keep(rows(1))).rejects.toMatchObject({ code: 'SNAPSHOT_UNSAFE' })
  })

  test('a file in the place of a folder', async () => {
    mkdirSync(store.file(join('backups', 'tenants')), { mode: 0o700, recursive: true })
    writeFileSync(store.file(join('backups', backupFolderOf(acmeFile))), '')
    await expect(store.keep(rows(1))).rejects.toMatchObject({ name: 'Failure' })
    expect(await store.list()).toEqual([])
  })

  test.each(['.db.zst', '.db.zst.partial', '.json', '.json.0a1b2c3d.partial'])(
    'a folder, a link or a FIFO that is called ID%s hides no backup, and stays',
    async (ending) => {
      const { newer } = await twoBackups()
      const foreign = (digit: number): string => join(store.folderOf(), `20990101T000000000Z-0000000${digit}${ending}`)
      mkdirSync(foreign(1))
      symlinkSync('/nowhere', foreign(2))
      symlinkSync(store.folderOf(), foreign(3))
      execFileSync('mkfifo', [foreign(4)])
      for (const digit of [1, 2, 3, 4]) execFileSync('touch', ['-h', '-d', '2020-01-01', foreign(digit)])
      const before = store.namesOf()
      const states = (await store.list()).map(({ state, failure }) => [state, failure?.message ?? null])
      expect(states.filter(([state]) => state === 'verified')).toHaveLength(2)
      expect(states.filter(([, why]) => why?.includes('half written'))).toEqual([])
      expect((await store.backups.newestVerified({ ...acmeFile, before: null }))?.id).toBe(newer.id)
      expect((await store.backups.prune({ last: 3, daily: 7, weekly: 5 }, false)).leftovers).toEqual([])
      expect(store.namesOf()).toEqual(before)
      expect((await store.keep(rows(70), { takenAt: day(3) })).kind).toBe('stored')
    },
  )

  test('a file in the place of the store is no empty store', async () => {
    writeFileSync(store.file('backups'), '')
    await expect(store.list()).rejects.toMatchObject({ name: 'Failure', code: 'NOT_FOUND' })
    await expect(store.backups.prune({ last: 3, daily: 7, weekly: 5 }, true)).rejects.toMatchObject({ name: 'Failure' })
  })
})
