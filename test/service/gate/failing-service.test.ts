/** What the gate answers when the service's own functions fail, hang or come too late. */
import { expect, test } from 'vitest'
import { exchange, openTestGate, problemName, until } from '../../support/service/gate.ts'

test(
  'I1.9: a tenant that could not be taken up again is called unhealthy ' +
    'with the reason, and is tried again until it is',
  async () => {
    let broken = true
    await using service = await openTestGate({
      open: () => {
        if (broken) throw new Error('disk on fire')
      },
    })
    const { leaseId } = (await service.quiesce('acme')).json
    expect((await service.call('DELETE', `/tenants/acme/quiesce/${leaseId}?fence=1`)).status).toBe(200)
    expect((await service.call('GET', '/tenants/acme')).json).toMatchObject({
      state: 'active',
      healthy: false,
      lastError: 'could not be taken up again: disk on fire',
    })
    broken = false
    await until(
      async () => (await service.call('GET', '/tenants/acme')).json['healthy'] === true,
      'it is taken up by the next attempt',
    )
  },
)

test('I1.9: what the service says of the health of a tenant is passed on, also if it throws or hangs', async () => {
  const health: Record<string, () => boolean | Promise<boolean>> = {
    a: () => true,
    b: () => false,
    c: () => {
      throw new Error('404')
    },
    d: () => new Promise(() => {}),
  }
  await using service = await openTestGate({ healthy: (id) => health[id]?.() ?? true }, ['a', 'b', 'c', 'd'])
  const said = await Promise.all(
    ['a', 'b', 'c', 'd'].map(async (id) => (await service.call('GET', `/tenants/${id}`)).json),
  )
  expect(said.map(({ healthy }) => healthy)).toEqual([true, false, false, false])
  expect(said.map(({ lastError }) => lastError)).toEqual([
    null,
    'the service reports that the tenant is unhealthy',
    '404',
    'its health check did not end within 2000 ms',
  ])
})

test('a close that hangs ends as a failed quiesce, and the tenant is served', async () => {
  await using service = await openTestGate({ limits: { closeMsMax: 40 }, close: () => new Promise(() => {}) })
  const failed = await service.quiesce('acme')
  expect([failed.status, failed.json['state']]).toEqual([500, 'active'])
  expect(service.gate.stateOf('acme')).toBe('active')
})

test('a close that comes too late does not leave the tenant closed', async () => {
  const late = Promise.withResolvers<void>()
  await using service = await openTestGate({ limits: { closeMsMax: 40 }, close: () => late.promise })
  expect((await service.quiesce('acme')).status).toBe(500)
  expect(service.databases.get('acme')?.open).toBe(true)
  late.resolve()
  await until(
    () => service.actions.filter((action) => action === 'open acme').length === 2,
    'it is opened after the late close',
  )
  expect(service.databases.get('acme')?.open).toBe(true)
})

test('a missing file fails the quiesce, and the tenant is served', async () => {
  await using service = await openTestGate({ tenants: () => [{ id: 'acme', files: ['/nowhere/acme.db'] }] })
  const failed = await service.quiesce('acme')
  expect([failed.status, problemName(failed), failed.json['state']]).toEqual([500, 'quiesce-failed', 'active'])
})

test('I4.1: a registry that throws is answered as a problem, and throws nothing into the application', async () => {
  await using service = await openTestGate({
    tenants: () => {
      throw new Error('registry is away')
    },
  })
  const heard = await exchange({ socketPath: service.socket }, 'GET', '/tenants', {})
  expect([heard.status, problemName(heard), heard.headers['content-type']]).toEqual([
    500,
    'internal',
    'application/problem+json',
  ])
})
