import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { openLedger, readLedger } from '../../src/ledger/ledger.ts'
import { newRunId } from '../../src/ledger/run-lock/run-id.ts'
import { tenantId } from '../../src/model/brand.ts'
import type { Event } from '../../src/model/event.ts'
import type { FailureCode } from '../../src/model/failure.ts'
import type { Result } from '../../src/model/result/report.ts'
import { asked, checked, ended, quiesced, scratch, soundResult } from '../support/ledger/sample.ts'

const run = newRunId()
const unusable = (why: RegExp) =>
  expect.objectContaining({ code: 'LEDGER_UNUSABLE', message: expect.stringMatching(why) as string }) as Error
const fileIn = (dir: string): string => join(dir, 'ledger.db')

test('folder and file are made for nobody else, and at rest the ledger is one file', async () => {
  using folder = scratch()
  const dir = join(folder.path, 'deep', 'ledger')
  {
    await using ledger = await openLedger(dir, run)
    await ledger.append(asked('one'))
    expect([dir, fileIn(dir), `${fileIn(dir)}-wal`].map((path) => statSync(path).mode & 0o777)).toEqual([
      0o700, 0o600, 0o600,
    ])
    expect(ledger.notice).toBeNull()
  }
  expect(readdirSync(dir)).toEqual(['ledger.db', 'ledger.note'])
})

test('what was appended is there for the next run, in order', async () => {
  using folder = scratch()
  const events: readonly Event[] = [
    { kind: 'run-started', mode: 'sweep', version: '0.1.0', argv: ['sweep'] },
    asked('a'),
    quiesced('a'),
    ended('a'),
    asked('b'),
    quiesced('b'),
    asked('c'),
    { kind: 'resume-failed', tenant: tenantId('tenant of b'), holder: 'b', code: 'RESUME_FAILED' },
    { kind: 'run-finished', exitCode: 4, selected: 3, covered: 1, whole: true },
  ]
  {
    await using ledger = await openLedger(folder.path, run)
    for (const event of events) await ledger.append(event)
  }
  await using ledger = await openLedger(folder.path, newRunId())
  const lines = await ledger.history(null, 100)
  expect(lines.map((line) => line.event).toReversed()).toEqual(events)
  expect(new Set(lines.map((line) => line.run))).toEqual(new Set([run]))
  expect(
    (await ledger.openHolds()).map(({ holder, leaseId, fence, run }) => ({ holder, leaseId, fence, run })),
  ).toEqual([
    { holder: 'b', leaseId: 'lease of b', fence: 7, run },
    { holder: 'c', leaseId: null, fence: null, run },
  ])
  expect(await ledger.lastRuns(5)).toEqual([
    {
      run,
      mode: 'sweep',
      version: '0.1.0',
      startedAt: lines.at(-1)?.at,
      finished: { at: lines[0]?.at, exitCode: 4, selected: 3, covered: 1, whole: true },
    },
  ])
  expect((await ledger.history(tenantId('tenant of b'), 2)).map((line) => line.event.kind)).toEqual([
    'resume-failed',
    'hold-quiesced',
  ])
})

test('a run that does not say whether it was whole, as older versions did not, was not', async () => {
  using folder = scratch()
  await using ledger = await openLedger(folder.path, run)
  await ledger.append({ kind: 'run-started', mode: 'sweep', version: '0.1.0', argv: ['sweep'] })
  await ledger.append({ kind: 'run-finished', exitCode: 0, selected: 3, covered: 3 } as Event)
  expect(await ledger.lastRuns(1)).toMatchObject([{ finished: { covered: 3, whole: false } }])
})

test('appends that come together are committed together, in the order in which they came', async () => {
  using folder = scratch()
  await using ledger = await openLedger(folder.path, run)
  const holders = Array.from({ length: 2500 }, (_, index) => `h${index}`)
  await Promise.all(holders.map((holder) => ledger.append(asked(holder))))
  expect((await ledger.openHolds()).map((hold) => hold.holder)).toEqual(holders)
})

