/** Ledgers of the first version: their lines do not say of which service they are. */

import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import type { LedgerReader } from '../../src/ledger/ledger.ts'
import { openLedger, readLedger } from '../../src/ledger/open-ledger.ts'
import { newRunId } from '../../src/ledger/run-lock/run-id.ts'
import { holdAsked, checked, holdEnded, fileIn, holdQuiesced, scratch } from '../support/ledger/sample-events.ts'
import { damagedCheck, finished, holders, notes, started, write } from '../support/ledger/services.ts'

/** The tables of version 1. */
const firstVersion = `
create table line (
  sequence integer primary key autoincrement, at integer not null, run text not null, number integer not null,
  kind text not null, tenant text, holder text, path text, verdict text, depth text, brief text, event text not null,
  unique (run, number)) strict;
create index line_of_holder on line (holder, sequence) where holder is not null;
create index line_of_tenant on line (tenant, sequence) where tenant is not null;
create index line_of_run_started on line (sequence) where kind = 'run-started';
create index line_of_run_finished on line (run) where kind = 'run-finished';
create trigger line_is_never_changed before update on line begin select raise(abort, 'the ledger is append-only'); end;
create trigger line_is_never_removed before delete on line begin select raise(abort, 'the ledger is append-only'); end;
create table open_holder (holder text primary key) strict, without rowid;
create trigger hold_asked after insert on line when new.kind = 'hold-asked' begin
  insert into open_holder (holder) values (new.holder) on conflict do nothing;
end;
create trigger hold_ended after insert on line when new.kind = 'hold-ended' begin
  delete from open_holder where holder = new.holder;
end;
create table newest_check (
  tenant text not null, path text not null, sequence integer not null, settled integer, primary key (tenant, path)
) strict, without rowid;
create trigger checked after insert on line when new.kind = 'checked' begin
  insert into newest_check (tenant, path, sequence, settled)
  values (new.tenant, new.path, new.sequence,
    iif(new.verdict = 'damaged' or (new.verdict = 'sound' and new.depth = 'full'), new.sequence, null))
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
    holdAsked('ended', 'bolt'),
    holdEnded('ended', 'bolt'),
    holdAsked('old', 'acme'),
    holdQuiesced('old', 'acme'),
    damagedCheck('acme'),
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
    const look = async (reading: LedgerReader): Promise<void> => {
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
      await ledger.append(holdEnded('old', 'acme'))
    }
    await using reading = await readLedger(folder.path, notes)
    expect([await holders(reading), (await reading.lastResults()).map(({ verdict }) => verdict)]).toEqual([
      [[], []],
      ['sound'],
    ])
  })

  test('that is damaged is set aside; its open hold is carried over without a service', async () => {
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
