/** What is reported while a resume is tried again, and how a hold ends whose tenant was removed. */
import { expect, test } from 'vitest'
import { requireConfirmed } from '../../../src/hold/pause/confirm-pause.ts'
import { resumeUntilSeen, type ResumeOutcome } from '../../../src/hold/pause/resume.ts'
import { monotonicMs } from '../../../src/host/clock.ts'
import { openAnswerServer, problem, type ServerAnswer } from '../../support/service/answer-server.ts'
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

/** Resumes a tenant that was removed in the pause. */
async function resumeRemoved(
  resumeAnswer: ServerAnswer,
  { listed, leases = [], leaseMs = 60_000 }: { listed: string[]; leases?: object[]; leaseMs?: number },
): Promise<ResumeOutcome> {
  await using server = await openAnswerServer(({ method, url }) => {
    if (method === 'DELETE') return resumeAnswer
    if (url.endsWith('/quiesce')) return { status: 200, body: { leases, limit: 1, inUse: leases.length } }
    if (!url.endsWith('/tenants')) return problem(404, 'tenant-unknown')
    const tenants = listed.map((id) => ({ id, files: [], state: 'active' }))
    return { status: 200, body: { tenants, next: null } }
  })
  await using service = await connect(server.socket)
  return await resumeUntilSeen({
    service,
    tenant: acme,
    holder: 'hold-1',
    answer: aLease,
    endsByMs: monotonicMs() + leaseMs,
    wasHealthy: true,
    resumed: null,
    onRetry: () => undefined,
  })
}

test('a tenant that was removed in the pause is not paused: its hold has ended', async () => {
  const answered = await resumeRemoved({ status: 200, body: told }, { listed: ['bolt'] })
  expect(answered.how).toBe('tenant-gone')
  expect(() => requireConfirmed(acme, null, answered)).toThrow(expect.objectContaining({ code: 'TENANT_GONE' }))
  const startedAt = performance.now()
  const unknown = await resumeRemoved(problem(404, 'tenant-unknown'), { listed: ['bolt'], leaseMs: 300 })
  expect(unknown.how).toBe('tenant-gone')
  expect(performance.now() - startedAt).toBeGreaterThan(300)
})

test('a tenant that the service lists, or whose lease it lists, may still be paused', { timeout: 60_000 }, async () => {
  const lease = { tenant: 'acme', leaseId: 'lease-1', fence: 1, holder: 'hold-1', expiresInMs: 60_000 }
  const failed = expect.objectContaining({ code: 'RESUME_FAILED', tenantState: 'maybe-paused' })
  const cases = [{ listed: ['acme', 'bolt'] }, { listed: [] }, { listed: ['bolt'], leases: [lease] }]
  await Promise.all(
    cases.map((one) =>
      expect(resumeRemoved({ status: 200, body: told }, { ...one, leaseMs: 0 })).rejects.toEqual(failed),
    ),
  )
})
