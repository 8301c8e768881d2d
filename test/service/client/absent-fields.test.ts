/** A field that may be null may be absent (admin-api.yaml), and no needless field decides about a pause. */
import { expect, test } from 'vitest'
import { resumeUntilSeen } from '../../../src/hold/pause/resume.ts'
import { monotonicMs } from '../../../src/host/clock.ts'
import type { Service } from '../../../src/service/port.ts'
import {
  granted,
  openAnswerServer,
  problem,
  type ReceivedRequest,
  type ServerAnswer,
} from '../../support/service/answer-server.ts'
import { acme, aLease, connect, failureOf, forever, request, shortOf } from '../../support/service/client.ts'

async function withAnswer<Answer>(
  answer: (asked: ReceivedRequest) => ServerAnswer,
  use: (service: Service) => Promise<Answer>,
): Promise<Answer> {
  await using server = await openAnswerServer(answer)
  await using service = await connect(server.socket)
  return await use(service)
}
const ok = (body: object): ServerAnswer => ({ status: 200, body })
const active = { id: 'acme', state: 'active', healthy: true }

test('lease, lastError, next and sqliteVersion may be left out', async () => {
  expect(
    await withAnswer(
      () => ok(active),
      (service) => service.tenant(acme, forever),
    ),
  ).toEqual({ ...active, lease: null, lastError: null })
  expect(
    await withAnswer(
      () => ok({ tenants: [] }),
      (service) => service.tenants(forever),
    ),
  ).toEqual([])
  const capabilities = { service: 'x', version: '1', bootId: 'b', modes: ['quiesce'], limits: {} }
  const asked = await withAnswer(
    () => ok(capabilities),
    (service) => service.capabilities(forever),
  )
  expect(asked.sqliteVersion).toBe(null)
  const quiesced = await withAnswer(
    () => granted({ sqliteVersion: undefined }),
    (service) => service.quiesce(acme, request, forever),
  )
  expect(quiesced.sqliteVersion).toBe(null)
})

test('a mandatory field that is missing breaks the contract, and call and field are named', async () => {
  const { code, message } = await failureOf(
    withAnswer(
      () => ok({ id: 'acme', state: 'active' }),
      (service) => service.tenant(acme, forever),
    ),
  )
  expect([code, message]).toEqual([
    'CONTRACT_BROKEN',
    expect.stringMatching(/asking how tenant "acme" is: .*\(healthy: /),
  ])
  const { message: quiesce } = await failureOf(
    withAnswer(
      () => granted({ bootId: undefined }),
      (service) => service.quiesce(acme, request, forever),
    ),
  )
  expect(quiesce).toMatch(/quiescing tenant "acme": .*\(bootId: /)
})

test('a member of a problem document that does not fit takes nothing away from the others', async () => {
  const busy = problem(503, 'drain-timeout', { detail: null, title: 5, heldMs: 'x' }, { 'retry-after': '0' })
  expect(
    await withAnswer(
      () => busy,
      (service) => shortOf(service.quiesce(acme, request, forever)),
    ),
  ).toBe('QUIESCE_TIMEOUT active')
})

const resumed = { state: 'active', heldMs: 9, continuous: true, bootId: 'boot-1', endedBy: 'holder' }
const seenWith = (status: object): Promise<string> =>
  withAnswer(
    ({ method, url }) =>
      method === 'DELETE' ? ok(resumed) : url.endsWith('/quiesce') ? ok({ leases: [] }) : ok(status),
    async (service) =>
      (
        await resumeUntilSeen({
          service,
          tenant: acme,
          holder: 'hold-1',
          answer: aLease,
          endsByMs: monotonicMs(),
          wasHealthy: true,
          resumed: null,
          onRetry: () => undefined,
        })
      ).how,
  )

test('a tenant that is seen active is active, whatever else the answer lacks or holds', async () => {
  for (const more of [
    { healthy: undefined },
    { healthy: 'yes' },
    { lease: {} },
    { lease: 5, lastError: 7 },
    { id: undefined },
    { lastError: {} },
  ]) {
    expect([more, await seenWith({ ...active, ...more })]).toEqual([more, 'resumed'])
  }
})

test('a lease whose answer was lost is found in the status too, where the list of leases does not fit', async () => {
  let quiesced = true
  const lease = { leaseId: 'lease-1', fence: 1, holder: 'hold-1', expiresInMs: 60_000, heldMs: 5 }
  const sight = await withAnswer(
    ({ method, url }) => {
      if (method === 'DELETE') quiesced = false
      if (method === 'DELETE') return ok(resumed)
      if (url.endsWith('/quiesce')) return ok({ leases: 'many' })
      return ok(quiesced ? { ...active, state: 'quiesced', lease } : active)
    },
    (service) =>
      resumeUntilSeen({
        service,
        tenant: acme,
        holder: 'hold-1',
        answer: null,
        endsByMs: monotonicMs() + 60_000,
        wasHealthy: true,
        resumed: null,
        onRetry: () => undefined,
      }),
  )
  expect(sight.how).toBe('resumed')
})
