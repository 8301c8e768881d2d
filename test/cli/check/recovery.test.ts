/** Live sets that SQLite recovers: the verdict is about the recovered state, and the report says so. */
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import {
  byPath,
  crashWithJournal,
  crashedParts,
  crashWithWal,
  overwrite,
  rowsOf,
  words,
} from '../../support/cli/crashed-live-sets.ts'
import { fingerprintOf, makeDatabase, makeFolder, type Folder } from '../../support/cli/folder.ts'
import { shortVerdict, reportOf, single } from '../../support/cli/program.ts'
import { openService } from '../../support/cli/service.ts'

describe('a first page that SQLite takes from the WAL or the journal', () => {
  const blank = (bytes: Buffer): void => void bytes.fill(0, 0, 4096)
  const voids: readonly (readonly [
    string,
    (folder: Folder, name: string) => string,
    (bytes: Buffer) => Buffer | void,
  ])[] = [
    ['zeros, and the WAL holds it', crashWithWal, blank],
    ['another page, and the WAL holds it', crashWithWal, (bytes) => void bytes.copy(bytes, 0, 4096 * 6, 4096 * 7)],
    ['noise, and the WAL holds it', crashWithWal, (bytes) => void bytes.fill('noise', 0, 4096)],
    ['torn behind the magic, and the WAL holds it', crashWithWal, (bytes) => void bytes.fill(0xff, 16, 2048)],
    [
      'zeros like all others, and the WAL holds them',
      (folder, name) => crashWithWal(folder, name, false),
      (bytes) => void bytes.fill(0),
    ],
    [
      'the only one, of zeros, and the WAL holds them all',
      (folder, name) => crashWithWal(folder, name, false),
      () => Buffer.alloc(4096),
    ],
    ['half zeros, and the journal holds it', crashWithJournal, (bytes) => void bytes.fill(0, 0, 2048)],
    ['zeros, and the journal holds it', crashWithJournal, blank],
  ]

  test('is no damage, in a file, a private copy, a folder and a tenant', async () => {
    using folder = makeFolder()
    mkdirSync(folder.in('all'))
    const files = voids.map(([, make, change], i) => {
      const made = make(folder, `made-${i}`)
      // Without an ending, databases in a folder are recognised by their bytes.
      const file = folder.in(`all/state-${i}`)
      for (const part of crashedParts) if (existsSync(made + part)) copyFileSync(made + part, file + part)
      overwrite(file, change)
      return file
    })
    const before = fingerprintOf(folder.in('all'))
    await using service = await openService({
      tenants: () => Object.fromEntries(files.map((file, i) => [`tenant-${i}`, file])),
      settings: { tenants: { roots: [tmpdir()] } },
    })
    for (const args of [
      ['check', ...files],
      ['check', '--snapshot', ...files],
      ['check', folder.in('all')],
      ['sweep', '--config', service.config],
    ]) {
      const { results } = await reportOf(args)
      const got = byPath(results).map((result, i) => [
        voids[i]?.[0],
        shortVerdict(result),
        rowsOf(result),
        (result.recovery?.pagesChanged ?? 0) > 0,
      ])
      expect(got, args.join(' ')).toEqual(voids.map(([name]) => [name, 'sound', 900, true]))
    }
    expect(fingerprintOf(folder.in('all'))).toEqual(before)
  })

  test('that nothing brings back is damage of the file, and a file that was never a database is none', async () => {
    using folder = makeFolder()
    const lost = crashWithWal(folder, 'lost.db')
    overwrite(lost, blank)
    overwrite(`${lost}-wal`, (bytes) => void bytes.fill(0, 0, 32))
    const encrypted = crashWithWal(folder, 'encrypted.db', false)
    overwrite(encrypted, (bytes) => randomBytes(bytes.length))
    overwrite(`${encrypted}-wal`, (bytes) => {
      for (let at = 56; at < bytes.length; at += 4120) randomBytes(4096).copy(bytes, at)
    })
    expect(byPath((await reportOf(['check', lost, encrypted])).results).map(shortVerdict)).toEqual([
      'inconclusive NOT_SQLITE',
      'damaged file',
    ])
  })

  test('counts only where a commit holds it', async () => {
    using folder = makeFolder()
    const file = crashWithWal(folder, 'cut.db')
    const first = readFileSync(`${file}-wal`)
    overwrite(file, blank)
    writeFileSync(`${file}-wal`, first.subarray(0, 32 + 4120)) // Half a transaction.
    expect(first.readUInt32BE(32 + 4)).toBe(0)
    expect(shortVerdict(single(await reportOf(['check', file])))).toBe('damaged file')
  })
})

