/** The outbox: nothing that was put is lost, nothing comes twice, and attempts only grow. */

import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { doneKey } from '../../../src/fleet/results/done-key.ts'
import { openOutboxFile } from '../../../src/fleet/results/outbox-file.ts'
import { Outbox } from '../../../src/fleet/results/outbox.ts'
import type { OutgoingResult } from '../../../src/fleet/results/outgoing-result.ts'
import { newRunId } from '../../../src/ledger/run-lock/run-id.ts'
import { tenantId } from '../../../src/model/brand.ts'
import { outgoing, runs } from '../../support/fleet/outgoing-results.ts'

interface LedgerFixture extends Disposable {
  readonly dir: string
  readonly file: string
  open(): Outbox
}

function ledgerFolder(): LedgerFixture {
  const dir = mkdtempSync(join(tmpdir(), 'outbox-'))
  mkdirSync(join(dir, 'agent'))
  return {
    dir,
    file: join(dir, 'agent', 'outbox.db'),
    open: () => Outbox.open(dir, Date.now()),
    [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }),
  }
}

const begun = (outbox: Outbox, local: string, run: string = runs[0], chunk = 0) =>
  outbox.beginChunk({ local, run, week: '2026-11-23', chunk })
const bodies = (outbox: Outbox): readonly OutgoingResult[] =>
  outbox.next(10).map(({ body }) => JSON.parse(body) as OutgoingResult)

test('results wait in their order, also for the next agent, until they are deleted', () => {
  using ledger = ledgerFolder()
  {
    using outbox = ledger.open()
    expect(outbox.isNew).toBe(true)
    begun(outbox, 'L1')
    outbox.put('L1', [outgoing('acme'), outgoing('bolt')])
  }
  using outbox = ledger.open()
  expect([outbox.isNew, outbox.notice, outbox.size.rows]).toEqual([false, null, 2])
  expect(bodies(outbox).map(({ tenant }) => tenant)).toEqual(['acme', 'bolt'])
  expect(outbox.openChunks().map(({ local, attempt }) => [local, attempt])).toEqual([['L1', 1]])
  const [first] = outbox.next(1)
  expect([outbox.newest, outbox.waitsUpTo(first?.sequence ?? 0)]).toEqual([outbox.next(2)[1]?.sequence, true])
  outbox.delete(outbox.next(1))
  expect([outbox.waitsUpTo(first?.sequence ?? 0), outbox.waitsUpTo(outbox.newest)]).toEqual([false, true])
  expect(bodies(outbox).map(({ tenant }) => tenant)).toEqual(['bolt'])
  expect([outbox.waitsFor({ run: runs[0], chunk: 0 }), outbox.waitsFor({ run: runs[0], chunk: 1 })]).toEqual([
    true,
    false,
  ])
  outbox.delete(outbox.next(10))
  outbox.endChunk('L1')
  expect([outbox.waitsFor({ run: runs[0], chunk: 0 }), outbox.openChunks()]).toEqual([false, []])
})

test('a result that is put again changes nothing while it waits', () => {
  using ledger = ledgerFolder()
  using outbox = ledger.open()
  outbox.put('L1', [outgoing('acme'), outgoing('acme', { verdict: 'failed' }), outgoing('acme', { attempt: 2 })])
  expect(bodies(outbox).map(({ attempt, verdict }) => [attempt, verdict])).toEqual([
    [1, 'sound'],
    [2, 'sound'],
  ])
})

test('the attempts of a run grow, with room for a revision of each, and each run has its own', () => {
  using ledger = ledgerFolder()
  using outbox = ledger.open()
  outbox.adoptChunk({ local: 'L0', run: runs[1], week: '2026-11-23', chunk: 3, attempt: 7 }, false)
  const attempts = [
    begun(outbox, 'L1').attempt,
    begun(outbox, 'L2').attempt,
    begun(outbox, 'L3', runs[1]).attempt,
    begun(outbox, 'L4').attempt,
  ]
  expect(attempts).toEqual([1, 3, 9, 5])
})

test('an outbox of version 1 is taken over with what it has', () => {
  using ledger = ledgerFolder()
  const run = newRunId()
  {
    using outbox = ledger.open()
    outbox.put('L1', [outgoing('acme', { run })])
  }
  const file = new Database(ledger.file)
  file.exec('alter table done drop column attempt; pragma user_version = 1')
  file.close()
  for (let time = 0; time < 2; time++) {
    using outbox = ledger.open()
    expect([outbox.isNew, outbox.notice, outbox.size.rows]).toEqual([false, null, 1])
    expect([...outbox.doneIn(run).done.values()]).toEqual([0])
  }
})

