/** The idempotency key of a quiesce: the same request again, and another request under the same key. */
import { expect, test } from 'vitest'
import { openTestGate, problemName, until } from '../../support/service/gate.ts'

test('409 in-progress, then 201: the same key while it is being worked on, and after', async () => {
  await using service = await openTestGate()
  const leave = await service.gate.enter('acme')
  const first = service.quiesce('acme', {}, 'once')
  await until(() => service.gate.stateOf('acme') === 'draining', 'it drains')
  const meanwhile = await service.quiesce('acme', {}, 'once')
  expect([meanwhile.status, problemName(meanwhile)]).toEqual([409, 'in-progress'])
  leave()
  const granted = await first
  const replayed = await service.quiesce('acme', {}, 'once')
  expect(replayed.status).toBe(201)
  expect(replayed.json).toEqual(granted.json)
  expect(replayed.headers['idempotency-replayed']).toBe('true')
  expect(granted.headers['idempotency-replayed']).toBe(undefined)
})

test('a key whose lease has ended replays the old answer and makes no new lease', async () => {
  await using service = await openTestGate()
  const granted = await service.quiesce('acme', {}, 'once')
  await service.call('DELETE', `/tenants/acme/quiesce/${granted.json['leaseId']}?fence=1`)
  const replayed = await service.quiesce('acme', {}, 'once')
  expect([replayed.status, replayed.json]).toEqual([201, granted.json])
  expect(service.gate.stateOf('acme')).toBe('active')
})

test('422: the same key with another request, also of another tenant', async () => {
  await using service = await openTestGate()
  await service.quiesce('acme', {}, 'once')
  const other = await service.quiesce('acme', { ttlMs: 4_000 }, 'once')
  expect([other.status, problemName(other)]).toEqual([422, 'idempotency-key-reused'])
  expect((await service.quiesce('bolt', {}, 'once')).status).toBe(422)
  expect(service.gate.stateOf('bolt')).toBe('active')
})

test('a failed quiesce is not stored: the same key may succeed later', async () => {
  let broken = true
  await using service = await openTestGate({
    close: () => {
      if (broken) throw new Error('a cursor is open')
    },
  })
  const failed = await service.quiesce('acme', {}, 'once')
  expect([failed.status, failed.json['state'], failed.json['detail']]).toEqual([500, 'active', 'a cursor is open'])
  expect(service.actions).toEqual(['close acme', 'open acme'])
  expect(service.gate.stateOf('acme')).toBe('active')
  broken = false
  expect((await service.quiesce('acme', {}, 'once')).status).toBe(201)
})
