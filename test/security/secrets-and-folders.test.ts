/** Tokens and customers' data stay in private files and folders, and appear in no process list, log or report. */
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  copyFileSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { recoveredName } from '../../src/check/protocol.ts'
import { makeDatabase, makeFolder } from '../support/cli/folder.ts'
import { resultOf, holdfast, reportIn, reportOf, start } from '../support/cli/program.ts'
import { openService, type TestService } from '../support/cli/service.ts'
import { until } from '../support/service/gate.ts'

const filesBelow = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true, encoding: 'utf8' })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
/** A kept report is compressed. */
const contentOf = (path: string): Buffer =>
  path.endsWith('.json.zst')
    ? spawnSync('zstd', ['-dc'], { input: readFileSync(path), maxBuffer: 1e9 }).stdout
    : readFileSync(path)
const asRoot = process.getuid?.() === 0
const token = 'token-8f3a61c0d2'

async function withToken(
  mode: number,
  work: (service: TestService) => Promise<void>,
  onClose: () => void = () => undefined,
): Promise<void> {
  using keys = makeFolder()
  writeFileSync(keys.in('token'), `${token}\n`, { mode: 0o600 })
  chmodSync(keys.in('token'), mode)
  await using service = await openService({ token, settings: { service: { tokenFile: keys.in('token') } }, onClose })
  await work(service)
}

test.each([0o644, 0o640, 0o604, 0o660])(
  'a token file that others can read (%o) is refused, and the token is not sent',
  async (mode) => {
    await withToken(mode, async (service) => {
      const ran = await holdfast(['sweep', '--json', '--config', service.config])
      const report = reportIn(ran)
      expect([report.results, report.failure?.tenantState]).toEqual([[], 'untouched'])
      expect(report.failure?.message).toMatch(/token/)
      expect([1, 78]).toContain(ran.code)
      expect(service.actions).toEqual([])
    })
  },
)

test('the token is in no argument, environment, log, report or ledger while a sweep runs', async () => {
  const found: string[] = []
  await withToken(
    0o600,
    async (service) => {
      const ran = await holdfast(['sweep', '--json', '--log-level', 'debug', '--config', service.config])
      expect(reportIn(ran).summary).toMatchObject({ sound: 2, exitCode: 0 })
      expect(ran.stdout + ran.stderr).not.toContain(token)
      for (const path of filesBelow(service.ledger))
        expect([path, contentOf(path).includes(token)]).toEqual([path, false])
      expect(found).toEqual([])
      const wrong = service.folder.in('wrong')
      writeFileSync(wrong, 'another-token-1\n', { mode: 0o600 })
      writeFileSync(
        service.folder.in('wrong.yaml'),
        readFileSync(service.config, 'utf8').replace(/"tokenFile": "[^"]*"/, `"tokenFile": ${JSON.stringify(wrong)}`),
        { mode: 0o600 },
      )
      const refused = await holdfast(['sweep', '--json', '--config', service.folder.in('wrong.yaml')])
      expect(reportIn(refused).failure?.code).toBe('ADMIN_REFUSED')
      expect(refused.stdout + refused.stderr).not.toMatch(/another-token-1/)
    },
    () => {
      for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)) {
        for (const file of ['cmdline', 'environ']) {
          try {
            if (readFileSync(`/proc/${pid}/${file}`).includes(token)) found.push(`/proc/${pid}/${file}`)
          } catch {
            /* It has ended, or we may not read it. */
          }
        }
      }
    },
  )
})

test.each([0o755, 0o777, 0o750, 0o701])(
  'a snapshot folder that others can enter (%o) is refused before a tenant is paused',
  async (mode) => {
    await using service = await openService()
    chmodSync(service.snapshots, mode)
    const ran = await holdfast(['sweep', '--json', '--config', service.config])
    expect([reportIn(ran).failure?.code, ran.code, service.actions]).toEqual(['SNAPSHOT_UNSAFE', 1, []])
    const bare = await holdfast([
      'check',
      '--json',
      '--snapshots',
      service.snapshots,
      makeDatabase(service.folder.in('bare.db')),
    ])
    expect([reportIn(bare).failure?.code, bare.code]).toEqual(['SNAPSHOT_UNSAFE', 1])
  },
)

test.skipIf(!asRoot)('a snapshot folder or ledger of another owner is refused (skipped unless root)', async () => {
  await using service = await openService()
  chownSync(service.snapshots, 65_534, 65_534)
  const snapshots = reportIn(await holdfast(['sweep', '--json', '--config', service.config]))
  expect(snapshots.failure?.code).toBe('SNAPSHOT_UNSAFE')
  chownSync(service.snapshots, 0, 0)
  chownSync(service.ledger, 65_534, 65_534)
  const ledger = reportIn(await holdfast(['sweep', '--json', '--config', service.config]))
  expect([ledger.failure?.code, service.actions]).toEqual(['LEDGER_UNUSABLE', []])
})

