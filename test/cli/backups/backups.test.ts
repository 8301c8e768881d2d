/** `backups`, and the sound snapshots that runs keep. Each document is compared with its published schema. */
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import type { Backup } from '../../../src/model/result/backup.ts'
import { damageIndex, makeDatabase, makeFolder } from '../../support/cli/folder.ts'
import { holdfast, reportOf, single } from '../../support/cli/program.ts'
import { openService, type TestService, type TestServiceOptions } from '../../support/cli/service.ts'
import { EditableDatabase } from '../../support/databases/surgeon.ts'

interface Document {
  readonly backups: readonly Backup[]
  readonly notKept: readonly { readonly tenant: string | null; readonly path: string; readonly why: string }[]
  readonly leftovers: readonly string[]
  readonly notReached: number
  readonly exitCode: number
  readonly failure?: { readonly code: string }
}

async function documentOf(args: readonly string[], code: number): Promise<Document> {
  const ran = await holdfast(['backups', ...args, '--json'])
  expect(ran.code, ran.stdout + ran.stderr).toBe(code)
  const document = JSON.parse(ran.stdout) as Document
  expect(document.exitCode).toBe(code)
  return document
}

const shortDocument = (document: Document): readonly string[] =>
  document.backups.map(({ tenant, path, state }) => `${tenant ?? path} ${state}`)

/** A service with `backups.dir`. */
async function openKeeping(options: TestServiceOptions = {}): Promise<TestService & { readonly store: string }> {
  const folder = makeFolder()
  const store = folder.in('backups')
  const service = await openService({ ...options, settings: { ...options.settings, backups: { dir: store } } })
  return {
    ...service,
    store,
    async [Symbol.asyncDispose]() {
      await service[Symbol.asyncDispose]()
      folder[Symbol.dispose]()
    },
  }
}

const storedFile = ({ store }: { readonly store: string }, { id }: Backup, ending: string): string => {
  const found = ['tenants', 'files']
    .filter((group) => existsSync(join(store, group)))
    .flatMap((group) => readdirSync(join(store, group)).map((name) => join(store, group, name, id + ending)))
    .find((path) => existsSync(path))
  if (found === undefined) throw new Error(`${id}${ending} is nowhere`)
  return found
}

describe('sweep and check --tenant', () => {
  test('keep each sound snapshot, and confirm it while nothing changes', async () => {
    await using service = await openKeeping()
    const config = ['--config', service.config]
    const first = await reportOf(['sweep', ...config])
    expect(first.summary.sound).toBe(2)
    const stored = await documentOf(['list', ...config], 0)
    expect(shortDocument(stored)).toEqual(['acme verified', 'bolt verified'])
    expect(stored.backups.map(({ confirmedAt }) => confirmedAt)).toEqual([null, null])
    expect(service.actions).toHaveLength(4) // One pause for each tenant.

    await reportOf(['check', '--tenant', 'acme', ...config])
    const confirmed = await documentOf(['list', 'acme', ...config], 0)
    expect(confirmed.backups).toEqual([{ ...stored.backups[0], confirmedAt: expect.any(String) as unknown }])

    const db = new Database(join(service.data, 'acme.db'))
    db.exec("INSERT INTO notes(title) VALUES('one more')")
    db.close()
    await reportOf(['check', '--tenant', 'acme', ...config])
    expect(shortDocument(await documentOf(['list', 'acme', ...config], 0))).toEqual(['acme verified', 'acme verified'])
  })

  test('a quick check keeps nothing', async () => {
    await using service = await openKeeping()
    await reportOf(['check', '--tenant', 'acme', '--depth', 'quick', '--config', service.config])
    expect(existsSync(service.store)).toBe(false)
  })

  test('damage is not kept; with a verified backup the remedy is to restore it', async () => {
    let wounded = false
    await using service = await openKeeping({
      onClose: (id) => {
        if (id !== 'acme' || !wounded) return
        using database = new EditableDatabase(join(service.data, 'acme.db'))
        database.write(database.leaf('notes'), Buffer.alloc(4096))
      },
    })
    const config = ['--config', service.config]
    await reportOf(['check', '--tenant', 'acme', ...config])
    const before = await documentOf(['list', ...config], 0)
    wounded = true
    const damaged = single(await reportOf(['check', '--tenant', 'acme', ...config]))
    expect([damaged.verdict, damaged.remedy.do, damaged.remedy.command]).toEqual([
      'damaged',
      'restore',
      expect.stringContaining('holdfast restore --tenant acme') as unknown,
    ])
    expect((await documentOf(['list', ...config], 0)).backups).toEqual(before.backups)
  })

  test('a backup that cannot be kept is a notice of the run, and changes no verdict', async () => {
    await using service = await openKeeping()
    writeFileSync(service.store, 'no folder')
    const ran = await holdfast(['sweep', '--json', '--config', service.config])
    expect(ran.code).toBe(0)
    const report = JSON.parse(ran.stdout) as { readonly run: { readonly notices: readonly string[] } }
    expect(report.run.notices).toHaveLength(2)
    expect(report.run.notices[0]).toMatch(/no backup was kept of (acme|bolt): USAGE: .*backups/)
    expect(report.run.notices[1]).toMatch(/the same \(USAGE\) for 1 more file/)
    expect(ran.stderr).toMatch(/holdfast: backups: no backup was kept of/)
  })

  test('a store that others may write is not used', async () => {
    await using service = await openKeeping()
    mkdirSync(service.store)
    chmodSync(service.store, 0o777)
    const ran = await holdfast(['sweep', '--config', service.config])
    expect(ran.code).toBe(0)
    expect(ran.stderr.replaceAll(/\s+/g, ' ')).toMatch(/no backup is kept in this run: another user could change/)
  })
})

