import { statSync } from 'node:fs'
import { expect, test } from 'vitest'
import { TenantPaused, type Passage } from '../../../src/service/gate/index.ts'
import { openTestGate, problemName, until } from '../../support/service/gate.ts'

test('I1.1: quiesced means drained, closed, and named by device and inode', async () => {
  await using service = await openTestGate()
  const granted = await service.quiesce('acme')
  expect(granted.status).toBe(201)
  expect(service.actions).toEqual(['close acme'])
  expect(service.databases.has('acme')).toBe(false)
  const { dev, ino, size } = statSync(service.fileOf('acme'), { bigint: true })
  expect(granted.json).toMatchObject({
    state: 'quiesced',
    fence: 1,
    openHandles: 0,
    drain: { inFlight: 0 },
    sqliteVersion: '3.54.1',
    files: [
      { path: service.fileOf('acme'), dev: String(dev), ino: String(ino), size: Number(size), journalMode: 'wal' },
    ],
  })
  expect(granted.json['expiresInMs']).toBeLessThanOrEqual(5_000)
  expect((await service.call('GET', '/tenants/acme')).json).toMatchObject({
    state: 'quiesced',
    healthy: true,
    lease: { leaseId: granted.json['leaseId'], holder: 'hold-1' },
  })
  expect((await service.call('GET', '/tenants/bolt')).json).toMatchObject({ state: 'active', lease: null })
  expect((await service.call('GET', '/tenants')).json['tenants']).toMatchObject([
    { id: 'acme', state: 'quiesced' },
    { id: 'bolt', state: 'active' },
  ])
  expect((await service.call('GET', '/quiesce')).json).toMatchObject({
    leases: [{ tenant: 'acme', holder: 'hold-1' }],
    limit: 4,
    inUse: 1,
  })
})

test('I1.1: resuming opens the tenant again, says how long it stood still, and can be repeated', async () => {
  await using service = await openTestGate()
  const { leaseId, bootId } = (await service.quiesce('acme')).json
  const resumed = await service.call('DELETE', `/tenants/acme/quiesce/${leaseId}?fence=1`)
  expect(resumed.status).toBe(200)
  expect(resumed.json).toMatchObject({ state: 'active', continuous: true, bootId, endedBy: 'holder' })
  expect(service.actions).toEqual(['close acme', 'open acme'])
  expect(service.databases.get('acme')?.open).toBe(true)
  expect((await service.call('DELETE', `/tenants/acme/quiesce/${leaseId}?fence=1`)).json).toEqual(resumed.json)
  expect(service.actions).toEqual(['close acme', 'open acme'])
  expect((await service.quiesce('acme')).json['fence']).toBe(2)
})

test('I4.1: a lease that nobody ends ends by itself, and the tenant is served again', async () => {
  await using service = await openTestGate()
  const { leaseId } = (await service.quiesce('acme', { ttlMs: 60 })).json
  const waiting = service.gate.run('acme', () => service.databases.get('acme')?.open)
  expect(await waiting).toBe(true)
  const late = await service.call('DELETE', `/tenants/acme/quiesce/${leaseId}?fence=1`)
  expect(late.status).toBe(410)
  expect(late.json).toMatchObject({ endedBy: 'expiry' })
  expect(late.json['heldMs']).toBeGreaterThanOrEqual(50)
  expect((await service.call('POST', `/tenants/acme/quiesce/${leaseId}/renew`, { body: { fence: 1 } })).status).toBe(
    410,
  )
})

test('a lease is over by the clock even when a busy event loop has kept its timer from firing', async () => {
  await using service = await openTestGate()
  const { leaseId } = (await service.quiesce('acme', { ttlMs: 100 })).json
  // Busy in the same turn of the event loop in which the request is answered: no timer can fire in between.
  service.server.prependListener('request', () => {
    const end = performance.now() + 150
    while (performance.now() < end);
  })
  expect((await service.call('DELETE', `/tenants/acme/quiesce/${leaseId}?fence=1`)).json).toMatchObject({
    status: 410,
    endedBy: 'expiry',
  })
})

test('renewing gives a full TTL again, but never past the longest hold', async () => {
  await using service = await openTestGate()
  const { leaseId } = (await service.quiesce('acme', { ttlMs: 2_000, maxHoldMs: 2_500 })).json
  const renew = async (): Promise<number> =>
    (await service.call('POST', `/tenants/acme/quiesce/${leaseId}/renew`, { body: { fence: 1 } })).json.expiresInMs
  expect(await renew()).toBeGreaterThan(1_500)
  await new Promise((resolve) => setTimeout(resolve, 1_000))
  expect(await renew()).toBeLessThanOrEqual(1_500)
  await until(() => service.gate.stateOf('acme') === 'active', 'the lease ends at the longest hold')
  expect(service.actions).toEqual(['close acme', 'open acme'])
})

test('limits of the service shorten a lease, and the answer says so', async () => {
  await using service = await openTestGate({ limits: { ttlMsMax: 200, maxHoldMsMax: 150 } })
  expect((await service.quiesce('acme', { ttlMs: 1e9, maxHoldMs: 1e12 })).json['expiresInMs']).toBeLessThanOrEqual(150)
  await until(() => service.gate.stateOf('acme') === 'active', 'the lease ends')
})

