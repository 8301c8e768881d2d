/** `restore`: a backup is drilled in the same run, its losses are counted, and it takes the place of the file. */
import { copyFileSync, readFileSync, readdirSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { RemedyResult } from '../../src/model/result/remedy.ts'
import { fingerprintOf, makeDatabase, makeFolder } from '../support/cli/folder.ts'
import { holdfast } from '../support/cli/program.ts'
import { inDatabase, integrityOf, makeDamaged, onlyRemedy, remedyOf, zeroTableLeaf } from '../support/cli/remedies.ts'
import { openService } from '../support/cli/service.ts'

const resultOf = async (...args: readonly string[]): Promise<RemedyResult> => onlyRemedy(await remedyOf(...args))
const countOf = (path: string): unknown =>
  inDatabase(path, (database) => database.prepare('SELECT count(*) FROM notes').pluck().get())

/** 2,000 rows in the backup; then 10 more, one changed, one deleted; then a leaf is lost. */
function woundedSinceBackup(path: string, backup: string): string {
  makeDatabase(path, { rows: 2_000 })
  copyFileSync(path, backup)
  inDatabase(path, (database) =>
    database.exec(`
      WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 10)
      INSERT INTO notes(title) SELECT 'newer ' || x FROM n;
      UPDATE notes SET title = 'changed' WHERE id = 1500;
      DELETE FROM notes WHERE id = 1600`),
  )
  zeroTableLeaf(path)
  return path
}

describe('without a backup that fits, the next step', () => {
  test('is the rebuild if only an index is damaged', async () => {
    using folder = makeFolder()
    const path = makeDamaged(folder.in('app.db'))
    const { plan, failure } = await resultOf('restore', path)
    expect([failure?.code, plan.command]).toEqual(['BACKUP_UNKNOWN', `holdfast repair ${path}`])
  })

  test('is the salvage if a table is damaged', async () => {
    using folder = makeFolder()
    const path = makeDatabase(folder.in('app.db'), { rows: 2_000 })
    zeroTableLeaf(path)
    expect((await resultOf('restore', path)).plan.command).toBe(`holdfast salvage ${path} --to ${path}.salvaged`)
    expect((await resultOf('repair', path)).plan.why).toContain('name one to `holdfast restore`')
  })

  test('is another name if there is no file of the name, and no backup: exit code 64', async () => {
    using folder = makeFolder()
    const path = makeDatabase(folder.in('app.db'))
    const { results, failure, summary } = await remedyOf('restore', path, '--from', 'nofile.db')
    expect([results, failure?.message, summary.exitCode]).toEqual([
      [],
      'there is no file nofile.db, and no folder of backups is known',
      64,
    ])
  })
})

test('a file that is gone cannot be held: its backup can be copied out and moved into its place', async () => {
  using folder = makeFolder()
  const path = makeDatabase(folder.in('app.db'))
  const content = readFileSync(path)
  const store = ['--backups', folder.in('backups')]
  expect((await holdfast(['backups', 'add', path, ...store])).code).toBe(0)
  rmSync(path)
  const { failure } = await resultOf('restore', path, ...store)
  expect([failure?.code, failure?.hint]).toEqual(['NOT_FOUND', expect.stringContaining('`holdfast pull BACKUP DIR`')])
  const [backup = ''] = readdirSync(folder.in('backups'), { recursive: true, encoding: 'utf8' }).flatMap((name) =>
    name.endsWith('.db.zst') ? basename(name, '.db.zst') : [],
  )
  expect((await holdfast(['pull', backup, folder.in('pulled'), ...store])).code).toBe(0)
  renameSync(folder.in('pulled/app.db'), path)
  expect(readFileSync(path)).toEqual(content)
  expect((await holdfast(['check', path])).code).toBe(0)
})

describe('a bare file', () => {
  test('a plan counts what would be lost, changed and come back, and changes nothing', async () => {
    using folder = makeFolder()
    const [backup, path] = [folder.in('backup.db'), folder.in('app.db')]
    woundedSinceBackup(path, backup)
    const before = fingerprintOf(folder.path)
    const { plan, rehearsal, applied, failure } = await resultOf('restore', path, '--from', backup)
    expect(Number.isInteger(rehearsal?.ms)).toBe(true)
    expect([applied, failure]).toEqual([null, null])
    expect(rehearsal).toMatchObject({ verdict: 'sound', contentSame: false })
    expect(plan).toMatchObject({
      do: 'restore',
      backup: { id: backup },
      command: `holdfast restore ${path} --from ${backup} --apply`,
      undo: `holdfast restore ${path} --undo`,
    })
    const [loss, ...others] = plan.losses
    expect(others).toEqual([])
    const unreadable = loss?.unreadable ?? 0
    expect(unreadable).toBeGreaterThan(10)
    expect(loss).toMatchObject({
      table: 'notes',
      lost: 10,
      changed: 1,
      recovered: unreadable + 1, // The deleted row comes back too.
      inBoth: 2_000 - unreadable - 2,
      keysTotal: 11,
    })
    expect(loss?.keys).toEqual([2001, 2002, 2003, 2004, 2005, 2006, 2007, 2008, 2009, 2010, 1500])
    expect(fingerprintOf(folder.path)).toEqual(before)
  })

  test('what is applied is the backup, sound by both engines, and the undo brings the very bytes back', async () => {
    using folder = makeFolder()
    const [backup, path] = [folder.in('backup.db'), folder.in('app.db')]
    woundedSinceBackup(path, backup)
    const original = readFileSync(path)
    const { applied, plan } = await resultOf('restore', path, '--from', backup, '--apply')
    expect(applied).toMatchObject({ verdict: 'sound', method: 'swap' })
    expect([integrityOf(path), countOf(path)]).toEqual(['ok', 2_000])
    expect((await holdfast((plan.undo ?? '').split(' ').slice(1))).code).toBe(0)
    expect(readFileSync(path).equals(original)).toBe(true)
  })

  test.each(['wal', 'delete'])('the journal mode stays %s, whatever that of the backup is', async (mode) => {
    using folder = makeFolder()
    const [backup, path] = [folder.in('backup.db'), folder.in('app.db')]
    woundedSinceBackup(path, backup)
    inDatabase(backup, (database) => database.pragma(`journal_mode=${mode === 'wal' ? 'delete' : 'wal'}`))
    const bytes = readFileSync(path)
    bytes.fill(mode === 'wal' ? 2 : 1, 18, 20)
    writeFileSync(path, bytes)
    const { applied } = await resultOf('restore', path, '--from', backup, '--apply')
    expect(applied?.verdict).toBe('sound')
    expect([...readFileSync(path).subarray(18, 20)]).toEqual(mode === 'wal' ? [2, 2] : [1, 1])
    expect(inDatabase(path, (database) => database.pragma('journal_mode', { simple: true }))).toBe(mode)
  })

  test('a store of backups gives the newest verified one, and one that you name', async () => {
    using folder = makeFolder()
    const [path, store] = [makeDatabase(folder.in('app.db'), { rows: 2_000 }), folder.in('backups')]
    const add = async (): Promise<string> => {
      const { stdout } = await holdfast(['backups', 'add', path, '--backups', store, '--json'])
      return (JSON.parse(stdout) as { readonly backups: readonly { readonly id: string }[] }).backups[0]?.id ?? ''
    }
    const first = await add()
    inDatabase(path, (database) => database.exec("INSERT INTO notes(title) VALUES('second')"))
    const second = await add()
    zeroTableLeaf(path)
    const newest = await resultOf('restore', path, '--backups', store)
    expect(newest.plan).toMatchObject({ backup: { id: second }, losses: [{ lost: 0, changed: 0 }] })
    const older = await resultOf('restore', path, '--backups', store, '--from', first, '--apply')
    expect(older).toMatchObject({
      plan: { backup: { id: first }, losses: [{ lost: 1 }] },
      applied: { verdict: 'sound' },
    })
    expect(countOf(path)).toBe(2_000)
    expect(older.plan.undo).not.toContain('--backups')
  })

  test('--merge-newer keeps what is newer and readable, and the account has every key', async () => {
    using folder = makeFolder()
    const [backup, path] = [folder.in('backup.db'), folder.in('app.db')]
    woundedSinceBackup(path, backup)
    const plan = await resultOf('restore', path, '--from', backup, '--merge-newer')
    expect([plan.failure, plan.applied, plan.account]).toEqual([null, null, null])
    expect(plan.plan.command).toBe(`holdfast restore ${path} --from ${backup} --merge-newer --apply`)
    const { applied, account, failure } = await resultOf('restore', path, '--from', backup, '--merge-newer', '--apply')
    expect(applied, JSON.stringify(failure)).toMatchObject({ verdict: 'sound' })
    expect(account).toBe(`${path}.account-${applied?.change}.json`)
    // All rows of the backup but the deleted one, and the ten newer ones.
    expect([integrityOf(path), countOf(path)]).toEqual(['ok', 2_009])
    const titleOf = (id: number): unknown =>
      inDatabase(path, (database) => database.prepare('SELECT title FROM notes WHERE id = ?').pluck().get(id))
    expect([titleOf(1500), titleOf(1600), titleOf(2010)]).toEqual(['changed', undefined, 'newer 10'])
    const { change, tables } = JSON.parse(readFileSync(account ?? '', 'utf8')) as {
      readonly change: string
      readonly tables: readonly { readonly table: string; readonly added: object; readonly deleted: object }[]
    }
    expect(change).toBe(applied?.change)
    expect(tables.find(({ table }) => table === 'notes')).toMatchObject({
      added: { total: 10, keys: [2001, 2002, 2003, 2004, 2005, 2006, 2007, 2008, 2009, 2010] },
      deleted: { total: 1, keys: [1600] },
      conflicting: { total: 1, keys: [1500], stayed: { newer: 1, backup: 0 } },
    })
    await resultOf('restore', path, '--undo')
    const preferring = ['--merge-newer', '--prefer', 'backup', '--apply']
    expect((await resultOf('restore', path, '--from', backup, ...preferring)).applied?.verdict).toBe('sound')
    expect(titleOf(1500)).toBe('title 1499')
  })

  test('a file that is no database any more is restored, and nothing is known of what it held', async () => {
    using folder = makeFolder()
    const [backup, path] = [makeDatabase(folder.in('backup.db')), makeDatabase(folder.in('app.db'))]
    for (const wound of [
      (): void => writeFileSync(path, 'no database, but a text that is long enough '.repeat(300)),
      (): void => truncateSync(path, 0),
    ]) {
      wound()
      const bytes = readFileSync(path)
      const { applied, plan } = await resultOf('restore', path, '--from', backup, '--apply')
      expect(applied?.verdict).toBe('sound')
      expect(plan.why).toContain('its losses are not known')
      expect([integrityOf(path), countOf(path)]).toEqual(['ok', 50])
      await resultOf('restore', path, '--undo', applied?.change ?? '')
      expect(readFileSync(path).equals(bytes)).toBe(true)
    }
  })

  test('a table that is newer than the backup is lost as a whole, and the plan says so', async () => {
    using folder = makeFolder()
    const [backup, path] = [folder.in('backup.db'), folder.in('app.db')]
    woundedSinceBackup(path, backup)
    copyFileSync(backup, path)
    inDatabase(path, (database) => database.exec('CREATE TABLE later(x); INSERT INTO later VALUES (1), (2), (3)'))
    zeroTableLeaf(path)
    const { plan } = await resultOf('restore', path, '--from', backup)
    expect(plan.losses.find(({ table }) => table === 'later')).toMatchObject({ lost: 3, inBoth: 0, keysTotal: 3 })
    expect(plan.why).toContain('table later')
  })

  test.each([
    [[], 'is sound, so it is restored only to a state that you name'],
    [['--prefer', 'backup'], '--prefer needs --merge-newer'],
    [['--from', 'x', '--before', '2026-01-01'], '--from names the backup'],
    [['--undo', '--from', 'x'], '--undo cannot be used with --from'],
    [['--before', 'yesterday'], 'It must be a time such as'],
  ])('%j is a wrong command line for a sound file', async (more, said) => {
    using folder = makeFolder()
    const path = makeDatabase(folder.in('app.db'))
    const before = fingerprintOf(folder.path)
    const ran = await holdfast(['restore', path, ...more])
    expect([ran.code, ran.stderr]).toEqual([64, expect.stringContaining(said)])
    expect(fingerprintOf(folder.path)).toEqual(before)
  })
})

describe('a tenant', () => {
  test('gets the newest backup from before its damage was seen, in a pause, and serves again', async () => {
    await using service = await openService({
      tenants: (data) => ({ acme: makeDatabase(join(data, 'acme.db'), { rows: 2_000 }) }),
      settings: { backups: { dir: '/nonexistent' } },
    })
    const path = join(service.data, 'acme.db')
    const settings = JSON.parse(readFileSync(service.config, 'utf8')) as object
    writeFileSync(service.config, JSON.stringify({ ...settings, backups: { dir: service.folder.in('backups') } }))
    expect((await holdfast(['sweep', '--config', service.config])).code).toBe(0)
    inDatabase(path, (database) => database.exec("INSERT INTO notes(title) VALUES('newer')"))
    zeroTableLeaf(path)
    const repair = await resultOf('repair', '--tenant', 'acme', '--config', service.config)
    expect(repair.plan).toMatchObject({ do: 'restore', command: 'holdfast restore --tenant acme' })
    const { applied, plan, failure } = await resultOf(
      'restore',
      '--tenant',
      'acme',
      '--apply',
      '--config',
      service.config,
    )
    expect(applied, JSON.stringify(failure)).toMatchObject({ verdict: 'sound', healthy: true })
    expect(plan.losses).toMatchObject([{ table: 'notes', lost: 1, keys: [2001] }])
    expect([integrityOf(path), countOf(path), service.gate.stateOf('acme')]).toEqual(['ok', 2_000, 'active'])
    expect(readdirSync(service.data).filter((name) => name.startsWith('.holdfast'))).toEqual([])
  })
})
