/**
 * The bounds of a sweep, observed from outside while it runs: paused tenants, checks, snapshots on the disk.
 */

import { readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RunLimits } from '../../src/runs/begin/run-context.ts'
import { untilSeen } from '../support/coincidence.ts'
import { openHoldFixture, type HoldFixture } from '../support/hold/hold-fixture.ts'
import { startDemo, type Demo } from '../support/service/demo-service.ts'

interface Maximum {
  paused: number
  checking: number
  snapshots: number
}

describe('never more than is allowed', () => {
  let place: HoldFixture
  let demo: Demo
  beforeAll(async () => {
    // A slow service, so that tenants that may be paused together are.
    ;[place, demo] = await Promise.all([
      openHoldFixture({ parallel: 3 }),
      startDemo({ tenants: 12, bytes: 500_000, maxPaused: 12, misbehave: 'slow=25' }),
    ])
  })
  afterAll(async () => {
    await demo[Symbol.asyncDispose]()
    await place[Symbol.asyncDispose]()
  })

  const maximum = async (limits: Partial<RunLimits>): Promise<Maximum> => {
    const seen: Maximum = { paused: 0, checking: 0, snapshots: 0 }
    const over = new AbortController()
    let checking = 0
    const watchDisk = setInterval(() => {
      seen.snapshots = Math.max(seen.snapshots, readdirSync(place.folder).length)
    }, 2)
    const watchService = async (): Promise<void> => {
      while (!over.signal.aborted) {
        seen.paused = Math.max(seen.paused, (await demo.service.leases(AbortSignal.timeout(60_000))).length)
        await sleep(3)
      }
    }
    const watching = watchService()
    const { results } = await place.examineAll(demo, demo.tenants, {
      limits,
      onCheck: (what) => {
        seen.checking = Math.max(seen.checking, what === 'begins' ? ++checking : checking--)
      },
    })
    over.abort()
    clearInterval(watchDisk)
    await watching
    expect(results.map(({ verdict }) => verdict)).toEqual(demo.tenants.map(() => 'sound'))
    return seen
  }

  it.each([
    { maxPaused: 1, checksAtOnce: 1, snapshotsMax: 2 },
    { maxPaused: 3, checksAtOnce: 2, snapshotsMax: 4 },
    { maxPaused: 8, checksAtOnce: 3, snapshotsMax: 11 },
  ])('$maxPaused paused, $checksAtOnce checks, $snapshotsMax snapshots', async (limits) => {
    // What runs together is seen only if this process looks at that moment.
    await untilSeen('as many together as one run may have', async () => {
      const { paused, checking, snapshots } = await maximum({ ...limits, snapshotBytesMax: 1e9 })
      expect(paused).toBeLessThanOrEqual(limits.maxPaused)
      expect(checking).toBeLessThanOrEqual(limits.checksAtOnce)
      expect(snapshots).toBeLessThanOrEqual(limits.snapshotsMax)
      return paused > 1 === limits.maxPaused > 1 && checking > 0 && snapshots > 1
    })
  })

  it.each([
    [1, 1],
    [1_600_000, 2],
  ])(
    '%i bytes of snapshots: bytes are reserved before the copy, and a single snapshot always fits',
    async (snapshotBytesMax, snapshotsMax) => {
      await untilSeen('a snapshot', async () => {
        const { snapshots } = await maximum({ maxPaused: 8, checksInParallel: 2, snapshotsMax: 100, snapshotBytesMax })
        expect(snapshots).toBeLessThanOrEqual(snapshotsMax)
        return snapshots > 0
      })
    },
  )
})
