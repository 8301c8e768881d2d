/** The ledger line before the request, in a real ledger. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { PauseIntent } from '../../../src/hold/pause/intent.ts'
import { sleep } from '../../../src/host/clock.ts'
import type { Ledger } from '../../../src/ledger/ledger.ts'
import { openLedger } from '../../../src/ledger/open-ledger.ts'
import { newRunId } from '../../../src/ledger/run-lock/run-id.ts'
import { tenantId } from '../../../src/model/brand.ts'

const home = mkdtempSync(join(tmpdir(), 'holdfast-intent-'))
afterAll(() => rmSync(home, { recursive: true }))

const longestMs = 20_000
const acme = tenantId('acme')
const kinds = async (ledger: Ledger): Promise<readonly string[]> =>
  (await ledger.history(acme, 10)).map(({ event }) => event.kind).toReversed()

test('an intent without a request is ended in the ledger, and one that was not written is not', async () => {
  await using ledger = await openLedger(join(home, 'told'), newRunId())
  await new PauseIntent({ tenant: acme, ledger, longestMs })[Symbol.asyncDispose]()
  expect(await kinds(ledger)).toEqual([])
  {
    await using announced = new PauseIntent({ tenant: acme, ledger, longestMs })
    await announced.write()
    expect((await ledger.openHolds()).map(({ holder }) => holder)).toEqual([announced.holder])
  }
  expect(await kinds(ledger)).toEqual(['hold-asked', 'hold-ended'])
  expect(await ledger.openHolds()).toEqual([])
})

test('after it was handed over, an intent writes nothing', async () => {
  await using ledger = await openLedger(join(home, 'taken'), newRunId())
  {
    await using announced = new PauseIntent({ tenant: acme, ledger, longestMs })
    await announced.write()
    announced.handOver()
  }
  expect(await ledger.openHolds()).toHaveLength(1)
})

test('the line names no end of the lease that is too early, however long the tenant waits for its turn', async () => {
  await using ledger = await openLedger(join(home, 'old'), newRunId())
  await using announced = new PauseIntent({ tenant: acme, ledger, longestMs })
  for (const waitMs of [0, 10, 1_100]) {
    await sleep(waitMs)
    const nowMs = Date.now()
    await announced.write()
    const [hold] = await ledger.openHolds()
    expect(hold?.endsBy).toBeGreaterThanOrEqual(nowMs + longestMs)
  }
  expect(await kinds(ledger)).toEqual(['hold-asked', 'hold-asked'])
})
