/** Compaction keeps the ledger small, and loses nothing that a run, a status or a person needs. */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import type Database from 'better-sqlite3'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { lineRow } from '../../src/ledger/lines/rows.ts'
import { openLedger, readLedger } from '../../src/ledger/open-ledger.ts'
import { compact } from '../../src/ledger/process/compaction/compact.ts'
import { Store } from '../../src/ledger/process/store.ts'
import { newRunId } from '../../src/ledger/run-lock/run-id.ts'
import { tenantId } from '../../src/model/brand.ts'
import type { Event } from '../../src/model/event.ts'
import type { Finding } from '../../src/model/result/finding.ts'
import type { Result } from '../../src/model/result/report.ts'
import type { ServiceWay } from '../../src/model/service-way.ts'
import { makeLargeLedger } from '../soak/large-ledger.ts'
import {
  holdAsked,
  checked,
  holdEnded,
  fileIn,
  ledgerProcessesOf,
  holdQuiesced,
  scratch,
} from '../support/ledger/sample-events.ts'
import { finished, notes, notesByApi, started } from '../support/ledger/services.ts'

const dayMs = 86_400_000
const now = Date.now()

/** Writes events at given ages, oldest first, as runs of the service `notes` would. */
function writeAged(dir: string, events: readonly (readonly [ageDays: number, Event])[], way = notes): void {
  const store = storeIn(dir, way)
  store.append(events.map(([ageDays, event], at) => lineRow(now - ageDays * dayMs, 'RUN', ++written + at, event)))
  written += events.length
  store.close()
}
let written = 0

const storeIn = (dir: string, way: ServiceWay | null = notes): Store =>
  new Store(join(dir, 'ledger.db'), 'write', way, (notice) => {
    throw new Error(notice)
  })

function compactAll(dir: string): void {
  const store = storeIn(dir)
  while (store.ask((database) => compact(database, 100, now)));
  store.close()
}

/** Ages in days of the checks of a tenant that are left, newest first. */
async function agesLeft(dir: string, tenant: string): Promise<readonly number[]> {
  await using reading = await readLedger(dir, notes)
  const { lines } = await reading.checks(tenantId(tenant), 10_000)
  return lines.flatMap(({ at, event }) => (event.kind === 'checked' ? [Math.round((now - at) / dayMs)] : []))
}

const damaged: Partial<Result> = { verdict: 'damaged', damage: 'index' }

test('of many equal nights the newest three and the first remain; what came out otherwise remains too', async () => {
  using folder = scratch()
  const nights = Array.from({ length: 40 }, (_, at) => 42 - at)
  writeAged(
    folder.path,
    nights.flatMap((age): readonly (readonly [number, Event])[] => [
      [age, checked('acme')],
      [age, checked('bolt', age > 30 || age === 20 ? {} : damaged)],
    ]),
  )
  compactAll(folder.path)
  expect(await agesLeft(folder.path, 'acme')).toEqual([3, 4, 5, 42])
  // Sound until 31, damaged from 30 to 21, sound at 20, damaged again from 19 on.
  expect(await agesLeft(folder.path, 'bolt')).toEqual([3, 4, 5, 19, 20, 21, 30, 31, 42])
})

test('lines of the last day stay whole, and a file whose outcome changes all the time keeps 60 checks', async () => {
  using folder = scratch()
  const many = Array.from({ length: 200 }, (_, at) => [300 - at, checked('acme', at % 2 === 0 ? {} : damaged)] as const)
  writeAged(folder.path, [
    ...many,
    [0.5, holdAsked('one', 'acme')],
    [0.5, holdEnded('one', 'acme')],
    [0.4, checked('acme')],
  ])
  compactAll(folder.path)
  expect(await agesLeft(folder.path, 'acme')).toHaveLength(60)
  await using reading = await readLedger(folder.path, notes)
  const newest = (await reading.history(tenantId('acme'), 3)).map(({ event }) => event.kind)
  expect(newest).toEqual(['checked', 'hold-ended', 'hold-asked'])
})

test('whatever was written, every answer but the history is the same after it', async () => {
  const tenant = fc.constantFrom('a', 'b', 'c')
  const holder = fc.constantFrom('h1', 'h2', 'h3', 'h4')
  const outcome = fc.constantFrom<Partial<Result>>(
    {},
    damaged,
    { depth: 'quick' },
    { verdict: 'inconclusive', reason: 'in use' },
  )
  const event: fc.Arbitrary<Event> = fc.oneof(
    { arbitrary: fc.tuple(tenant, outcome).map(([id, change]) => checked(id, change)), weight: 6 },
    holder.map((name) => holdAsked(name, 'a')),
    holder.map((name) => holdQuiesced(name, 'a')),
    holder.map((name) => holdEnded(name, 'a')),
    fc.constant(started),
    fc.constant(finished),
  )
  const lines = fc.array(fc.tuple(fc.integer({ min: 0, max: 50 }), event), { maxLength: 120 })
  await fc.assert(
    fc.asyncProperty(lines, lines, async (own, others) => {
      using folder = scratch()
      writeAged(folder.path, own)
      writeAged(folder.path, others, notesByApi)
      const before = await answersOf(folder.path)
      compactAll(folder.path)
      expect(await answersOf(folder.path)).toEqual(before)
    }),
    { numRuns: 6 },
  )
})