test('files that have a result of a run are known, also after it was delivered; old runs are forgotten', () => {
  using ledger = ledgerFolder()
  const old = newRunId(Date.now() - 40 * 24 * 3_600_000)
  const young = newRunId()
  {
    using outbox = ledger.open()
    outbox.put('L1', [outgoing('acme', { run: old }), outgoing('bolt', { run: young })])
    outbox.delete(outbox.next(10))
    outbox.put('L1', [outgoing('bolt', { run: young, attempt: 2 })])
    expect(outbox.doneIn(young).done).toEqual(new Map([[doneKey(tenantId('bolt'), '/srv/bolt.db'), 2]]))
    outbox.put('L1', [outgoing('bolt', { run: young })])
    expect([...outbox.doneIn(young).done.values()]).toEqual([2])
  }
  using outbox = ledger.open()
  expect([outbox.doneIn(old).done.size, outbox.doneIn(young).done.size]).toEqual([0, 1])
})

test('a chunk that is open, or whose results still wait, is known however old its run is', () => {
  using ledger = ledgerFolder()
  const old = newRunId(Date.now() - 40 * 24 * 3_600_000)
  {
    using outbox = ledger.open()
    for (const [at, local] of ['open', 'waiting', 'over'].entries()) begun(outbox, local, old, at)
    outbox.put('waiting', [outgoing('acme', { run: old })])
    for (const local of ['waiting', 'over']) outbox.endChunk(local)
  }
  using outbox = ledger.open()
  expect(outbox.openChunks().map(({ local }) => local)).toEqual(['open'])
  expect(outbox.waitsFor({ run: old, chunk: 1 })).toBe(true)
  const file = new Database(ledger.file, { readonly: true })
  expect(file.prepare('select local from chunk order by 1').pluck().all()).toEqual(['open', 'waiting'])
  file.close()
})

test('a result that was put is on the disk: a power cut does not lose it', () => {
  using ledger = ledgerFolder()
  const { database } = openOutboxFile(ledger.file)
  expect([database.pragma('journal_mode', { simple: true }), database.pragma('synchronous', { simple: true })]).toEqual(
    ['wal', 2],
  )
  database.close()
})

test('a result that the database refuses keeps no other from going, and is tried again by the next agent', () => {
  using ledger = ledgerFolder()
  {
    using outbox = ledger.open()
    begun(outbox, 'L1')
    outbox.put('L1', [outgoing('acme'), outgoing('bolt')])
    for (const waiting of outbox.next(1)) outbox.setRefused(waiting, 'too long')
    expect(bodies(outbox).map(({ tenant }) => tenant)).toEqual(['bolt'])
    outbox.delete(outbox.next(1))
    expect([outbox.waitsFor({ run: runs[0], chunk: 0 }), outbox.size.rows]).toEqual([false, 1])
  }
  using outbox = ledger.open()
  expect(bodies(outbox).map(({ tenant }) => tenant)).toEqual(['acme'])
})

test('its size is that of what it holds', () => {
  using ledger = ledgerFolder()
  using outbox = ledger.open()
  const before = outbox.size.bytes
  const text = 'x'.repeat(10_000)
  for (let at = 0; at < 100; at++) outbox.put('L1', [outgoing(`t${at}`, { path: text + at })])
  expect(outbox.size.bytes - before).toBeGreaterThan(1_000_000)
  outbox.delete(outbox.next(1000))
  expect(outbox.size.rows).toBe(0)
})

test('a damaged outbox is kept under another name, and a new one begun', () => {
  using ledger = ledgerFolder()
  {
    using outbox = ledger.open()
    outbox.put('L1', [outgoing('acme')])
  }
  writeFileSync(ledger.file, Buffer.alloc(8192, 7))
  using outbox = ledger.open()
  expect([outbox.isNew, outbox.size.rows]).toEqual([true, 0])
  expect(outbox.notice).toMatch(/outbox\.db\.damaged-\d{8}T\d{6}Z; its results are in the ledger/)
  expect(readdirSync(join(ledger.dir, 'agent')).some((name) => name.startsWith('outbox.db.damaged-'))).toBe(true)
})

test('a database of another program, and an outbox of a newer holdfast, are left alone', () => {
  using ledger = ledgerFolder()
  const other = new Database(ledger.file)
  other.exec('create table theirs (a); pragma user_version = 1')
  expect(() => ledger.open()).toThrow(expect.objectContaining({ code: 'LEDGER_UNUSABLE' }))
  other.pragma('application_id = 0x686c6f62')
  other.pragma('user_version = 3')
  other.close()
  expect(() => ledger.open()).toThrow(/newer holdfast/)
  expect(readdirSync(join(ledger.dir, 'agent'))).toEqual(['outbox.db'])
})

test('a folder that is not there is a failure with its path', () => {
  expect(() => Outbox.open('/nonexistent', Date.now())).toThrow(
    expect.objectContaining({ code: 'LEDGER_UNUSABLE', message: expect.stringContaining('/nonexistent') as string }),
  )
})