test('the last result of a file says what the next sweep and the status need', async () => {
  using folder = scratch()
  await using ledger = await openLedger(folder.path, run)
  await ledger.append(
    checked('acme', {
      verdict: 'inconclusive',
      reason: 'in use',
      failure: { code: 'IN_USE', message: 'in use', hint: 'wait', tenantState: 'untouched' },
    }),
  )
  await ledger.append(checked('acme', { path: '/srv/notes/acme-2.db' }))
  const [second, first] = await ledger.lastResults()
  expect(first).toMatchObject({
    tenant: 'acme',
    path: '/srv/notes/acme.db',
    verdict: 'inconclusive',
    failure: 'IN_USE',
    settled: null,
  })
  expect(second).toMatchObject({
    tenant: 'acme',
    path: '/srv/notes/acme-2.db',
    run,
    verdict: 'sound',
    damage: 'none',
    level: 'sealed',
    depth: 'full',
    pauseMs: 9,
    failure: null,
    changeCounter: 42,
    size: 1_048_576,
    walSalts: '0011223344556677',
    settled: { verdict: 'sound', depth: 'full', changeCounter: 42 },
  })
})

test('a pause is lost when the newest copy of that file was given up for taking too long, and no other is', async () => {
  using folder = scratch()
  await using ledger = await openLedger(folder.path, run)
  const lost = async (timings: Partial<Result['timings']>, code: FailureCode): Promise<readonly (number | null)[]> => {
    const failure = { code, message: 'so it was', hint: 'wait', tenantState: 'active' } as const
    await ledger.append(
      checked('acme', { verdict: 'inconclusive', failure, timings: { ...soundResult('acme').timings, ...timings } }),
    )
    const checks = await ledger.newestChecks([
      { tenant: tenantId('bolt'), path: '/srv/notes/acme.db' },
      { tenant: tenantId('acme'), path: '/srv/notes/acme.db' },
      { tenant: null, path: '/srv/notes/acme.db' },
    ])
    return checks.map((check) => check?.abandonedPauseMs ?? null)
  }
  expect(await lost({ pauseMs: 10_400, ranOutMs: 10_001 }, 'TOO_LARGE_FOR_PAUSE')).toEqual([null, 10_001, null])
  expect(await lost({ pauseMs: null }, 'TOO_LARGE_FOR_PAUSE')).toEqual([null, null, null])
  expect(await lost({ pauseMs: 30_000 }, 'LEASE_LOST')).toEqual([null, null, null])
})

test('a quick check neither refreshes a full one nor clears damage', async () => {
  using folder = scratch()
  await using ledger = await openLedger(folder.path, run)
  const settledAfter = async (event: Event): Promise<unknown> => {
    await ledger.append(event)
    const [result] = await ledger.lastResults()
    return result?.settled === null ? null : [result?.settled.verdict, result?.settled.depth]
  }
  expect(await settledAfter(checked('acme', { depth: 'quick' }))).toBeNull()
  expect(await settledAfter(checked('acme'))).toEqual(['sound', 'full'])
  expect(await settledAfter(checked('acme', { depth: 'quick', verdict: 'damaged', damage: 'index' }))).toEqual([
    'damaged',
    'quick',
  ])
  expect(await settledAfter(checked('acme', { depth: 'quick' }))).toEqual(['damaged', 'quick'])
  expect(await settledAfter(checked('acme', { verdict: 'inconclusive' }))).toEqual(['damaged', 'quick'])
  expect(await settledAfter(checked('acme', { verdict: 'failed' }))).toEqual(['damaged', 'quick'])
  expect(await settledAfter(checked('acme'))).toEqual(['sound', 'full'])
})

test('checks are counted by themselves, whatever was written between them, and it is said when there are older ones', async () => {
  using folder = scratch()
  await using ledger = await openLedger(folder.path, run)
  for (const tenant of ['acme', 'bolt', 'acme', 'acme']) {
    for (const event of [asked('h', tenant), quiesced('h', tenant), checked(tenant), ended('h', tenant)])
      await ledger.append(event)
  }
  const found = async (tenant: string | null, limit: number): Promise<unknown> => {
    const { lines, more } = await ledger.checks(tenant === null ? null : tenantId(tenant), limit)
    return [lines.map(({ event }) => (event.kind === 'checked' ? event.tenant : event.kind)), more]
  }
  expect(await found(null, 2)).toEqual([['acme', 'acme'], true])
  expect(await found(null, 4)).toEqual([['acme', 'acme', 'bolt', 'acme'], false])
  expect(await found('acme', 2)).toEqual([['acme', 'acme'], true])
  expect(await found('bolt', 1)).toEqual([['bolt'], false])
})

