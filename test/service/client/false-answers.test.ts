import { expect, test } from 'vitest'
import { tenantId } from '../../../src/model/brand.ts'
import { Bug } from '../../../src/model/bug.ts'
import { retryAfterMs } from '../../../src/service/client/retry.ts'
import {
  granted,
  openAnswerServer,
  problem,
  type ReceivedRequest,
  type ServerAnswer,
} from '../../support/service/answer-server.ts'
import { acme, aLease, connect, failureOf, forever, request, shortOf } from '../../support/service/client.ts'

const quiesceWith = async (
  answer: (asked: ReceivedRequest) => ServerAnswer,
  more = {},
): Promise<{ said: string; asked: readonly ReceivedRequest[] }> => {
  await using service = await openAnswerServer(answer)
  await using client = await connect(service.socket, { requestTimeoutMs: 150, ...more })
  const said = await client.quiesce(acme, { ...request, drainTimeoutMs: 100 }, forever).then(
    ({ leaseId }) => leaseId,
    (error: unknown) => shortOf(Promise.reject(error as Error)),
  )
  return { said, asked: service.asked }
}

test('I2.1: a reply that was lost is asked for again under the same key', async () => {
  for (const loss of ['hang-up', 'half'] as const) {
    const { said, asked } = await quiesceWith(({ count }) => (count <= 2 ? loss : granted()))
    expect([said, asked.length]).toEqual(['lease-1', 3])
    expect(new Set(asked.map(({ key }) => key)).size).toBe(1)
    expect(new Set(asked.map(({ body }) => JSON.stringify(body))).size).toBe(1)
  }
})

test('two holds never share a key', async () => {
  await using service = await openAnswerServer(() => granted())
  await using client = await connect(service.socket)
  await client.quiesce(acme, request, forever)
  await client.quiesce(acme, request, forever)
  expect(new Set(service.asked.map(({ key }) => key)).size).toBe(2)
})

test('a client whose quiesce is still worked on after a lost reply waits, and gets its lease', async () => {
  const { said, asked } = await quiesceWith(
    ({ count }) => (count === 1 ? 'hang-up' : count <= 3 ? problem(409, 'in-progress') : granted()),
    { requestTimeoutMs: 1_000 },
  )
  expect([said, asked.length]).toEqual(['lease-1', 4])
})

test('when no answer comes in the end, the tenant is maybe paused', async () => {
  for (const answer of ['hang-up', 'half', 'silence', problem(502, ''), problem(504, '')] as const) {
    const { said, asked } = await quiesceWith(() => answer)
    expect(said).toBe('ADMIN_UNREACHABLE maybe-paused')
    // After a silence it is asked once, in vain, how the tenant is.
    expect([asked.filter(({ method }) => method === 'POST').length, asked.length]).toEqual(
      answer === 'silence' ? [2, 3] : [4, 4],
    )
  }
})

test('a refusal after a lost reply does not mean that the lost one had no effect', async () => {
  const after = async (answer: ServerAnswer): Promise<string> =>
    (await quiesceWith(({ count }) => (count === 1 ? 'hang-up' : answer))).said
  expect(await after(problem(409, 'already-quiesced'))).toBe('SERVICE_BUSY maybe-paused')
  expect(await after(problem(403, 'scope'))).toBe('ADMIN_REFUSED maybe-paused')
  expect(await after(problem(423, 'tenant-busy'))).toBe('SERVICE_BUSY maybe-paused')
  expect(await after(problem(500, 'quiesce-failed', { state: 'active' }))).toBe('ADMIN_REFUSED active')
})

