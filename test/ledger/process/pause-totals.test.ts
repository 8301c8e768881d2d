/** Pauses, added up over the ledger's life. */

import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import type { PauseTotals } from '../../../src/ledger/ledger.ts'
import { openLedger, readLedger } from '../../../src/ledger/open-ledger.ts'
import { newRunId } from '../../../src/ledger/run-lock/run-id.ts'
import { tenantId } from '../../../src/model/brand.ts'
import type { Event, HoldEnd } from '../../../src/model/event.ts'
import type { ServiceWay } from '../../../src/model/service-way.ts'
import { scratch } from '../../support/ledger/sample-events.ts'

const way = (service: string, address = '/run/admin.sock'): ServiceWay => ({
  service,
  via: 'admin-api',
  address,
  config: '/etc/holdfast.yaml',
})
let holds = 0
const holdEnd = (pauseMs: number | null, heldMs: number | null = null, how: HoldEnd = 'resumed'): Event => ({
  kind: 'hold-ended',
  tenant: tenantId('acme'),
  holder: `holder-${holds++}`,
  how,
  heldMs,
  pauseMs,
})

async function write(dir: string, by: ServiceWay, events: readonly Event[]): Promise<void> {
  await using ledger = await openLedger(dir, newRunId(), by)
  await Promise.all(events.map((event) => ledger.append(event)))
}

async function read(dir: string, by: ServiceWay): Promise<PauseTotals> {
  await using reading = await readLedger(dir, by)
  return await reading.pauseTotals()
}
const within = ({ buckets }: PauseTotals, ms: number): number | undefined =>
  buckets.find(({ upToMs }) => upToMs === ms)?.count

test(
  'each pause is counted once, by the run\u2019s clock, else by the ' +
    'service\u2019s; what never began or has no known length is none',
  async () => {
    using folder = scratch()
    await write(folder.path, way('notes'), [
      holdEnd(9.5, 4),
      holdEnd(10),
      holdEnd(null, 40),
      holdEnd(null),
      holdEnd(3, null, 'never-began'),
      holdEnd(60_000),
    ])
    const first = await read(folder.path, way('notes'))
    expect([
      first.count,
      first.totalMs,
      within(first, 5),
      within(first, 10),
      within(first, 50),
      within(first, 10_000),
    ]).toEqual([4, 60_059.5, 0, 2, 3, 3])
    await write(folder.path, way('notes'), [holdEnd(1)])
    const second = await read(folder.path, way('notes'))
    expect([second.count, second.totalMs, within(second, 1), within(second, 10)]).toEqual([5, 60_060.5, 1, 3])
  },
)

test('services that share a ledger have their own, and one that moved keeps its own', async () => {
  using folder = scratch()
  await write(folder.path, way('notes'), [holdEnd(1)])
  await write(folder.path, way('notes', '/run/other.sock'), [holdEnd(2)])
  await write(folder.path, way('mail'), [holdEnd(4)])
  expect([
    (await read(folder.path, way('notes'))).totalMs,
    (await read(folder.path, way('mail'))).totalMs,
    (await read(folder.path, way('none'))).count,
  ]).toEqual([3, 4, 0])
})

test('a ledger of an older holdfast has no totals, and counts from the first run of this version', async () => {
  using folder = scratch()
  await write(folder.path, way('notes'), [holdEnd(1)])
  const old = new Database(join(folder.path, 'ledger.db'))
  old.exec('drop trigger pause_ended; drop table pause_total')
  old.close()
  expect((await read(folder.path, way('notes'))).count).toBe(0)
  await write(folder.path, way('notes'), [holdEnd(7)])
  expect(await read(folder.path, way('notes'))).toMatchObject({ count: 1, totalMs: 7 })
})