async function answersOf(dir: string): Promise<unknown> {
  await using ledger = await openLedger(dir, newRunId(), notes)
  const files = ['a', 'b', 'c'].map((id) => ({ tenant: tenantId(id), path: `/srv/notes/${id}.db` }))
  return [
    await ledger.openHolds(),
    await ledger.otherHolds(),
    await ledger.lastResults(),
    await ledger.newestChecks(files),
    await ledger.lastGood(files),
    await ledger.lastRuns(1000),
    await ledger.pauseTotals(),
  ]
}

test('SQLite itself refuses to remove what is needed', () => {
  using folder = scratch()
  const quick = checked('acme', { depth: 'quick' })
  writeAged(folder.path, [
    [9, started],
    [9, checked('acme')],
    [8, quick],
    [7, quick],
    [6, holdAsked('open', 'acme')],
    [5, holdAsked('over', 'acme')],
    [5, holdEnded('over', 'acme')],
  ])
  const store = storeIn(folder.path)
  const removed = store.ask((database) => [1, 2, 3, 4, 5, 6, 7].filter((sequence) => isRemoved(database, sequence)))
  store.close()
  // Not the run, the settled check, the newest check, and the open hold.
  expect(removed).toEqual([3, 6, 7])
})

function isRemoved(database: Database.Database, sequence: number): boolean {
  const remove = (): unknown => database.prepare('delete from line where sequence = ?').run(sequence)
  expect(remove).toThrow('the ledger is append-only')
  database.prepare('insert into removable (sequence) values (?)').run(sequence)
  try {
    remove()
    return true
  } catch {
    return false
  }
}

test('its process may be killed in the middle: the ledger is whole, and the work goes on', async () => {
  using folder = scratch()
  const nights = Array.from({ length: 60 }, (_, at) => 62 - at)
  writeAged(
    folder.path,
    nights.flatMap((age) => Array.from({ length: 200 }, (_, at) => [age, checked(`t${at}`)] as const)),
  )
  await using ledger = await openLedger(folder.path, newRunId(), notes)
  const before = await ledger.lastResults()
  const compacting = ledger.compact(1)
  for (const pid of ledgerProcessesOf(process.pid)) process.kill(pid, 'SIGKILL')
  await compacting
  while (await ledger.compact(1));
  expect(await ledger.lastResults()).toEqual(before)
  expect(ledger.notice).toBeNull()
  expect(await agesLeft(folder.path, 't7')).toEqual([3, 4, 5, 62])
})

test('a ledger of before gets the table of newest checks, and may be compacted', async () => {
  using folder = scratch()
  writeAged(folder.path, [
    [9, checked('acme')],
    [8, checked('bolt', damaged)],
    [7, checked('acme', { depth: 'quick' })],
  ])
  const before = await answersOf(folder.path)
  const store = storeIn(folder.path)
  store.ask((database) =>
    database.exec(`drop trigger checked_last; drop table last_check; drop table compacted; drop table removable;
      drop trigger line_is_never_removed; create trigger line_is_never_removed before delete on line
      begin select raise(abort, 'the ledger is append-only'); end;`),
  )
  store.close()
  {
    await using reading = await readLedger(folder.path, notes)
    expect(await reading.lastResults()).toEqual((before as readonly unknown[])[2])
  }
  expect(await answersOf(folder.path)).toEqual(before)
  compactAll(folder.path)
  expect(await answersOf(folder.path)).toEqual(before)
})

test('a file with long lines keeps fewer of them: those that must stay, and others up to 128 KB', async () => {
  using folder = scratch()
  const finding: Finding = {
    rule: 'row-missing-from-index',
    severity: 'damage',
    source: 'census',
    object: { kind: 'index', name: 'i', table: 't' },
    text: 'x'.repeat(100),
  }
  const long: Partial<Result> = { ...damaged, findings: Array.from({ length: 200 }, () => finding), findingsTotal: 200 }
  const nights = Array.from({ length: 40 }, (_, at) => 42 - at)
  writeAged(
    folder.path,
    nights.map((age) => [age, checked('acme', age % 2 === 0 ? {} : long)] as const),
  )
  compactAll(folder.path)
  const left = await agesLeft(folder.path, 'acme')
  // Three of them are long.
  expect(left).toEqual([3, 4, 5, 6, 7])
  const store = storeIn(folder.path)
  const bytes = store.ask((database) => database.prepare('select sum(length(event)) from line').pluck().get())
  store.close()
  expect(bytes).toBeLessThan(150_000)
})

test('the ledger of a small fleet stays below 16 KB for each tenant, and does not grow with the nights', () => {
  using folder = scratch()
  const sizes: number[] = []
  const tenants = 200
  makeLargeLedger(folder.path, { tenants, nights: 20 }, () => {
    sizes.push(statSync(fileIn(join(folder.path, 'ledger'))).size / tenants)
  })
  expect(sizes.at(-1)).toBeLessThan(16_000)
  expect((sizes[19] ?? 0) / (sizes[12] ?? 1)).toBeLessThan(1.1)
})

test('a year that is written in a short way leaves the lines that whole nights leave', () => {
  const linesOf = (shortened: boolean): readonly unknown[] => {
    using folder = scratch()
    makeLargeLedger(folder.path, { tenants: 110, nights: 20, shortened }, () => {})
    const store = storeIn(join(folder.path, 'ledger'), null)
    const lines = store.ask((database) =>
      database.prepare('select run, kind, tenant, verdict from line order by run, tenant, kind').all(),
    )
    store.close()
    return lines
  }
  const whole = linesOf(false)
  expect(whole.length).toBeGreaterThan(110 * 7)
  expect(linesOf(true)).toEqual(whole)
})