test('answers to a quiesce that do not fit the contract leave the tenant maybe paused', async () => {
  const wrong: ServerAnswer[] = [
    { status: 201, raw: 'all is well' },
    { status: 201, raw: '' },
    { status: 201, body: [] },
    { status: 200, body: (granted() as { body: object }).body },
    { status: 204 },
    { status: 302, headers: { location: '/elsewhere' } },
    granted({ leaseId: '' }),
    granted({ leaseId: undefined }),
    granted({ fence: '1' }),
    granted({ fence: 1.5 }),
    granted({ state: 'active' }),
    granted({ expiresInMs: -1 }),
    granted({ openHandles: null }),
    granted({ drain: { waitedMs: 0, inFlight: 2 } }),
    granted({ files: {} }),
    granted({ files: [{ path: '/a', dev: 1, ino: '2', size: 3, journalMode: 'wal' }] }),
    granted({ files: [{ path: '/a', dev: '1', ino: '0x2', size: 3, journalMode: 'wal' }] }),
  ]
  for (const answer of wrong)
    expect([answer, (await quiesceWith(() => answer)).said]).toEqual([answer, 'CONTRACT_BROKEN maybe-paused'])
})

test('unknown fields are ignored, 64-bit numbers arrive whole, and no lease is longer than was asked for', async () => {
  await using service = await openAnswerServer(() => granted({ surprise: { more: true }, expiresInMs: 1e12 }))
  await using client = await connect(service.socket)
  expect(await client.quiesce(acme, request, forever)).toMatchObject({
    expiresInMs: 5_000,
    files: [{ dev: '18446744073709551615', ino: '9007199254740993' }],
  })
})

test('every status has its failure', async () => {
  const one = async (answer: ServerAnswer): Promise<string> => (await quiesceWith(() => answer)).said
  expect(await one(problem(401, 'auth'))).toBe('ADMIN_REFUSED untouched')
  expect(await one(problem(403, 'scope'))).toBe('ADMIN_REFUSED untouched')
  expect(await one(problem(404, 'tenant-unknown'))).toBe('ADMIN_REFUSED untouched')
  expect(await one(problem(409, 'already-quiesced'))).toBe('SERVICE_BUSY untouched')
  expect(await one(problem(410, 'lease-expired'))).toBe('CONTRACT_BROKEN untouched')
  expect(await one(problem(423, 'tenant-busy'))).toBe('SERVICE_BUSY untouched')
  expect(await one(problem(500, 'quiesce-failed', { state: 'active' }))).toBe('ADMIN_REFUSED active')
  expect(await one(problem(500, 'quiesce-failed'))).toBe('CONTRACT_BROKEN unknown')
  expect(await one({ status: 500, raw: '<html>' })).toBe('CONTRACT_BROKEN unknown')
  expect(await one(problem(418, 'teapot'))).toBe('CONTRACT_BROKEN untouched')
})

test('400 and 422 are bugs of ours', async () => {
  for (const answer of [problem(400, 'unknown-field'), problem(422, 'idempotency-key-reused')])
    await expect(quiesceWith(() => answer)).rejects.toThrow(Bug)
})

test('429 and 503 are waited out as they ask, at most three times more', async () => {
  const startedAt = performance.now()
  const repeated = await quiesceWith(({ count }) =>
    count <= 1 ? problem(429, 'quiesce-limit', {}, { 'retry-after': '1' }) : granted(),
  )
  expect([repeated.said, repeated.asked.length]).toEqual(['lease-1', 2])
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(990)
  const busy = await quiesceWith(() => problem(503, 'starting', {}, { 'retry-after': '0' }))
  expect([busy.said, busy.asked.length]).toEqual(['SERVICE_BUSY untouched', 4])
  const drain = await quiesceWith(() => problem(503, 'drain-timeout', {}, { 'retry-after': '0' }))
  expect([drain.said, drain.asked.length]).toEqual(['QUIESCE_TIMEOUT active', 4])
  expect(new Set(drain.asked.map(({ key }) => key)).size).toBe(1)
})

test('a service that asks for a very long wait is left alone', async () => {
  const { said, asked } = await quiesceWith(() => problem(429, 'quiesce-limit', {}, { 'retry-after': '86400' }))
  expect([said, asked.length]).toEqual(['SERVICE_BUSY untouched', 1])
})

test('I1.1: no attempt at a quiesce begins so late that its lease could outlive what the hold counts on', async () => {
  const { said, asked } = await quiesceWith(({ count }) =>
    problem(503, 'starting', {}, { 'retry-after': count === 1 ? '1' : '8' }),
  )
  expect([said, asked.length]).toEqual(['SERVICE_BUSY untouched', 2])
})

