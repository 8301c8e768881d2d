/**
 * A service that made a second lease of one hold, against the contract: that one is ended too, and speaks for nobody.
 */
import { expect, test } from 'vitest'
import { resumeUntilSeen } from '../../../src/hold/pause/resume.ts'
import { monotonicMs } from '../../../src/host/clock.ts'
import { openAnswerServer, problem } from '../../support/service/answer-server.ts'
import { acme, aLease, connect } from '../../support/service/client.ts'

const told = { state: 'active', heldMs: 9, bootId: 'boot-1', endedBy: 'holder' }

test.each([
  ['was resumed', { status: 200, body: { ...told, continuous: true } }, 'resumed', true],
  ['had ended before', problem(410, 'lease-expired', { bootId: 'boot-1', endedBy: 'expiry' }), 'expired', false],
] as const)('our lease %s, another stands under our name: it is ended at once', async (_, answer, how, continuous) => {
  const standing = new Set(['lease-1', 'lease-2'])
  await using server = await openAnswerServer(({ method, url }) => {
    if (method === 'DELETE') {
      const ended = /lease-\d/.exec(url)?.[0] ?? ''
      standing.delete(ended)
      return ended === 'lease-1' ? answer : { status: 200, body: { ...told, continuous: true } }
    }
    const state = standing.size === 0 ? 'active' : 'quiesced'
    const lease = { leaseId: 'lease-2', fence: 2, holder: 'hold-1', expiresInMs: 60_000, heldMs: 5 }
    return { status: 200, body: { id: 'acme', state, healthy: true, lease: state === 'active' ? null : lease } }
  })
  await using service = await connect(server.socket)
  const beganAtMs = monotonicMs()
  const sight = await resumeUntilSeen({
    service,
    tenant: acme,
    holder: 'hold-1',
    answer: aLease,
    endsByMs: monotonicMs() + 60_000,
    wasHealthy: true,
    resumed: null,
    onRetry: () => undefined,
  })
  expect([sight.how, sight.resumed?.continuous ?? false]).toEqual([how, continuous])
  expect(monotonicMs() - beganAtMs).toBeLessThan(30_000)
})
