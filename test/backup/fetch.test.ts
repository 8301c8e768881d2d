/** Backups of other programs: what a command brings counts only once it was checked here. */
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { fetchBackup } from '../../src/backup/fetch.ts'
import type { Command } from '../../src/config/settings.ts'
import { tenantId } from '../../src/model/brand.ts'
import { Failure } from '../../src/model/failure.ts'
import type { Backup } from '../../src/model/result/backup.ts'
import { acmeFile, day, never, rows, useStore } from '../support/backup/sound-files.ts'
import { create } from '../support/databases/create-database.ts'
import { EditableDatabase } from '../support/databases/surgeon.ts'
import { mount, whyNoMount, whySkipped } from '../support/host/mounts.ts'

const store = useStore()

/** A program of the test in the place of `backups.fetch`. Its arguments are tenant, out and before. */
function command(script: string): Command {
  const path = store.file('fetch')
  writeFileSync(path, `#!/bin/sh\nset -eu\n${script}`)
  chmodSync(path, 0o700)
  return [path, '--', '{tenant}', '{out}', '{before}']
}

function fetch(
  of: Command,
  {
    before = null,
    path = acmeFile.path,
    tenant = 'acme',
    timeoutMs = 20_000,
    signal = never,
    scratch = store.file('scratch'),
  }: {
    before?: string | null
    path?: string
    tenant?: string
    timeoutMs?: number
    signal?: AbortSignal
    scratch?: string
  } = {},
): Promise<Backup> {
  mkdirSync(scratch, { mode: 0o700, recursive: true })
  const terms = {
    backups: store.backups,
    command: of,
    service: 'notes',
    version: '0.0.0',
    scratch,
    checker: store.checker,
    accept: [],
    timeoutMs,
  }
  return fetchBackup({ tenant: tenantId(tenant), path, before }, terms, signal)
}

const codeOf = (error: unknown): unknown => (error instanceof Failure ? error.code : error)

/** Nothing was kept, and nothing of ours is left. */
async function expectNothing(work: Promise<unknown>, code: string, words: RegExp): Promise<void> {
  const error: unknown = await work.then(
    () => 'it resolved',
    (reason: unknown) => reason,
  )
  expect(codeOf(error)).toBe(code)
  expect((error as Failure).message).toMatch(words)
  expect(await store.list()).toEqual([])
  expect(readdirSync(store.file('scratch'))).toEqual([])
}

test('a sound database is kept, with the time that the command prints', async () => {
  create(store.file('theirs.db'), 4096, rows(40))
  const backup = await fetch(
    command(`cp ${store.file('theirs.db')} "$3"; echo some words; echo 2026-11-05T01:00:00+01:00`),
    { before: day(9) },
  )
  expect(backup).toMatchObject({ ...acmeFile, state: 'verified', takenAt: '2026-11-05T00:00:00.000Z' })
  const restored = await store.backups.restore(backup.id, store.file('back.db'), never)
  expect(readFileSync(restored)).toEqual(readFileSync(store.file('theirs.db')))
  expect(readdirSync(store.file('scratch'))).toEqual([])
})

test('without a printed time, it counts as taken at the latest time that was asked for', async () => {
  create(store.file('theirs.db'), 4096, rows(40))
  const backup = await fetch(command(`cp ${store.file('theirs.db')} "$3"`), { before: day(9) })
  expect(backup.takenAt).toBe(day(9))
  expect(await store.backups.newestVerified({ ...acmeFile, before: day(9) })).toEqual(backup)
})

test('a WAL beside it belongs to it', async () => {
  const path = store.file('theirs.db')
  create(path, 4096, rows(40))
  const db = new Database(path)
  db.pragma('journal_mode=WAL')
  db.exec("INSERT INTO events VALUES(1, 'late', 1, 1, 'only in the WAL')")
  for (const part of ['', '-wal']) copyFileSync(path + part, `${store.file('copy.db')}${part}`)
  db.close()
  const backup = await fetch(command(`cp ${store.file('copy.db')} "$3"; cp ${store.file('copy.db')}-wal "$3-wal"`))
  const restored = new Database(await store.backups.restore(backup.id, store.file('back.db'), never))
  expect(restored.prepare('SELECT note FROM events WHERE id=1').pluck().get()).toBe('only in the WAL')
  restored.close()
})

test('the tenant is one argument, whatever its id is, and the path is in the environment', async () => {
  create(store.file('theirs.db'), 4096, rows(1))
  const tenant = '; rm -rf "$HOME" {out} $(id)\n*'
  const seen = store.file('seen')
  const script = `printf '%s|%s|%s' "$2" "$4" "$HOLDFAST_PATH" > ${seen}; cp ${store.file('theirs.db')} "$3"`
  await fetch(command(script), { tenant, before: day(3) })
  expect(readFileSync(seen, 'utf8')).toBe(`${tenant}|${day(3)}|${acmeFile.path}`)
})

test('an id that a program would read as an option is refused without "--"', async () => {
  const [program] = command('exit 0')
  const bare: Command = [program, '{tenant}', '{out}']
  await expectNothing(fetch(bare, { tenant: '-rf' }), 'CONFIG_INVALID', /would be read as an option/)
})

