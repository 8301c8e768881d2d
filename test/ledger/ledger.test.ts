import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { openLedger, readLedger } from '../../src/ledger/open-ledger.ts'
import { newRunId } from '../../src/ledger/run-lock/run-id.ts'
import { tenantId, type ChangeId } from '../../src/model/brand.ts'
import type { Event } from '../../src/model/event.ts'
import {
  holdAsked,
  checked,
  holdEnded,
  fileIn,
  holdQuiesced,
  scratch,
  soundResult,
} from '../support/ledger/sample-events.ts'

const run = newRunId()
const ledgerModule = join(import.meta.dirname, '../../src/ledger/open-ledger.ts')

test('folder and file are private, and at rest the ledger is one file', async () => {
  using folder = scratch()
  const dir = join(folder.path, 'deep', 'ledger')
  {
    await using ledger = await openLedger(dir, run)
    await ledger.append(holdAsked('one'))
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
    holdAsked('a'),
    holdQuiesced('a'),
    holdEnded('a'),
    holdAsked('b'),
    holdQuiesced('b'),
    holdAsked('c'),
    {
      kind: 'remedy-planned',
      tenant: tenantId('acme'),
      path: '/srv/acme.db',
      plan: '01JC5Z9K7Q4W8X2V3B6N0M1T5R' as ChangeId,
      remedy: 'rebuild',
      before: 'ab'.repeat(32),
      after: 'cd'.repeat(32),
    },
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
      incident: null,
      finished: { at: lines[0]?.at, exitCode: 4, selected: 3, covered: 1, whole: true, notDue: 0, backups: null },
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
  await Promise.all(holders.map((holder) => ledger.append(holdAsked(holder))))
  expect((await ledger.openHolds()).map((hold) => hold.holder)).toEqual(holders)
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
    const [, seen] = await Promise.all([ledger.append(holdAsked(`h${hold}`)), reading.openHolds()])
    expect(seen.length).toBeGreaterThanOrEqual(hold)
    expect(await reading.openHolds()).toHaveLength(hold + 1)
  }
})

test('a garbled line of any kind is left out, with a notice', async () => {
  using folder = scratch()
  {
    await using ledger = await openLedger(folder.path, run)
    await ledger.append(holdAsked('good'))
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
    await ledger.append(holdAsked('one'))
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
  for (const holder of holders) await ledger.append(holdAsked(holder))
  expect((await ledger.openHolds()).map((hold) => hold.holder).toSorted()).toEqual(holders.toSorted())
})

test('SQLite is never loaded in the process that holds leases (F10)', () => {
  using folder = scratch()
  const program = `
    const { openLedger, readLedger } = await import(${JSON.stringify(ledgerModule)})
    await using ledger = await openLedger(${JSON.stringify(folder.path)}, 'RUN')
    await ledger.append({ kind: 'run-finished', exitCode: 0, selected: 0, covered: 0, whole: true })
    await using reading = await readLedger(${JSON.stringify(folder.path)})
    await reading.history(null, 1)
    const { readFileSync } = await import('node:fs')
    console.log(/sqlite.*\\.node/.test(readFileSync('/proc/self/maps', 'latin1')))`
  expect(execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' })).toBe('false\n')
})

test('a program that forgets nothing ends by itself: an idle ledger keeps no process alive', () => {
  using folder = scratch()
  const program = `
    const { openLedger } = await import(${JSON.stringify(ledgerModule)})
    const ledger = await openLedger(${JSON.stringify(folder.path)}, 'RUN')
    await ledger.append({ kind: 'run-finished', exitCode: 0, selected: 0, covered: 0, whole: true })`
  execFileSync(process.execPath, ['--input-type=module', '-e', program], { timeout: 240_000 })
  expect(readdirSync(folder.path)).toContain('ledger.db')
})
