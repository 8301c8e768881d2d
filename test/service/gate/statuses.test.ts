import { expect, test } from 'vitest'
import { createGate, type GateOptions } from '../../../src/service/gate/index.ts'
import { exchange, openTestGate, problemName, terms, until } from '../../support/service/gate.ts'

const newKey = (): Record<string, string> => ({ 'idempotency-key': Math.random().toString(36) })

test('400: a quiesce without its key, with unknown fields, or with wrong ones', async () => {
  await using service = await openTestGate()
  const post = async (body: unknown, headers = newKey(), raw?: string): Promise<string> => {
    const heard = await service.call(
      'POST',
      '/tenants/acme/quiesce',
      raw === undefined ? { body, headers } : { raw, headers },
    )
    return `${heard.status} ${problemName(heard)}`
  }
  expect(await post(terms, {})).toBe('400 idempotency-key-missing')
  expect(await post(terms, { 'idempotency-key': 'x'.repeat(256) })).toBe('400 idempotency-key-missing')
  expect(await post({ ...terms, force: true })).toBe('400 unknown-field')
  expect(await post(null, newKey(), '{"__proto__":{"ttlMs":1},"holder":"h"}')).toBe('400 unknown-field')
  expect(await post(null, newKey(), '{"holder":')).toBe('400 invalid-request')
  expect(await post(null, newKey(), '')).toBe('400 invalid-request')
  expect(await post([])).toBe('400 invalid-request')
  for (const field of ['holder', 'reason', 'ttlMs', 'maxHoldMs'])
    expect(await post({ ...terms, [field]: undefined })).toBe('400 invalid-request')
  for (const ttlMs of [0, -1, 1.5, '5', null, 1e300])
    expect(await post({ ...terms, ttlMs })).toBe('400 invalid-request')
  expect(await post({ ...terms, holder: 'h'.repeat(201) })).toBe('400 invalid-request')
  expect(service.actions).toEqual([])
})

test('400: unknown and repeated parameters, unknown cursors, wrong fences, paths that cannot be decoded', async () => {
  await using service = await openTestGate()
  const name = async (method: string, path: string): Promise<string> => {
    const heard = await service.call(method, path)
    return `${heard.status} ${problemName(heard)}`
  }
  expect(await name('GET', '/tenants?limit=5')).toBe('400 unknown-field')
  expect(await name('GET', '/tenants?after=!!')).toBe('400 invalid-request')
  expect(await name('GET', '/tenants?after=AAAA&after=AAAA')).toBe('400 invalid-request')
  expect(await name('GET', '/capabilities?verbose=1')).toBe('400 unknown-field')
  expect(await name('GET', '/quiesce?x')).toBe('400 unknown-field')
  expect(await name('GET', '/tenants/%E0%A4%A')).toBe('400 invalid-request')
  expect(await name('DELETE', '/tenants/acme/quiesce/x')).toBe('400 invalid-request')
  expect(await name('DELETE', '/tenants/acme/quiesce/x?fence=0')).toBe('400 invalid-request')
  expect(await name('DELETE', '/tenants/acme/quiesce/x?fence=1&force=1')).toBe('400 unknown-field')
})

test('401 and 403: tokens', async () => {
  await using service = await openTestGate({ token: 'secret', readOnlyToken: 'look' })
  const ask = (method: string, path: string, token: string | null): ReturnType<typeof service.call> =>
    service.call(method, path, {
      ...(method === 'POST' ? { body: terms } : {}),
      headers: { ...newKey(), ...(token === null ? {} : { authorization: token }) },
    })
  for (const token of [null, 'Bearer wrong', 'Bearer', 'Basic secret', 'secret', 'Bearer secret look']) {
    const heard = await ask('GET', '/tenants', token)
    expect([heard.status, problemName(heard)]).toEqual([401, 'auth'])
    expect(JSON.stringify(heard.json)).not.toContain('secret')
  }
  expect((await ask('GET', '/tenants', 'Bearer look')).status).toBe(200)
  expect((await ask('GET', '/tenants', 'bearer  secret')).status).toBe(200)
  const refused = await ask('POST', '/tenants/acme/quiesce', 'Bearer look')
  expect([refused.status, problemName(refused)]).toEqual([403, 'scope'])
  expect((await ask('DELETE', '/tenants/acme/quiesce/x?fence=1', 'Bearer look')).status).toBe(403)
  expect((await ask('POST', '/tenants/acme/quiesce', 'Bearer secret')).status).toBe(201)
})