test.each([
  ['that fails', 'echo "no snapshot of $2" >&2; exit 3', 'BACKUP_UNKNOWN', /exit code 3 \(no snapshot of acme\)/],
  ['that writes nothing', 'exit 0', 'BACKUP_UNKNOWN', /it wrote no file to \{out\}/],
  ['that writes no database', 'echo hello > "$3"', 'BACKUP_BROKEN', /it is no database of SQLite/],
  ['that writes an empty file', ': > "$3"', 'BACKUP_BROKEN', /it is an empty file/],
  ['that makes a folder', 'mkdir "$3"', 'BACKUP_BROKEN', /is not a file of its own/],
  ['that makes a link to a live file', 'ln -s /etc/passwd "$3"', 'BACKUP_BROKEN', /is not a file of its own/],
])('a command %s brings nothing', async (_, script, code, words) => {
  await expectNothing(fetch(command(script)), code, words)
})

test('a hard link does not count as a copy', async () => {
  create(store.file('theirs.db'), 4096, rows(1))
  const work = fetch(command(`ln ${store.file('theirs.db')} "$3"`))
  await expectNothing(work, 'BACKUP_BROKEN', /is not a file of its own/)
})

test('a damaged database is not kept', async () => {
  create(store.file('theirs.db'), 4096, rows(400))
  {
    using database = new EditableDatabase(store.file('theirs.db'))
    database.write(database.leaf('events'), Buffer.alloc(4096))
  }
  await expectNothing(fetch(command(`cp ${store.file('theirs.db')} "$3"`)), 'BACKUP_BROKEN', /found it damaged/)
})

test('a backup that is too new is refused', async () => {
  create(store.file('theirs.db'), 4096, rows(4))
  const work = fetch(command(`cp ${store.file('theirs.db')} "$3"; echo ${day(8)}`), { before: day(7) })
  await expectNothing(work, 'BACKUP_UNKNOWN', /one before .* was wanted/)
})

test('a command that hangs is killed at its limit', async () => {
  await expectNothing(fetch(command('sleep 1000'), { timeoutMs: 300 }), 'BACKUP_UNKNOWN', /300 ms .* was killed/)
})

const noTmpfs = whyNoMount('tmpfs')
test.skipIf(noTmpfs !== null)(`a command that fills the disk is ended before${whySkipped(noTmpfs)}`, async () => {
  using small = mount('tmpfs', 64 << 20)
  const script = 'trap "" XFSZ; while :; do head -c 1048576 /dev/zero >> "$3"; sleep 0.02; done'
  const work = fetch(command(script), { scratch: join(small.path, 'scratch') })
  await expect(work).rejects.toMatchObject({
    code: 'NO_SPACE',
    message: expect.stringMatching(/ended before it filled the disk: [\d.]+ MB of the 6[\d.]+ MB/) as string,
  })
  expect(readdirSync(join(small.path, 'scratch'))).toEqual([])
  expect(await store.list()).toEqual([])
})

test('an interruption kills it', async () => {
  const controller = new AbortController()
  const work = fetch(command('sleep 1000'), { signal: controller.signal })
  setTimeout(() => controller.abort(new Failure('INTERRUPTED', 'stopped by the test')), 200)
  await expectNothing(work, 'INTERRUPTED', /stopped by the test/)
})

test('a program that does not exist is named', async () => {
  await expectNothing(fetch(['/nowhere/fetch', '{tenant}', '{out}']), 'BACKUP_UNKNOWN', /ENOENT/)
})

const missing = ['restic', 'jq'].filter((program) => spawnSync('which', [program]).status !== 0)
const why = missing.length === 0 ? null : `not installed: ${missing.join(', ')}`

/** The program in the README. */
function programOfReadme(): string {
  const readme = readFileSync(new URL('../../src/backup/README.md', import.meta.url), 'utf8')
  const [, script = ''] = /```sh\n(#!\/bin\/sh\n.*?)```/s.exec(readme) ?? []
  const path = store.file('fetch-from-restic')
  writeFileSync(path, script)
  chmodSync(path, 0o700)
  return path
}

test.skipIf(why !== null)(`restic: the newest snapshot from before a time${whySkipped(why)}`, async () => {
  const live = store.file('live.db')
  process.env['RESTIC_REPOSITORY'] = store.file('repository')
  process.env['RESTIC_PASSWORD'] = 'for the test'
  process.env['RESTIC_CACHE_DIR'] = store.file('cache')
  const restic = (...args: readonly string[]): void => void execFileSync('restic', ['-q', ...args])
  restic('init')
  create(live, 4096, rows(10))
  restic('backup', live, '--time', '2026-11-02 03:00:00')
  const old = readFileSync(live)
  const db = new Database(live)
  db.exec('DELETE FROM events')
  db.close()
  restic('backup', live, '--time', '2026-11-03 03:00:00')
  const path = programOfReadme()
  const of: Command = [path, '{tenant}', '{out}', '{before}']
  const before = new Date('2026-11-02 20:00:00').toISOString() // In the zone of the machine, as restic reads it.
  const fetched = await fetch(of, { path: live, before })
  expect(fetched.takenAt).toBe(new Date('2026-11-02 03:00:00').toISOString())
  const restored = await store.backups.restore(fetched.id, store.file('back.db'), never)
  expect(readFileSync(restored).equals(old)).toBe(true)
  expect((await fetch(of, { path: live })).takenAt).toBe(new Date('2026-11-03 03:00:00').toISOString())
  await expect(fetch(of, { path: live, before: new Date('2026-11-01').toISOString() })).rejects.toMatchObject({
    code: 'BACKUP_UNKNOWN',
    message: expect.stringContaining('restic has no snapshot of') as unknown,
  })
})