test('Retry-After is understood as seconds and as a date of the clock of the service', () => {
  expect(retryAfterMs({ retryAfter: '7', date: null })).toBe(7_000)
  expect(retryAfterMs({ retryAfter: 'Sat, 21 Nov 2026 10:00:05 GMT', date: 'Sat, 21 Nov 2026 10:00:00 GMT' })).toBe(
    5_000,
  )
  expect(retryAfterMs({ retryAfter: 'Sat, 21 Nov 1999 10:00:05 GMT', date: null })).toBe(0)
  for (const retryAfter of [null, '', 'soon', '-5', '99999999999999'])
    expect(retryAfterMs({ retryAfter, date: null })).toBe(null)
})

test('an answer without end is cut off and its connection with it', async () => {
  await using service = await openAnswerServer(() => 'flood')
  await using client = await connect(service.socket)
  expect(await shortOf(client.quiesce(acme, request, forever))).toBe('CONTRACT_BROKEN maybe-paused')
  expect(await shortOf(client.tenant(acme, forever))).toBe('CONTRACT_BROKEN untouched')
  expect(await shortOf(client.tenants(forever))).toBe('REGISTRY_STALE untouched')
  expect(await shortOf(client.resume(aLease, forever))).toBe('RESUME_FAILED maybe-paused')
})

test('silence ends at the deadline, for every call', async () => {
  await using service = await openAnswerServer(() => 'silence')
  await using client = await connect(service.socket, { requestTimeoutMs: 60 })
  const startedAt = performance.now()
  expect(await shortOf(client.capabilities(forever))).toBe('ADMIN_UNREACHABLE untouched')
  expect(await shortOf(client.tenants(forever))).toBe('ADMIN_UNREACHABLE untouched')
  expect(await shortOf(client.renew(aLease, forever))).toBe('ADMIN_UNREACHABLE maybe-paused')
  expect(await shortOf(client.resume(aLease, forever))).toBe('RESUME_FAILED maybe-paused')
  expect(performance.now() - startedAt).toBeLessThan(20_000)
})

test('I3.1: a registry with a repeated cursor, a repeated tenant or an unfit page is refused', async () => {
  const registry = async (answer: (asked: ReceivedRequest) => ServerAnswer): Promise<string> => {
    await using service = await openAnswerServer(answer)
    await using client = await connect(service.socket)
    return await client.tenants(forever).then(
      () => 'a registry',
      (error: unknown) => shortOf(Promise.reject(error as Error)),
    )
  }
  const one = { id: 'a', files: ['/a.db'], state: 'active' }
  const page = (tenants: unknown, next: unknown): ServerAnswer => ({ status: 200, body: { tenants, next } })
  expect(await registry(() => page([one], null))).toBe('a registry')
  expect(await registry(() => page([], null))).toBe('a registry')
  expect(await registry(() => page([one], undefined))).toBe('a registry') // Absent means null.
  const wrong: ((asked: ReceivedRequest) => ServerAnswer)[] = [
    () => page([], 'again'),
    ({ url }) => page([], url.endsWith('a') ? 'b' : 'a'),
    ({ url }) => page([one], url.includes('after') ? null : 'more'),
    () => page([one, one], null),
    () => page([{ ...one, id: '' }], null),
    () => page([{ ...one, id: 5 }], null),
    () => page([{ ...one, id: '\ud800' }], null),
    () => page([{ ...one, files: ['/a', 5] }], null),
    () => page([{ ...one, state: 'asleep' }], null),
    () => page({}, null),
    () => page([one], 5),
    () => page([one], ''),
    () => ({ status: 200, raw: '{"tenants":[' }),
    ({ url }) => (url.includes('after') ? problem(400, 'invalid-request') : page([one], 'more')),
  ]
  for (const answer of wrong) expect(await registry(answer)).toBe('REGISTRY_STALE untouched')
  expect(await registry(() => problem(401, 'auth'))).toBe('ADMIN_REFUSED untouched')
})

