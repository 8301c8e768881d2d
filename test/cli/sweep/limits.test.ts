/**
 * The limits of a sweep on the command line, observed from outside while it runs. What they bound is in
 * test/runs/bounds.test.ts.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { Report } from '../../../src/model/result/report.ts'
import { configure } from '../../support/cli/holdfast.ts'
import { untilSeen } from '../../support/coincidence.ts'
import { descendantsOf, eventually } from '../../support/processes.ts'
import { startDemo } from '../../support/service/demo-service.ts'

test('--max-paused and --workers: so many are paused and read in parallel, and no more', async () => {
  // The service is slow to quiesce and to resume, so that tenants that may be paused in parallel are. More snapshots
  // wait than one child reads alone.
  await using demo = await startDemo({ tenants: 8, bytes: 400_000, maxPaused: 8, misbehave: 'slow=40' })
  const holdfast = configure(demo)
  const most = async (...limits: readonly string[]): Promise<{ paused: number; reading: number }> => {
    const seen = { paused: 0, reading: 0 }
    await using sweep = holdfast.start('sweep', ...limits)
    const over = new AbortController()
    const observing = (async () => {
      while (!over.signal.aborted) {
        await sleep(5)
        seen.paused = Math.max(seen.paused, (await demo.service.leases(AbortSignal.timeout(60_000))).length)
        seen.reading = Math.max(
          seen.reading,
          descendantsOf(sweep.pid).filter(({ command }) => command.includes('reader-child')).length,
        )
      }
    })()
    const { code, stderr } = await sweep.ended
    over.abort()
    await observing
    expect([code, stderr]).toEqual([0, ''])
    return seen
  }
  // What runs together is seen only if this process looks at that moment.
  await untilSeen('one is paused', async () => {
    const { paused } = await most()
    expect(paused).toBeLessThanOrEqual(1)
    return paused === 1
  })
  await untilSeen('several are paused and one is read', async () => {
    const { paused, reading } = await most('--max-paused', '6', '--workers', '1')
    expect([paused <= 6, reading <= 1]).toEqual([true, true])
    return paused > 1 && reading === 1
  })
})

test.each(['--workers', '--concurrency'])('%s counts over check.workers', async (option) => {
  await using demo = await startDemo({ tenants: 9, bytes: 1_000_000, maxPaused: 9 })
  const holdfast = configure(demo) // check.workers: 1
  await untilSeen('several are read in parallel', async () => {
    await using sweep = holdfast.start('sweep', '--max-paused', '9', option, '3')
    let over = false
    let reading = 0
    void sweep.ended.then(() => {
      over = true
    })
    await eventually('the sweep is over', () => {
      reading = Math.max(
        reading,
        descendantsOf(sweep.pid).filter(({ command }) => command.includes('reader-child')).length,
      )
      return over
    })
    expect(reading).toBeLessThanOrEqual(3)
    return reading > 1
  })
})

test('--timeout counts over check.timeout', async () => {
  // Longer to read than a busy machine needs to look at its clock.
  await using demo = await startDemo({ tenants: 1, bytes: 20_000_000 })
  const hurried = await configure(demo).run('check', '--tenant', 'acme', '--timeout', '1ms', '--json')
  expect([
    hurried.code,
    (JSON.parse(hurried.stdout) as Report).results.map(({ verdict, findings }) => [
      verdict,
      findings.map(({ rule }) => rule),
    ]),
  ]).toEqual([3, [['inconclusive', ['check-timeout']]]])
})
