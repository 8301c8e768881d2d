/**
 * Several services in one ledger, one service reached in another way than before, and ledgers from the time when lines
 * did not say whose they are.
 */

import { rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import { openLedger, readLedger, type LedgerReading } from '../../src/ledger/ledger.ts'
import { newRunId } from '../../src/ledger/run-lock/run-id.ts'
import { tenantId } from '../../src/model/brand.ts'
import type { Event } from '../../src/model/event.ts'
import type { ServiceWay } from '../../src/model/service-way.ts'
import { asked, checked, ended, quiesced, scratch, soundResult } from '../support/ledger/sample.ts'

const notes: ServiceWay = { service: 'notes', via: 'hooks', address: '["notesctl","pause"]', config: '/etc/notes.yaml' }
const mail: ServiceWay = { ...notes, service: 'mail', config: '/etc/mail.yaml' }
const notesByApi: ServiceWay = { ...notes, via: 'admin-api', address: '/run/notes.sock' }
const damaged = (tenant: string, change = {}): Event =>
  checked(tenant, { verdict: 'damaged', damage: 'index', ...change })
const started: Event = { kind: 'run-started', mode: 'sweep', version: '0.1.0', argv: [] }
const finished: Event = { kind: 'run-finished', exitCode: 0, selected: 1, covered: 1, whole: true }
const fileIn = (dir: string): string => join(dir, 'ledger.db')

async function write(dir: string, way: ServiceWay | null, ...events: readonly Event[]): Promise<void> {
  await using ledger = await openLedger(dir, newRunId(), way)
  for (const event of events) await ledger.append(event)
}

const holders = async (reading: LedgerReading): Promise<unknown> => [
  (await reading.openHolds()).map(({ holder }) => holder),
  (await reading.otherHolds()).map(({ holder, whose }) => `${holder}: ${whose}`),
]

test('each service has its own holds, results, history and runs; what others hold is named with whose it is', async () => {
  using folder = scratch()
  await write(folder.path, notes, started, asked('n', 'acme'), damaged('acme'), finished)
  await write(
    folder.path,
    mail,
    asked('m', 'acme'),
    quiesced('m', 'acme'),
    checked('acme', {
      failure: { code: 'TENANT_GONE', message: '', hint: '', tenantState: 'unknown' },
      verdict: 'inconclusive',
    }),
  )
  await using ofNotes = await readLedger(folder.path, notes)
  expect(await holders(ofNotes)).toEqual([['n'], ['m: another-service']])
  expect((await ofNotes.lastResults()).map(({ verdict, settled }) => [verdict, settled?.verdict])).toEqual([
    ['damaged', 'damaged'],
  ])
  expect([
    (await ofNotes.history(null, 10)).length,
    (await ofNotes.checks(tenantId('acme'), 10)).lines.length,
    (await ofNotes.lastRuns(5)).length,
  ]).toEqual([4, 1, 1])
  await using ofMail = await readLedger(folder.path, mail)
  expect(await holders(ofMail)).toEqual([['m'], ['n: another-service']])
  expect((await ofMail.otherHolds())[0]).toMatchObject({ ...notes, tenant: 'acme' })
  expect((await ofMail.lastResults()).map(({ failure, settled }) => [failure, settled])).toEqual([
    ['TENANT_GONE', null],
  ])
  expect([(await ofMail.history(tenantId('acme'), 10)).length, (await ofMail.lastRuns(5)).length]).toEqual([3, 0])
  await using ofFiles = await readLedger(folder.path)
  expect([await holders(ofFiles), await ofFiles.lastResults(), await ofFiles.history(null, 9)]).toEqual([
    [[], ['n: another-service', 'm: another-service']],
    [],
    [],
  ])
})

test('what was kept of sound checks, and of pauses that came to nothing, is of one service', async () => {
  using folder = scratch()
  const file = { tenant: tenantId('acme'), path: '/srv/notes/acme.db' }
  {
    await using ledger = await openLedger(folder.path, newRunId(), notes)
    await ledger.storeLastGood({
      ...file,
      header: { walMode: true, changeCounter: 1, versionValidFor: 1, pageCount: 1, schemaCookie: 1 },
      standing: { provenAt: 5, bootId: '', files: [] },
      content: { format: '', tables: [] },
      pages: { format: 1, pageSize: 4096, pages: 1, groupPages: 1, groups: new Uint32Array(1) },
    })
    const failure = { code: 'TOO_LARGE_FOR_PAUSE', message: '', hint: '', tenantState: 'active' } as const
    await ledger.append(
      checked('acme', {
        verdict: 'inconclusive',
        failure,
        timings: { ...soundResult('acme').timings, ranOutMs: 10_001 },
      }),
    )
  }
  for (const [way, known] of [
    [mail, false],
    [notes, true],
    [notesByApi, true],
  ] as const) {
    await using ledger = await openLedger(folder.path, newRunId(), way)
    const [newest] = await ledger.newestChecks([file])
    expect([(await ledger.lastGood([file]))[0] !== null, newest?.abandonedPauseMs ?? null]).toEqual([
      known,
      known ? 10_001 : null,
    ])
  }
})

describe('the same service, reached in another way', () => {
  test.each([
    ['by its admin API', notesByApi],
    ['with another quiesce command', { ...notes, address: '["other","pause"]' }],
  ])('%s: its holds are not ours to end', async (_how, now) => {
    using folder = scratch()
    await write(folder.path, notes, asked('h', 'acme'))
    await using reading = await readLedger(folder.path, now)
    expect(await holders(reading)).toEqual([[], ['h: another-way']])
  })

  const seenBy = async (dir: string, way: ServiceWay): Promise<readonly [unknown, string | null]> => {
    await using reading = await readLedger(dir, way)
    const results = await reading.lastResults()
    return [results.map(({ verdict, depth, settled }) => [verdict, depth, settled?.verdict]), reading.notice]
  }
  const byHooks = expect.stringContaining(
    'what is known of 1 file was found in another way of reaching notes (by hooks with /etc/notes.yaml)',
  ) as string

  test('what another way found counts until this way has settled something; later damage counts again', async () => {
    using folder = scratch()
    const { path } = folder
    await write(path, notes, damaged('acme'))
    expect(await seenBy(path, notesByApi)).toEqual([[['damaged', 'full', 'damaged']], byHooks])
    await write(path, notesByApi, checked('acme', { depth: 'quick' }))
    expect(await seenBy(path, notesByApi)).toEqual([[['sound', 'quick', 'damaged']], byHooks])
    await write(path, notesByApi, checked('acme'))
    expect(await seenBy(path, notesByApi)).toEqual([[['sound', 'full', 'sound']], null])
    await write(path, notes, damaged('acme'))
    expect(await seenBy(path, notesByApi)).toEqual([[['sound', 'full', 'damaged']], byHooks])
    await write(path, notesByApi, checked('acme'))
    expect(await seenBy(path, notesByApi)).toEqual([[['sound', 'full', 'sound']], null])
  })

  test('a sound check in another way clears no damage: it may be another service of the same name', async () => {
    using folder = scratch()
    const { path } = folder
    await write(path, notesByApi, damaged('acme'))
    await write(path, notes, checked('acme'))
    expect(await seenBy(path, notesByApi)).toEqual([[['damaged', 'full', 'damaged']], null])
    await write(path, { ...notes, address: '["third","pause"]' }, damaged('bolt'))
    await write(path, notes, checked('bolt'))
    expect((await seenBy(path, notesByApi))[0]).toContainEqual(['sound', 'full', 'damaged'])
  })

  test('of two configurations with one address, a check that settles nothing does not hide damage', async () => {
    using folder = scratch()
    const { path } = folder
    const moved = { ...notes, config: '/elsewhere.yaml' }
    await write(path, moved, checked('acme'))
    await write(path, notes, damaged('acme'))
    await write(path, moved, checked('acme', { depth: 'quick' }))
    expect(await seenBy(path, notes)).toEqual([[['sound', 'quick', 'damaged']], null])
  })

  test('the list of checks has those of all ways, and says how many another way made', async () => {
    using folder = scratch()
    await write(folder.path, notes, damaged('acme'), checked('bolt'))
    await write(folder.path, notesByApi, checked('acme'))
    await using reading = await readLedger(folder.path, notesByApi)
    expect((await reading.checks(tenantId('acme'), 10)).lines.length).toBe(2)
    expect(reading.notice).toBe(
      '1 check of this list was made in another way of reaching notes (by hooks with /etc/notes.yaml)',
    )
  })

  test('a configuration that moved is the same way', async () => {
    using folder = scratch()
    await write(folder.path, notes, asked('h', 'acme'))
    await using reading = await readLedger(folder.path, { ...notes, config: '/elsewhere.yaml' })
    expect(await holders(reading)).toEqual([['h'], []])
  })
})

test('a damaged ledger is set aside, and each open hold goes on as whose it was', async () => {
  using folder = scratch()
  await write(folder.path, notes, asked('n', 'acme'))
  await write(folder.path, mail, asked('m', 'acme'), ...Array.from({ length: 200 }, (_, at) => checked(`t${at}`)))
  const spoilt = new Database(fileIn(folder.path))
  spoilt.exec('drop index line_of_tenant')
  spoilt.close()
  await using ledger = await openLedger(folder.path, newRunId(), notes)
  expect(ledger.notice).toContain('2 open holds were carried over')
  expect([await holders(ledger), ledger.holdsLost]).toEqual([[['n'], ['m: another-service']], false])
})

/** As version 1 had them. */
const firstVersion = `
create table line (sequence integer primary key autoincrement, at integer not null, run text not null, number integer not null, kind text not null, tenant text, holder text, path text,
  verdict text, depth text, brief text, event text not null, unique (run, number)) strict;
create index line_of_holder on line (holder, sequence) where holder is not null;
create index line_of_tenant on line (tenant, sequence) where tenant is not null;
create index line_of_run_started on line (sequence) where kind = 'run-started';
create index line_of_run_finished on line (run) where kind = 'run-finished';
create trigger line_is_never_changed before update on line begin select raise(abort, 'the ledger is append-only'); end;
create trigger line_is_never_removed before delete on line begin select raise(abort, 'the ledger is append-only'); end;
create table open_holder (holder text primary key) strict, without rowid;
create trigger hold_asked after insert on line when new.kind = 'hold-asked' begin insert into open_holder (holder) values (new.holder) on conflict do nothing; end;
create trigger hold_ended after insert on line when new.kind = 'hold-ended' begin delete from open_holder where holder = new.holder; end;
create table newest_check (tenant text not null, path text not null, sequence integer not null, settled integer, primary key (tenant, path)) strict, without rowid;
create trigger checked after insert on line when new.kind = 'checked' begin
  insert into newest_check (tenant, path, sequence, settled)
  values (new.tenant, new.path, new.sequence, iif(new.verdict = 'damaged' or (new.verdict = 'sound' and new.depth = 'full'), new.sequence, null))
  on conflict do update set sequence = excluded.sequence, settled = coalesce(excluded.settled, settled);
end;
pragma application_id = 1751934054;
pragma user_version = 1;`

/**
 * A ledger of the first version with one open hold, one damaged file and one run, and the run locks of these services
 * beside it.
 */
async function olderLedger(dir: string, services: readonly string[]): Promise<void> {
  const present = join(dir, 'present')
  await write(
    present,
    null,
    started,
    asked('ended', 'bolt'),
    ended('ended', 'bolt'),
    asked('old', 'acme'),
    quiesced('old', 'acme'),
    damaged('acme'),
    finished,
  )
  const database = new Database(fileIn(dir))
  database.exec(firstVersion)
  database.exec(
    `attach '${fileIn(present)}' as present; insert into line select sequence, at, run, number, kind, ` +
      'tenant, holder, path, verdict, depth, brief, event from present.line order by sequence',
  )
  database.close()
  for (const service of services) writeFileSync(join(dir, `run-${service}.json`), '{}')
}

describe('a ledger of the first version', () => {
  test.each([
    ['of the only service that ever ran there', ['notes', 'files'], 1],
    ['of one of several', ['notes', 'mail'], 0],
    ['of another', ['mail'], 0],
  ])('%s', async (_what, services, known) => {
    using folder = scratch()
    await olderLedger(folder.path, services)
    const stamp = statSync(fileIn(folder.path), { bigint: true }).mtimeNs
    const whose = services.includes('notes') ? 'old: not-said' : 'old: another-service'
    const look = async (reading: LedgerReading): Promise<void> => {
      expect(await holders(reading)).toEqual([[], [whose]])
      expect((await reading.lastResults()).map(({ tenant, verdict }) => [tenant, verdict])).toEqual(
        known === 1 ? [['acme', 'damaged']] : [],
      )
      expect([(await reading.lastRuns(5)).length, (await reading.history(null, 10)).length]).toEqual([known, known * 7])
    }
    {
      await using reading = await readLedger(folder.path, notes)
      await look(reading)
    }
    expect(statSync(fileIn(folder.path), { bigint: true }).mtimeNs).toBe(stamp)
    {
      await using ledger = await openLedger(folder.path, newRunId(), notes)
      await look(ledger)
      expect(ledger.notice).toBeNull()
      await ledger.append(checked('acme'))
      await ledger.append(ended('old', 'acme'))
    }
    await using reading = await readLedger(folder.path, notes)
    expect([await holders(reading), (await reading.lastResults()).map(({ verdict }) => verdict)]).toEqual([
      [[], []],
      ['sound'],
    ])
  })

  test('that is damaged is set aside with its open hold carried over as one of which nobody said whose it is', async () => {
    using folder = scratch()
    await olderLedger(folder.path, ['notes', 'mail'])
    const database = new Database(fileIn(folder.path))
    database.exec('drop index line_of_tenant')
    database.close()
    await using ledger = await openLedger(folder.path, newRunId(), notes)
    expect(ledger.notice).toContain('1 open holds were carried over')
    expect(await holders(ledger)).toEqual([[], ['old: not-said']])
  })
})

describe('a ledger that was lost', () => {
  test('emptied to nothing it is set aside and said, and its holds are called unknown', async () => {
    using folder = scratch()
    await write(folder.path, notes, asked('h', 'acme'))
    truncateSync(fileIn(folder.path), 0)
    await expect(readLedger(folder.path, notes)).rejects.toMatchObject({
      code: 'LEDGER_UNUSABLE',
      message: expect.stringContaining('it is empty') as string,
    })
    await using ledger = await openLedger(folder.path, newRunId(), notes)
    expect([ledger.notice, ledger.holdsLost]).toEqual([
      expect.stringMatching(
        /^the ledger was damaged \(it is empty\); set aside as ledger\.damaged-.*could not be read from it/,
      ),
      true,
    ])
  })

  test('gone it is said, by readers too', async () => {
    using folder = scratch()
    await write(folder.path, notes, asked('h', 'acme'))
    rmSync(fileIn(folder.path))
    {
      await using reading = await readLedger(folder.path, notes)
      expect([reading.notice, reading.holdsLost]).toEqual([
        expect.stringMatching(/is gone, though runs were recorded/),
        true,
      ])
    }
    await using ledger = await openLedger(folder.path, newRunId(), notes)
    expect([ledger.notice, ledger.holdsLost]).toEqual([
      expect.stringMatching(/^the ledger is gone, though runs were recorded in it; a new one begun/),
      true,
    ])
  })
})