describe('add', () => {
  test('keeps a tenant and a bare file that are sound', async () => {
    await using service = await openKeeping()
    const file = makeDatabase(service.folder.in('app.db'))
    const added = await documentOf(['add', 'acme', file, '--config', service.config], 0)
    expect(shortDocument(added)).toEqual(['acme verified', `${file} verified`])
    const text = await holdfast(['backups', 'list', '--config', service.config])
    expect(text.stdout).toMatch(/^OF +TAKEN \(UTC\) +SAME UNTIL +VERIFIED +SIZE +STORED +STATE +BACKUP\n/)
    expect(text.stdout).toMatch(/\nacme +\d{4}-\d\d-\d\d \d\d:\d\d +- .* verified +\d{8}T\d{9}Z-[0-9a-f]{8}\n/)
  })

  test('a damaged one: exit code 2, and nothing is kept', async () => {
    using folder = makeFolder()
    const file = makeDatabase(folder.in('app.db'), { rows: 400 })
    damageIndex(file)
    const added = await documentOf(['add', file, '--backups', folder.in('store')], 2)
    expect(added).toMatchObject({ backups: [], notKept: [{ tenant: null, path: file }] })
    expect(added.notKept[0]?.why).toMatch(/^it is damaged: /)
    expect(existsSync(folder.in('store'))).toBe(false)
  })

  test('one that a program has open: exit code 75, as for check', async () => {
    using folder = makeFolder()
    const file = makeDatabase(folder.in('app.db'))
    const db = new Database(file)
    db.pragma('user_version')
    const added = await documentOf(['add', file, '--backups', folder.in('store')], 75)
    expect(added.backups).toEqual([])
    db.close()
  })

  test('a name that means nothing: 64', async () => {
    await using service = await openKeeping()
    expect(await documentOf(['add', 'nobody', '--config', service.config], 64)).toMatchObject({
      failure: { code: 'TENANT_UNKNOWN' },
    })
    expect(await documentOf(['add', '--config', service.config], 64)).toMatchObject({ failure: { code: 'USAGE' } })
  })
})

describe('verify', () => {
  test('names a broken backup, with exit code 2, and verifies the others', async () => {
    await using service = await openKeeping()
    const config = ['--config', service.config]
    await reportOf(['sweep', ...config])
    const [acme, bolt] = (await documentOf(['list', ...config], 0)).backups
    if (acme === undefined || bolt === undefined) throw new Error('both were kept')
    const stored = storedFile(service, acme, '.db.zst')
    const bytes = readFileSync(stored)
    bytes.writeUInt8(bytes.readUInt8(300) ^ 4, 300)
    writeFileSync(stored, bytes)
    const verified = await documentOf(['verify', ...config], 2)
    expect(shortDocument(verified).toSorted()).toEqual(['acme broken', 'bolt verified'])
    const text = await holdfast(['backups', 'verify', ...config])
    expect(text.code).toBe(2)
    expect(text.stdout.replaceAll(/\s+/g, ' ')).toContain(`BROKEN: ${acme.id}: `)
    expect((await documentOf(['verify', bolt.id, ...config], 0)).backups).toHaveLength(1)
    expect((await documentOf(['verify', 'bolt', ...config], 0)).backups).toHaveLength(1)
    // It is not offered any more, and a sound tenant gets a new one.
    await reportOf(['check', '--tenant', 'acme', ...config])
    expect(shortDocument(await documentOf(['list', 'acme', ...config], 0))).toEqual(['acme broken', 'acme verified'])
  })

  test('leaves out what was verified within --max-age, and what does not fit into --budget', async () => {
    await using service = await openKeeping()
    const config = ['--config', service.config]
    await reportOf(['sweep', ...config])
    expect(await documentOf(['verify', '--max-age', '1h', ...config], 0)).toMatchObject({ backups: [], notReached: 0 })
    const budgeted = await documentOf(['verify', '--budget', '1ms', ...config], 0)
    expect(budgeted.backups.length + budgeted.notReached).toBe(2)
    expect(budgeted.notReached).toBeGreaterThan(0)
  })
})