test('reading creates nothing, neither before the first run nor between runs', async () => {
  using folder = scratch()
  const dir = join(folder.path, 'ledger')
  {
    await using reading = await readLedger(dir)
    expect([await reading.lastResults(), reading.notice]).toEqual([[], expect.stringContaining('no ledger')])
  }
  expect(existsSync(dir)).toBe(false)
  {
    await using ledger = await openLedger(dir, run)
    await ledger.append(checked('acme'))
  }
  const before = statSync(fileIn(dir), { bigint: true })
  await using reading = await readLedger(dir)
  expect(await reading.lastResults()).toHaveLength(1)
  expect(readdirSync(dir)).toEqual(['ledger.db', 'ledger.note'])
  expect(statSync(fileIn(dir), { bigint: true }).mtimeNs).toBe(before.mtimeNs)
})

test('reading goes on while a run writes, and sees what was acknowledged', async () => {
  using folder = scratch()
  await using ledger = await openLedger(folder.path, run)
  await using reading = await readLedger(folder.path)
  for (let hold = 0; hold < 20; hold += 1) {
    const [, seen] = await Promise.all([ledger.append(asked(`h${hold}`)), reading.openHolds()])
    expect(seen.length).toBeGreaterThanOrEqual(hold)
    expect(await reading.openHolds()).toHaveLength(hold + 1)
  }
})

test('a line that was garbled is passed over and said, whatever it was', async () => {
  using folder = scratch()
  {
    await using ledger = await openLedger(folder.path, run)
    await ledger.append(asked('good'))
    await ledger.append(checked('acme'))
  }
  const database = new Database(fileIn(folder.path))
  const insert = database.prepare(
    'insert into line (at, run, number, kind, tenant, holder, path, verdict, depth, ' +
      "event, way) values (5, 'r', ?, ?, ?, ?, ?, 'sound', 'full', ?, 1)",
  )
  insert.run(1, 'hold-asked', 't', 'bad', null, '{"kind":"hold-as')
  insert.run(
    2,
    'checked',
    'bolt',
    null,
    '/x',
    JSON.stringify({ kind: 'checked', tenant: 'bolt', result: { ...soundResult('bolt'), evidence: null } }),
  )
  insert.run(3, 'run-started', null, null, null, 'null')
  insert.run(4, 'invented-later', null, null, null, '{"kind":"invented-later"}')
  insert.run(5, 'checked', 'cask', null, '/y', '[]')
  database.close()
  await using ledger = await openLedger(folder.path, newRunId())
  expect((await ledger.openHolds()).map((hold) => hold.holder)).toEqual(['good'])
  expect((await ledger.lastResults()).map((result) => result.tenant)).toEqual(['acme'])
  expect(await ledger.lastRuns(5)).toEqual([])
  expect((await ledger.history(null, 10)).map((line) => line.event.kind)).toEqual(['checked', 'hold-asked'])
  expect(ledger.notice).toContain('line 3 of the ledger (hold-asked, 1970-01-01T00:00:00.005Z) cannot be read')
  expect(ledger.notice?.match(/cannot be read/g)).toHaveLength(4)
})

test('no line can be changed or removed', async () => {
  using folder = scratch()
  {
    await using ledger = await openLedger(folder.path, run)
    await ledger.append(asked('one'))
  }
  const database = new Database(fileIn(folder.path))
  expect(() => database.exec('delete from line')).toThrow('append-only')
  expect(() => database.exec("update line set event = ''")).toThrow('append-only')
  database.close()
})

test('text of any kind comes back as it went in', async () => {
  using folder = scratch()
  await using ledger = await openLedger(folder.path, run)
  const holders = ['', "'; drop table line; --", 'a\u0000b', '\u{1f4a5}\n"', '__proto__', 'x'.repeat(100_000)]
  for (const holder of holders) await ledger.append(asked(holder))
  expect((await ledger.openHolds()).map((hold) => hold.holder).toSorted()).toEqual(holders.toSorted())
})