test('ids of dots are encoded too, so that nothing on the way takes them for a step up the tree', async () => {
  await using service = await openAnswerServer(() => problem(404, 'tenant-unknown'))
  await using client = await connect(service.socket)
  for (const id of ['..', '.', '...', 'a/../b']) await client.tenant(tenantId(id), forever).catch(() => {})
  expect(service.asked.map(({ url }) => url)).toEqual(
    ['%2E%2E', '%2E', '...', 'a%2F..%2Fb'].map((id) => `/admin/v1/tenants/${id}`),
  )
})

test('a status that speaks of another tenant is not believed', async () => {
  await using service = await openAnswerServer(() => ({
    status: 200,
    body: { id: 'bolt', state: 'active', healthy: true, lease: null, lastError: null },
  }))
  await using client = await connect(service.socket)
  expect(await shortOf(client.tenant(acme, forever))).toBe('CONTRACT_BROKEN unknown')
})

test('I2.1: a resume counts only when the answer says all of it; lost ones are repeated', async () => {
  const resumeWith = async (answer: (asked: ReceivedRequest) => ServerAnswer): Promise<string> => {
    await using service = await openAnswerServer(answer)
    await using client = await connect(service.socket, { requestTimeoutMs: 100 })
    return await client.resume(aLease, forever).then(
      ({ endedBy }) => `${endedBy} after ${service.asked.length}`,
      (error: unknown) => shortOf(Promise.reject(error as Error)),
    )
  }
  const body = { state: 'active', heldMs: 9, continuous: true, bootId: 'boot-1', endedBy: 'holder' }
  expect(await resumeWith(() => ({ status: 200, body }))).toBe('holder after 1')
  expect(await resumeWith(({ count }) => (count <= 2 ? 'hang-up' : { status: 200, body }))).toBe('holder after 3')
  expect(await resumeWith(({ count }) => (count === 1 ? 'silence' : { status: 200, body }))).toBe('holder after 2')
  expect(await resumeWith(() => problem(410, 'lease-expired', { endedBy: 'expiry', heldMs: 5 }))).toBe('expiry after 1')
  // Without a boot id in the answer the capabilities are asked.
  expect(
    await resumeWith(({ url }) => (url.endsWith('capabilities') ? problem(404, '') : problem(410, 'lease-expired'))),
  ).toBe('unknown after 2')
  for (const answer of [
    { status: 200, body: { ...body, state: 'resuming' } },
    { status: 200, body: { ...body, continuous: undefined } },
    { status: 200, raw: 'ok' },
    { status: 204 },
    problem(500, 'internal'),
    problem(404, 'tenant-unknown'),
    problem(409, 'fence-mismatch'),
    'silence',
    'hang-up',
  ] satisfies ServerAnswer[]) {
    expect(await resumeWith(() => answer)).toBe('RESUME_FAILED maybe-paused')
  }
})

test('a renewal is repeated when it is lost, and a lease of another holder is lost', async () => {
  await using service = await openAnswerServer(({ count }) =>
    count === 1 ? 'hang-up' : count === 2 ? { status: 200, body: { expiresInMs: 77 } } : problem(409, 'fence-mismatch'),
  )
  await using client = await connect(service.socket)
  expect(await client.renew(aLease, forever)).toEqual({ expiresInMs: 77 })
  expect(await shortOf(client.renew(aLease, forever))).toBe('LEASE_LOST unknown')
})

test('text of a service in a message of ours is one bounded line', async () => {
  await using service = await openAnswerServer(() =>
    problem(423, 'tenant-busy', { detail: `\u001b[2Jgone\r\n\u202eHARM SUSPECTED ${'x'.repeat(5_000)}` }),
  )
  await using client = await connect(service.socket)
  const { message } = await failureOf(client.quiesce(acme, request, forever))
  // oxlint-disable-next-line no-control-regex
  expect(message).not.toMatch(/[\x00-\x1f\u202e]/)
  expect(message.length).toBeLessThan(600)
})