test('404 and 405: tenants and calls that there are not', async () => {
  await using service = await openTestGate()
  const unknown = await service.quiesce('nobody')
  expect([unknown.status, problemName(unknown)]).toEqual([404, 'tenant-unknown'])
  expect((await service.call('GET', '/tenants/nobody')).status).toBe(404)
  expect((await service.call('DELETE', '/tenants/nobody/quiesce/x?fence=1')).status).toBe(404)
  const other = await exchange({ socketPath: service.socket }, 'GET', '/nothing', {})
  expect([other.status, problemName(other)]).toEqual([404, 'not-found'])
  const method = await exchange({ socketPath: service.socket }, 'PUT', '/tenants', {})
  expect([method.status, method.headers.allow]).toEqual([405, 'GET'])
})

test('409: one holder, no nesting, and a wrong fence or lease changes nothing', async () => {
  await using service = await openTestGate()
  const { leaseId } = (await service.quiesce('acme')).json
  const second = await service.quiesce('acme')
  expect([second.status, problemName(second)]).toEqual([409, 'already-quiesced'])
  const wrong = await service.call('DELETE', `/tenants/acme/quiesce/${leaseId}?fence=9`)
  expect([wrong.status, problemName(wrong)]).toEqual([409, 'fence-mismatch'])
  expect(
    problemName(await service.call('POST', `/tenants/acme/quiesce/${leaseId}/renew`, { body: { fence: 9 } })),
  ).toBe('fence-mismatch')
  expect((await service.call('DELETE', '/tenants/acme/quiesce/another?fence=1')).status).toBe(410)
  expect((await service.call('DELETE', `/tenants/bolt/quiesce/${leaseId}?fence=1`)).status).toBe(410)
  expect((await service.call('POST', '/tenants/acme/quiesce/another/renew', { body: { fence: 1 } })).status).toBe(410)
  expect(service.gate.stateOf('acme')).toBe('quiesced')
  expect(service.actions).toEqual(['close acme'])
})

test('410: unknown leases, with the present boot id', async () => {
  await using service = await openTestGate()
  const { bootId } = (await service.call('GET', '/capabilities')).json
  const gone = await service.call('DELETE', '/tenants/acme/quiesce/from-before?fence=3')
  expect([gone.status, problemName(gone)]).toEqual([410, 'lease-expired'])
  expect(gone.json).toMatchObject({ bootId })
  expect(gone.json).not.toHaveProperty('endedBy')
})

test('410 and 200: the end of a lease can be asked for again after its tenant was removed', async () => {
  const ids = ['acme', 'bolt']
  await using service = await openTestGate({}, ids)
  const end = (id: string, lease: string, fence: number): ReturnType<typeof service.call> =>
    service.call('DELETE', `/tenants/${id}/quiesce/${lease}?fence=${fence}`)
  const ended = (await service.quiesce('acme')).json
  const expired = (await service.quiesce('bolt', { ttlMs: 1 })).json
  await until(() => service.gate.stateOf('bolt') === 'active', 'the lease has ended by itself')
  ids.length = 0
  const first = await end('acme', ended.leaseId, ended.fence)
  expect(first.status).toBe(200)
  expect((await end('acme', ended.leaseId, ended.fence)).json).toEqual(first.json)
  expect(await end('bolt', expired.leaseId, expired.fence)).toMatchObject({ status: 410, json: { endedBy: 'expiry' } })
  expect((await end('acme', 'another', 1)).status).toBe(404)
})