test('a folder or file that others can write to is refused, and left as it is', async () => {
  using folder = scratch()
  const dir = join(folder.path, 'open')
  mkdirSync(dir)
  chmodSync(dir, 0o770)
  await expect(openLedger(dir, run)).rejects.toEqual(unusable(/another user could change the ledger's folder/))
  await expect(readLedger(dir)).rejects.toEqual(unusable(/another user could change/))
  expect(readdirSync(dir)).toEqual([])
  chmodSync(dir, 0o700)
  writeFileSync(fileIn(dir), '')
  chmodSync(fileIn(dir), 0o606)
  await expect(openLedger(dir, run)).rejects.toEqual(unusable(/others can write to .*ledger\.db/))
})

test('a link in place of the file is not followed', async () => {
  using folder = scratch()
  const dir = join(folder.path, 'ledger')
  mkdirSync(dir, { mode: 0o700 })
  writeFileSync(join(folder.path, 'victim'), '')
  symlinkSync(join(folder.path, 'victim'), fileIn(dir))
  await expect(openLedger(dir, run)).rejects.toEqual(unusable(/not a file with one name/))
  expect(statSync(join(folder.path, 'victim')).size).toBe(0)
})

test('a folder that cannot be made says why', async () => {
  using folder = scratch()
  writeFileSync(join(folder.path, 'file'), '')
  await expect(openLedger(join(folder.path, 'file', 'ledger'), run)).rejects.toEqual(unusable(/ENOTDIR/))
  await expect(openLedger(join(folder.path, 'file'), run)).rejects.toEqual(unusable(/EEXIST/))
})

test('a ledger that its first run could not write is empty to readers, and the next run begins it', async () => {
  using folder = scratch()
  const database = new Database(fileIn(folder.path))
  database.pragma('journal_mode = wal') // Writes the first page, and no table.
  database.close()
  chmodSync(fileIn(folder.path), 0o600)
  await expect(readLedger(folder.path)).rejects.toEqual(unusable(/it is empty/))
  await using ledger = await openLedger(folder.path, run)
  expect([ledger.notice, await ledger.openHolds()]).toEqual([null, []])
})

test("another program's database is never touched", async () => {
  using folder = scratch()
  const database = new Database(fileIn(folder.path))
  database.exec('create table notes (text)')
  database.close()
  chmodSync(fileIn(folder.path), 0o600)
  await expect(openLedger(folder.path, run)).rejects.toEqual(unusable(/another program/))
  expect(readdirSync(folder.path)).toEqual(['ledger.db'])
})

test('a ledger of a newer holdfast is refused in plain words and left as it is', async () => {
  using folder = scratch()
  await (await openLedger(folder.path, run))[Symbol.asyncDispose]()
  const database = new Database(fileIn(folder.path))
  database.pragma('user_version = 99')
  database.close()
  await expect(openLedger(folder.path, run)).rejects.toEqual(unusable(/newer holdfast \(ledger version 99/))
  await expect(readLedger(folder.path)).rejects.toEqual(unusable(/newer holdfast/))
  expect(readdirSync(folder.path)).toEqual(['ledger.db', 'ledger.note'])
})

test('SQLite is never loaded in the process that holds leases (F10)', () => {
  using folder = scratch()
  const program = `
    const { openLedger, readLedger } = await import(${JSON.stringify(join(import.meta.dirname, '../../src/ledger/ledger.ts'))})
    await using ledger = await openLedger(${JSON.stringify(folder.path)}, 'RUN')
    await ledger.append({ kind: 'run-finished', exitCode: 0, selected: 0, covered: 0, whole: true })
    await using reading = await readLedger(${JSON.stringify(folder.path)})
    await reading.history(null, 1)
    const { readFileSync } = await import('node:fs')
    console.log(/sqlite.*\\.node/.test(readFileSync('/proc/self/maps', 'latin1')))`
  expect(execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' })).toBe('false\n')
})

test('what the kernel or the disk refuses is told with its path', async () => {
  using folder = scratch()
  mkdirSync(fileIn(folder.path))
  await expect(openLedger(folder.path, run)).rejects.toEqual(unusable(/ledger\.db/))
})

test('a program that forgets nothing ends by itself: an idle ledger keeps no process alive', () => {
  using folder = scratch()
  const program = `
    const { openLedger } = await import(${JSON.stringify(join(import.meta.dirname, '../../src/ledger/ledger.ts'))})
    const ledger = await openLedger(${JSON.stringify(folder.path)}, 'RUN')
    await ledger.append({ kind: 'run-finished', exitCode: 0, selected: 0, covered: 0, whole: true })`
  execFileSync(process.execPath, ['--input-type=module', '-e', program], { timeout: 30_000 })
  expect(readdirSync(folder.path)).toContain('ledger.db')
})
