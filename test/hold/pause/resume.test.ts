/** What is reported while a resume is tried again. */
import { expect, test } from 'vitest'
import { resumeUntilSeen, type ResumeOutcome } from '../../../src/hold/pause/resume.ts'
import { monotonicMs } from '../../../src/host/clock.ts'
import { openAnswerServer, problem } from '../../support/service/answer-server.ts'
import { acme, aLease, connect } from '../../support/service/client.ts'

const told = { state: 'active', heldMs: 9, continuous: true, bootId: 'boot-1', endedBy: 'holder' }

/** Resumes a tenant whose service refuses the first `refusals` times. */
async function resumeAfter(refusals: number, onRetry: (why: Error) => void): Promise<ResumeOutcome> {
  let left = refusals
  let isPaused = true
  await using server = await openAnswerServer(({ method }) => {
    if (method === 'DELETE' && left-- > 0) return problem(404, 'not-found')
    if (method === 'DELETE') isPaused = false
    if (method === 'DELETE') return { status: 200, body: told }
    const lease = { leaseId: 'lease-1', fence: 1, holder: 'hold-1', expiresInMs: 60_000, heldMs: 5 }
    const state = isPaused ? 'quiesced' : 'active'
    return { status: 200, body: { id: 'acme', state, healthy: true, lease: isPaused ? lease : null, leases: [] } }
  })
  await using service = await connect(server.socket)
  return await resumeUntilSeen({
    service,
    tenant: acme,
    holder: 'hold-1',
    answer: aLease,
    endsByMs: monotonicMs() + 60_000,
    wasHealthy: true,
    resumed: null,
    onRetry,
  })
}

test('a resume that fails is reported each time, with the reason, before it is tried again', async () => {
  const reasons: string[] = []
  expect((await resumeAfter(2, (why) => reasons.push(why.message))).how).toBe('resumed')
  expect(reasons).toEqual([expect.stringContaining('resuming tenant "acme"'), expect.stringContaining('404')])
})

test('a resume that succeeds reports nothing', async () => {
  const reasons: string[] = []
  await resumeAfter(0, (why) => reasons.push(why.message))
  expect(reasons).toEqual([])
})

test('a report that fails does not keep the tenant paused', async () => {
  const fail = (): never => {
    throw new Error('nothing can be written')
  }
  expect((await resumeAfter(1, fail)).how).toBe('resumed')
})
