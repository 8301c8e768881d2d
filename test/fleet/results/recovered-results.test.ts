/** Results that only the ledger has: under the keys that the dead agent would have sent, and nothing that is none. */

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Outbox, type BegunChunk } from '../../../src/fleet/results/outbox.ts'
import { outgoingResult, type OutgoingResult } from '../../../src/fleet/results/outgoing-result.ts'
import { recoverChunk, recoverLostOutbox, recoverTenants } from '../../../src/fleet/results/recovered-results.ts'
import { openLedger, readLedger } from '../../../src/ledger/open-ledger.ts'
import { newRunId } from '../../../src/ledger/run-lock/run-id.ts'
import { tenantId, type RunId } from '../../../src/model/brand.ts'
import type { Event } from '../../../src/model/event.ts'
import { runs } from '../../support/fleet/outgoing-results.ts'
import { checked, scratch, soundResult } from '../../support/ledger/sample-events.ts'
import { damagedCheck, notes } from '../../support/ledger/services.ts'

const dayMs = 24 * 3_600_000
const failed = (tenant: string, code: string): Event =>
  checked(tenant, { verdict: 'failed', failure: { code, message: 'why', hint: null } as never })

/** What a run on this machine wrote; it is a part of a run of the fleet unless `chunk` is null. */
async function write(dir: string, local: RunId, chunk: BegunChunk | null, ...events: readonly Event[]): Promise<void> {
  await using ledger = await openLedger(dir, local, notes)
  const { run, week, chunk: number, attempt } = chunk ?? { run: '', week: '', chunk: 0, attempt: 0 }
  const part = { run, week, chunk: number, attempt }
  const begins = { kind: 'run-started', mode: 'check', version: '0.1.0', argv: [] } as const
  await ledger.append(chunk === null ? begins : { ...begins, fleet: part })
  for (const event of events) await ledger.append(event)
}

const begun = (local: RunId, more: Partial<BegunChunk> = {}): BegunChunk => ({
  local,
  run: runs[0],
  week: '2026-11-23',
  chunk: 0,
  attempt: 5,
  ...more,
})

const waitingResults = (outbox: Outbox): readonly string[] =>
  outbox
    .next(100)
    .map(({ body }) => JSON.parse(body) as OutgoingResult)
    .map(({ run, tenant, attempt, verdict }) => `${run === runs[0] ? '' : `${run} `}${tenant} ${attempt} ${verdict}`)

test('the first result of a file has the attempt of its chunk, and damage found later the one after it', async () => {
  using folder = scratch()
  mkdirSync(join(folder.path, 'agent'))
  const local = newRunId()
  await write(
    folder.path,
    local,
    begun(local),
    checked('acme'),
    checked('bolt'),
    failed('crate', 'INTERRUPTED'),
    failed('dune', 'PAUSE_NOT_GRANTED'),
    failed('echo', 'IN_USE'),
    damagedCheck('acme'),
    checked('bolt', { depth: 'quick' }),
  )
  await using ledger = await readLedger(folder.path, notes)
  using outbox = Outbox.open(folder.path, Date.now())
  await recoverChunk(ledger, outbox, begun(local))
  expect(waitingResults(outbox)).toEqual(['acme 5 sound', 'bolt 5 sound', 'echo 5 failed', 'acme 6 damaged'])
})

test('a lost outbox has the results of the last days again, and its chunks count as open', async () => {
  using folder = scratch()
  mkdirSync(join(folder.path, 'agent'))
  const [local, old] = [newRunId(), newRunId()]
  await write(folder.path, local, begun(local), checked('acme'))
  await write(folder.path, old, begun(old, { run: newRunId(Date.now() - 9 * dayMs) }), checked('bolt'))
  await write(folder.path, newRunId(), null, checked('crate'))
  await using ledger = await readLedger(folder.path, notes)
  using outbox = Outbox.open(folder.path, Date.now())
  await recoverLostOutbox(ledger, outbox, Date.now())
  expect(waitingResults(outbox)).toEqual(['acme 5 sound'])
  expect(outbox.openChunks()).toEqual([begun(local)])
  expect(outbox.beginChunk({ local: 'next', run: runs[0], week: '2026-11-23', chunk: 0 }).attempt).toBe(7)
})

test('what the ledger has of a tenant keeps its keys; the last check by hand is one of the present run', async () => {
  using folder = scratch()
  mkdirSync(join(folder.path, 'agent'))
  const [local, present] = [newRunId(), newRunId()]
  const ofFleet = begun(local, { run: newRunId(Date.now() - 40 * dayMs) })
  await write(folder.path, local, ofFleet, checked('acme'), checked('bolt'))
  await write(folder.path, newRunId(), null, damagedCheck('acme'))
  await write(folder.path, newRunId(), null, checked('acme'))
  await using ledger = await readLedger(folder.path, notes)
  using outbox = Outbox.open(folder.path, Date.now())
  await recoverTenants(ledger, outbox, [tenantId('acme')], begun(present, { attempt: 1 }))
  expect(waitingResults(outbox)).toEqual([`${ofFleet.run} acme 5 sound`, 'acme 1 sound'])
  expect(outbox.openChunks()).toEqual([])
})

test.each([
  ['a full check that found it sound', {}, true],
  ['a quick check that found it sound', { depth: 'quick' }, false],
  ['a quick check that found damage', { depth: 'quick', verdict: 'damaged' }, true],
  ['a check that failed', { verdict: 'failed' }, false],
] as const)('%s', (_, change, settles) => {
  const origin = { run: runs[0], week: '2026-11-23', attempt: 1 }
  const result = { ...soundResult('acme'), ...change }
  expect(outgoingResult(origin, tenantId('acme'), result, 7)).toMatchObject({ settles, checkedAt: 7, attempt: 1 })
})