test('quiesce waits for requests inside, and requests that come meanwhile wait for the resume', async () => {
  await using service = await openTestGate()
  const order: string[] = []
  const leave: Passage = await service.gate.enter('acme')
  const asked = service.quiesce('acme')
  await until(() => service.gate.stateOf('acme') === 'draining', 'it drains')
  const later = service.gate.run('acme', () => {
    order.push('later')
  })
  expect(service.actions).toEqual([])
  order.push('leave')
  leave()
  leave()
  const { leaseId } = (await asked).json
  order.push('quiesced')
  await service.call('DELETE', `/tenants/acme/quiesce/${leaseId}?fence=1`)
  await later
  expect(order).toEqual(['leave', 'quiesced', 'later'])
})

test('work inside work of the same tenant goes straight in, also while the tenant drains', async () => {
  await using service = await openTestGate()
  let asked: Promise<unknown> = Promise.resolve()
  const answer = await service.gate.run('acme', async () => {
    asked = service.quiesce('acme')
    await until(() => service.gate.stateOf('acme') === 'draining', 'it drains')
    return service.gate.run('acme', () => 'inner')
  })
  expect(answer).toBe('inner')
  expect(await asked).toMatchObject({ status: 201 })
})

test('work that was left running behind its request queues like anybody', async () => {
  await using service = await openTestGate({ limits: { waitMs: 50 } })
  const gone = Promise.withResolvers<void>()
  let late: Promise<unknown> = Promise.resolve()
  await service.gate.run('acme', () => {
    late = gone.promise.then(() => service.gate.run('acme', () => 'in'))
  })
  await service.quiesce('acme')
  gone.resolve()
  await expect(late).rejects.toThrow(TenantPaused)
})

test('a request waits no longer than its bound, then gets 503 with Retry-After', async () => {
  await using service = await openTestGate({ limits: { waitMs: 30 } })
  await service.quiesce('acme', { ttlMs: 2_500 })
  const error = await service.gate.run('acme', () => 'in').catch((thrown: unknown) => thrown)
  const answer = service.gate.tenantPaused(error)
  expect(answer).toMatchObject({
    status: 503,
    headers: { 'retry-after': '3', 'content-type': 'application/problem+json' },
  })
  expect(JSON.parse(answer?.body ?? '')).toMatchObject({ status: 503 })
  expect(service.gate.tenantPaused(new Error('another'))).toBe(null)
  expect(await service.gate.run('bolt', () => 'in')).toBe('in')
})

test('no more requests wait for one tenant than may', async () => {
  await using service = await openTestGate({ limits: { waitingMax: 2 } })
  const { leaseId } = (await service.quiesce('acme')).json
  const waiting = [service.gate.enter('acme'), service.gate.enter('acme')]
  await expect(service.gate.enter('acme')).rejects.toThrow(TenantPaused)
  await service.call('DELETE', `/tenants/acme/quiesce/${leaseId}?fence=1`)
  for (const passage of await Promise.all(waiting)) passage()
})

test('a request that is given up leaves the queue with its own reason', async () => {
  await using service = await openTestGate()
  await service.quiesce('acme')
  const given = new AbortController()
  const waiting = service.gate.enter('acme', given.signal)
  given.abort(new Error('the browser went away'))
  await expect(waiting).rejects.toThrow('the browser went away')
})

test('passages end by `using`, and by an error of the work', async () => {
  await using service = await openTestGate()
  {
    using passage = await service.gate.enter('acme')
    expect(passage.inside).toBe(true)
  }
  await expect(
    service.gate.run('acme', () => {
      throw new Error('work failed')
    }),
  ).rejects.toThrow('work failed')
  expect((await service.quiesce('acme', { drainTimeoutMs: 20 })).status).toBe(201)
})

test('the gate remembers nothing of a tenant that nothing goes on in', async () => {
  await using service = await openTestGate()
  for (let at = 0; at < 1_000; at++) await service.gate.run(`visitor-${at}`, () => {})
  const { leaseId } = (await service.quiesce('acme')).json
  await service.call('DELETE', `/tenants/acme/quiesce/${leaseId}?fence=1`)
  // Nothing shows it from outside but that everybody is active and nothing is in use.
  expect((await service.call('GET', '/quiesce')).json).toEqual({ leases: [], limit: 4, inUse: 0 })
})

test('a service that stops takes every tenant up again', async () => {
  await using service = await openTestGate()
  await service.quiesce('acme')
  await service.quiesce('bolt')
  await service.gate[Symbol.asyncDispose]()
  expect(service.actions.slice(2).sort()).toEqual(['open acme', 'open bolt'])
  expect((await service.quiesce('acme')).status).toBe(503)
})

test('a service that stops grants no lease to a quiesce that still drains or closes', async () => {
  const closing = Promise.withResolvers<void>()
  await using service = await openTestGate({ close: (id) => (id === 'bolt' ? closing.promise : undefined) })
  const passage = await service.gate.enter('acme')
  const waiting = ['acme', 'bolt'].map((id) => service.quiesce(id, { drainTimeoutMs: 10_000 }))
  for (const id of ['acme', 'bolt']) await until(() => service.gate.stateOf(id) === 'draining', `${id} drains`)
  await service.gate[Symbol.asyncDispose]()
  passage()
  closing.resolve()
  expect((await Promise.all(waiting)).map((heard) => [heard.status, problemName(heard)])).toEqual([
    [503, 'starting'],
    [503, 'starting'],
  ])
  expect(['acme', 'bolt'].map((id) => service.gate.stateOf(id))).toEqual(['active', 'active'])
  ;(await service.gate.enter('bolt'))()
})