test('a ledger folder that others can write is refused before a tenant is paused', async () => {
  await using service = await openService()
  chmodSync(service.ledger, 0o777)
  const ran = await holdfast(['sweep', '--json', '--config', service.config])
  expect([reportIn(ran).failure?.code, ran.code, service.actions]).toEqual(['LEDGER_UNUSABLE', 1, []])
})

test('a configuration that other users may write is refused, because it names commands', async () => {
  await using service = await openService()
  chmodSync(service.config, 0o666)
  const ran = await holdfast(['sweep', '--json', '--config', service.config])
  expect([reportIn(ran).failure?.code, ran.code]).toEqual(['CONFIG_INVALID', 78])
})

test('only its owner can read what a run writes, during the run and afterwards', async () => {
  const modes: string[] = []
  await using service = await openService({
    onClose: () => {
      for (const entry of readdirSync(service.folder.path, { recursive: true, withFileTypes: true })) {
        if (!/(snapshots|ledger)\//.test(join(entry.parentPath, entry.name))) continue
        modes.push(`${(modeOf(join(entry.parentPath, entry.name)) & 0o077).toString(8)} ${entry.name}`)
      }
    },
  })
  expect((await holdfast(['sweep', '--config', service.config])).code).toBe(0)
  expect(modes.length).toBeGreaterThan(2)
  // A library makes the run lock, an empty folder, in our private folder.
  expect(modes.filter((mode) => !mode.startsWith('0 ') && !mode.endsWith('.lock'))).toEqual([])
})

const modeOf = (path: string): number => lstatSync(path).mode

test.skipIf(!asRoot)(
  'children that read a database run as another user, in a root of their own, without rights (skipped unless root)',
  async () => {
    using folder = makeFolder()
    const file = makeDatabase(folder.in('large.db'), { rows: 120_000 })
    const program = start(['check', '--json', file])
    const ended = resultOf(program)
    const seen: {
      readonly uids: string
      readonly groups: string
      readonly root: string
      readonly capabilities: string
    }[] = []
    await until(
      () => {
        for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
          try {
            if (!readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('reader-child')) continue
            // It must be confined before it opens the database, not from its start.
            if (
              !readdirSync(`/proc/${pid}/fd`).some((fd) =>
                readlinkSync(`/proc/${pid}/fd/${fd}`).endsWith(`/${recoveredName}`),
              )
            )
              continue
            const status = readFileSync(`/proc/${pid}/status`, 'utf8')
            if (Number(/^PPid:\s(\d+)/m.exec(status)?.[1]) !== program.pid) continue
            const root = readlinkSync(`/proc/${pid}/root`)
            seen.push({
              uids: /^Uid:\s(.*)/m.exec(status)?.[1] ?? '',
              groups: /^Groups:\s(.*)/m.exec(status)?.[1]?.trim() ?? '?',
              capabilities: /^CapEff:\s(.*)/m.exec(status)?.[1] ?? '',
              root,
            })
          } catch {
            /* It has just ended. */
          }
        }
        return seen.length > 0
      },
      'a child that reads',
      20_000,
    )
    const report = reportIn(await ended)
    expect(report.summary).toMatchObject({ sound: 1 })
    const [child] = seen
    expect(child?.uids.split('\t')).toHaveLength(4)
    expect(new Set(child?.uids.split('\t')).has('0')).toBe(false)
    expect([child?.capabilities, child?.groups]).toEqual(['0000000000000000', expect.not.stringMatching(/(^| )0( |$)/)])
    expect(child?.root).toMatch(/holdfast-/)
  },
)

test('a database whose schema calls functions, views and triggers runs no code and affects no other', async () => {
  using folder = makeFolder()
  const path = makeDatabase(folder.in('hostile.db'))
  const database = new Database(path)
  database.unsafeMode(true)
  database.exec(`CREATE TABLE t(a CHECK(a IS NULL OR upper('/nonexistent/evil') IS NULL));
    INSERT INTO t VALUES(NULL);
    CREATE VIEW v AS SELECT upper('/nonexistent/evil');
    CREATE INDEX t_a ON t(a) WHERE upper('/nonexistent/evil') IS NULL;
    CREATE TRIGGER r AFTER INSERT ON notes BEGIN INSERT INTO t VALUES(NULL); END;
    PRAGMA writable_schema=ON;
    UPDATE sqlite_schema SET sql = replace(sql, 'upper', 'load_extension')`)
  database.close()
  copyFileSync(path, folder.in('copy.db'))
  const report = await reportOf(['check', path])
  const [result] = report.results
  expect(result?.findings.map(({ text }) => text).join()).toMatch(/unsafe use of load_extension/)
  expect(result?.findings.some(({ rule }) => rule === 'checker-crashed')).toBe(false)
  expect(readFileSync(path)).toEqual(readFileSync(folder.in('copy.db')))
})