test.each([
  ['header', 17],
  ['fourth frame', 32 + 4120 * 3 + 500],
])(
  'a WAL that is damaged in its %s while the service uses it loses nothing by the copy: it is not pinned',
  async (_, at) => {
    let writer: Database.Database | null = null
    await using service = await openService({
      settings: { hold: { warmAbove: '1kB' } },
      onClose: () => {
        writer?.close()
        writer = null
      },
    })
    const file = join(service.data, 'acme.db')
    writer = new Database(file)
    writer.pragma('wal_autocheckpoint=0')
    for (let i = 0; i < 50; i++) writer.exec("INSERT INTO notes(title) VALUES('more')")
    const wal = openSync(`${file}-wal`, 'r+')
    const byte = Buffer.alloc(1)
    readSync(wal, byte, 0, 1, at)
    writeSync(
      wal,
      byte.map((one) => one ^ 1),
      0,
      1,
      at,
    )
    closeSync(wal)
    const [result] = (await reportOf(['check', '--config', service.config, '--tenant', 'acme'])).results
    expect(result?.evidence.snapshot?.method).not.toBe('warm+tail')
    expect(result && rowsOf(result)).toBe(100)
    const after = new Database(file, { readonly: true })
    expect(after.prepare('SELECT count(*) FROM notes').pluck().get()).toBe(100)
    after.close()
  },
)

describe('a companion of another history', () => {
  /** A backup laid over the file, and the old WAL or journal still beside it. */
  function restoreOver(folder: Folder, crash: (folder: Folder, name: string) => string, name: string): string {
    const file = crash(folder, name)
    const backup = makeDatabase(folder.in(`backup-of-${name}`), { rows: 900 })
    const db = new Database(backup)
    db.exec('DELETE FROM notes WHERE id % 2 = 0; VACUUM')
    db.close()
    copyFileSync(backup, file)
    return file
  }

  test.each([
    ['-wal', crashWithWal, 'replayed', 'write-ahead log'],
    ['-journal', crashWithJournal, 'rolled-back', 'rollback journal'],
  ] as const)('(%s) is reported, with what the file is without it', async (part, crash, did, name) => {
    using folder = makeFolder()
    const file = restoreOver(folder, crash, 'tenant.db')
    const before = fingerprintOf(folder.path)
    for (const how of [[], ['--snapshot']]) {
      const result = single(await reportOf(['check', ...how, file]))
      expect([result.verdict, result.remedy.do, result.causes.map(({ hint }) => hint)], how.join(' ')).toEqual([
        'damaged',
        'ask',
        expect.arrayContaining(['foreign-companion']),
      ])
      expect(result.recovery).toMatchObject({
        companions: [{ part, did, bytes: expect.any(Number) as number, modifiedAt: expect.any(String) as string }],
        without: { verdict: 'sound', damage: 'none' },
      })
      expect(result.recovery?.without?.tables.find((table) => table.name === 'notes')?.rows).toBe(450)
      expect(result.recovery?.pagesChanged).toBeGreaterThan(0)
    }
    const text = await words(['check', file])
    expect(text).toContain(name)
    expect(text).toContain('without it the file is sound, with 450 rows in 1 table')
    expect(fingerprintOf(folder.path)).toEqual(before)
  })

  test('is not reported for a WAL that is merely cut, nor of damage that the file has without it', async () => {
    using folder = makeFolder()
    const cut = crashWithWal(folder, 'cut.db')
    const db = new Database(folder.in('work-cut.db'))
    db.pragma('wal_autocheckpoint=0')
    for (let i = 0; i < 5; i++) db.exec("INSERT INTO notes(title) VALUES('more')")
    for (const part of ['', '-wal']) copyFileSync(folder.in(`work-cut.db${part}`), cut + part)
    db.close()
    overwrite(`${cut}-wal`, (bytes) => void bytes.fill(0xee, 32 + 4120 * 4 + 100, 32 + 4120 * 4 + 120))
    const wounded = crashWithWal(folder, 'wounded.db')
    overwrite(wounded, (bytes) => void bytes.fill(0, 4096 * 12, 4096 * 13))
    const results = byPath((await reportOf(['check', cut, wounded])).results)
    expect(
      results.map(({ verdict, causes }) => [verdict, causes.some(({ hint }) => hint === 'foreign-companion')]),
    ).toEqual([
      ['damaged', false],
      ['damaged', false],
    ])
    expect(results[0]?.findings.map(({ rule }) => rule)).toEqual(['wal-cut'])
    expect(results[1]?.recovery?.without).toMatchObject({ verdict: 'damaged' })
  })

  test('that made no difference to the verdict is reported in one line', async () => {
    using folder = makeFolder()
    expect(await words(['check', crashWithWal(folder, 'a.db')])).toMatch(
      /Recovered before the check.*a\.db-wal \(.*replayed into the file first; this changed \d+ pages/,
    )
    expect(await words(['check', makeDatabase(folder.in('plain.db'), { wal: true })])).not.toContain('Recovered')
  })
})
