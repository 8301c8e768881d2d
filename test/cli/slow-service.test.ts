/** A service that takes its time, and a person who allowed it to. */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { gist, holdfast, reportIn } from './program.ts'
import { openService } from './service.ts'

test('the guardian does not end a run that waits for an answer as long as it was told to (F13)', async () => {
  // Longer than the lease that is asked for: nothing is locked while the answer is waited for.
  await using service = await openService({
    onClose: (id) => (id === 'acme' ? sleep(13_000) : undefined),
    limits: { closeMsMax: 30_000 },
    settings: { service: { requestTimeout: '30s' }, hold: { ttl: '11s', drainTimeout: '100ms' } },
  })
  const ran = await holdfast(['check', '--json', '--tenant', 'acme', '--config', service.config])
  // A lease counts from when it was asked for, so this one is of no use any more. That is said, and the tenant resumed.
  expect([ran.code, ran.stderr]).toEqual([3, ''])
  expect(reportIn(ran).results.map(gist)).toEqual(['inconclusive LEASE_LOST'])
  expect(service.deeds).toEqual(['close acme', 'open acme'])
})