describe('prune', () => {
  test('deletes what the rule does not keep; --dry-run only names it', async () => {
    await using service = await openKeeping()
    const config = ['--config', service.config]
    const store = ['--backups', service.store]
    for (let round = 0; round < 5; round++) {
      const db = new Database(join(service.data, 'acme.db'))
      db.exec(`INSERT INTO notes(title) VALUES('round ${round}')`)
      db.close()
      await reportOf(['check', '--tenant', 'acme', ...config])
    }
    // All of one day: the last 3 stay, and rotation has deleted the others already.
    expect((await documentOf(['list', ...config], 0)).backups).toHaveLength(3)
    expect(await documentOf(['prune', '--dry-run', ...store], 0)).toMatchObject({ backups: [], dryRun: true })
    const [oldest] = (await documentOf(['list', ...config], 0)).backups
    if (oldest === undefined) throw new Error('three were kept')
    truncateSync(storedFile(service, oldest, '.db.zst'), 10)
    expect(await documentOf(['prune', ...store], 0)).toMatchObject({ backups: [] }) // A broken one stays.
    expect((await documentOf(['list', ...store], 0)).backups).toHaveLength(3)
  })
})

describe('a backup elsewhere', () => {
  test('compare and pull take its id, with and without the prefix', async () => {
    await using service = await openKeeping()
    const config = ['--config', service.config]
    await reportOf(['check', '--tenant', 'acme', ...config])
    const [backup] = (await documentOf(['list', ...config], 0)).backups
    if (backup === undefined) throw new Error('it was kept')
    const same = await holdfast(['compare', 'acme', `backup:${backup.id}`, '--json', ...config])
    expect([same.code, (JSON.parse(same.stdout) as { outcome: string }).outcome]).toEqual([0, 'equal'])
    const db = new Database(join(service.data, 'acme.db'))
    db.exec('DELETE FROM notes WHERE id=7')
    db.close()
    const differs = await holdfast(['compare', backup.id, 'acme', '--json', ...config])
    expect(differs.code).toBe(5)
    expect(JSON.parse(differs.stdout)).toMatchObject({
      sides: { a: { given: backup.id, kind: 'backup' }, b: { kind: 'tenant' } },
      files: [{ paths: { a: join(service.data, 'acme.db') }, results: { a: { tenant: 'acme', verdict: 'sound' } } }],
    })
    const pulled = service.folder.in('pulled')
    const ran = await holdfast(['pull', `backup:${backup.id}`, pulled, '--json', ...config])
    expect(ran.code).toBe(0)
    expect(single(JSON.parse(ran.stdout) as never)).toMatchObject({ tenant: 'acme', evidence: { level: 'sealed' } })
    expect(
      new Database(join(pulled, 'acme.db'), { readonly: true }).prepare('SELECT count(*) FROM notes').pluck().get(),
    ).toBe(50)
    expect(service.actions.filter((action) => action === 'close acme')).toHaveLength(3)
  })

  test('an unknown one is refused by its own code, and so is a broken one', async () => {
    await using service = await openKeeping()
    const config = ['--config', service.config]
    await reportOf(['check', '--tenant', 'acme', ...config])
    const [backup] = (await documentOf(['list', ...config], 0)).backups
    if (backup === undefined) throw new Error('it was kept')
    const unknown = await holdfast(['compare', 'acme', 'backup:20260101T000000000Z-00000000', ...config])
    expect([unknown.code, unknown.stderr]).toEqual([64, expect.stringContaining('BACKUP_UNKNOWN') as unknown])
    truncateSync(storedFile(service, backup, '.db.zst'), 10)
    for (const args of [
      ['compare', 'acme', backup.id],
      ['pull', backup.id, service.folder.in('out')],
    ]) {
      const broken = await holdfast([...args, ...config])
      expect([broken.code, broken.stderr], args.join(' ')).toEqual([
        2,
        expect.stringContaining('BACKUP_BROKEN') as unknown,
      ])
    }
    expect(existsSync(service.folder.in('out'))).toBe(false)
    expect(service.actions.filter((action) => action === 'close acme')).toHaveLength(1)
  })
})

describe('what is refused', () => {
  test.each([
    [['prune', 'acme'], /takes no names/],
    [['list', 'a', 'b'], /takes one tenant/],
    [['list', '--dry-run'], /--dry-run is an option of `backups prune`/],
    [['add', 'x', '--max-age', '1d'], /--max-age is an option of `backups verify`/],
    [['delete'], /Allowed choices are list, add, verify, prune/],
    [[], /missing required argument/],
  ])('%j', async (args, words) => {
    using folder = makeFolder()
    const ran = await holdfast(['backups', ...args, '--backups', folder.in('store')])
    expect(ran.code).toBe(64)
    expect(ran.stderr.replaceAll(/\s+/g, ' ')).toMatch(words)
  })

  test('without a folder of backups: 78, and how to name one', async () => {
    await using service = await openService()
    const ran = await holdfast(['backups', 'list', '--config', service.config])
    expect(ran.code).toBe(78)
    expect(ran.stderr.replaceAll(/\s+/g, ' ')).toMatch(/names no folder of backups .* set backups.dir there/)
  })
})