test('413 and 415: bodies that are too large or not JSON', async () => {
  await using service = await openTestGate()
  const large = await service.call('POST', '/tenants/acme/quiesce', {
    body: { ...terms, reason: 'x'.repeat(70_000) },
    headers: newKey(),
  })
  expect([large.status, problemName(large)]).toEqual([413, 'body-too-large'])
  const chunked = await service.call('POST', '/tenants/acme/quiesce', {
    body: { ...terms, reason: 'x'.repeat(70_000) },
    headers: newKey(),
    chunked: true,
  })
  expect([chunked.status, problemName(chunked)]).toEqual([413, 'body-too-large'])
  const form = await service.call('POST', '/tenants/acme/quiesce', {
    raw: 'ttlMs=5',
    headers: { ...newKey(), 'content-type': 'application/x-www-form-urlencoded' },
  })
  expect([form.status, problemName(form)]).toEqual([415, 'not-json'])
  expect(service.actions).toEqual([])
})

test('423: a tenant that must not be quiesced now', async () => {
  await using service = await openTestGate({ busy: (id) => (id === 'acme' ? 'a restore is running' : null) })
  const busy = await service.quiesce('acme')
  expect([busy.status, problemName(busy), busy.json['detail']]).toEqual([423, 'tenant-busy', 'a restore is running'])
  expect((await service.quiesce('bolt')).status).toBe(201)
})

test('429: no more tenants quiesced than allowed, and another one after a resume', async () => {
  await using service = await openTestGate({ limits: { maxPaused: 1 } })
  const { leaseId } = (await service.quiesce('acme')).json
  const limited = await service.quiesce('bolt')
  expect([limited.status, problemName(limited), limited.headers['retry-after']]).toEqual([429, 'quiesce-limit', '1'])
  await service.call('DELETE', `/tenants/acme/quiesce/${leaseId}?fence=1`)
  expect((await service.quiesce('bolt')).status).toBe(201)
})

test('503 drain-timeout: the tenant is active again, whatever was inside it goes on', async () => {
  await using service = await openTestGate()
  const leave = await service.gate.enter('acme')
  const refused = await service.quiesce('acme', { drainTimeoutMs: 30 })
  expect([refused.status, problemName(refused), refused.json['state'], refused.json['inFlight']]).toEqual([
    503,
    'drain-timeout',
    'active',
    1,
  ])
  expect(service.actions).toEqual([])
  expect(await service.gate.run('acme', () => 'in')).toBe('in')
  leave()
  expect((await service.quiesce('acme')).status).toBe(201)
})

test('503 starting', async () => {
  await using service = await openTestGate({ ready: () => false })
  const starting = await service.quiesce('acme')
  expect([starting.status, problemName(starting)]).toEqual([503, 'starting'])
})

test('limits that make no sense are refused immediately', () => {
  const limited = (limits: NonNullable<GateOptions['limits']>) => (): unknown =>
    createGate({ service: 'test', version: '1', tenants: () => [], close: () => {}, open: () => {}, limits })
  expect(limited({ maxPaused: 0 })).toThrow('limits.maxPaused')
  expect(limited({ waitMs: Number.NaN })).toThrow('limits.waitMs')
})

test('any text may be the id of a tenant', async () => {
  const ids = [
    'a/b',
    '..',
    '.',
    '%',
    '%2F',
    'ü',
    '𝄞',
    'a b',
    '-rf',
    'o\'x"y',
    'new\nline',
    '?x=1#y',
    '__proto__',
    'constructor',
  ]
  await using service = await openTestGate({}, ids)
  for (const id of ids) {
    const path = encodeURIComponent(id).replace(/^\.{1,2}$/, (dots) => dots.replaceAll('.', '%2E'))
    const granted = await service.call('POST', `/tenants/${path}/quiesce`, { body: terms, headers: newKey() })
    expect([id, granted.status]).toEqual([id, 201])
    expect((await service.call('GET', `/tenants/${path}`)).json).toMatchObject({ id, state: 'quiesced' })
    expect(
      (
        await service.call(
          'DELETE',
          `/tenants/${path}/quiesce/${granted.json['leaseId']}?fence=${granted.json['fence']}`,
        )
      ).status,
    ).toBe(200)
  }
})
