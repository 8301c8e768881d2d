/** No tenant is paused for a caller that is gone (admin-api.yaml). */
import { request as httpRequest } from 'node:http'
import { connect, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { openTestGate, terms, until, type TestGate } from '../../support/service/gate.ts'

/** Long enough for a machine under load. */
const generous = { drainTimeoutMs: 30_000, ttlMs: 30_000, maxHoldMs: 30_000 }
const body = JSON.stringify({ ...terms, ...generous })
const requestText = (key: string): string =>
  `POST /admin/v1/tenants/acme/quiesce HTTP/1.1\r\nhost: x\r\ncontent-type: ` +
  `application/json\r\nidempotency-key: ${key}\r\ncontent-length: ${body.length}\r\n\r\n${body}`

/** Sends a request by a connection of its own, and does no more. */
const ask = ({ socket }: TestGate, key: string): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const connection = connect(socket, () => connection.write(requestText(key), () => resolve(connection)))
    connection.once('error', reject)
  })
const stateOf = async (service: TestGate): Promise<unknown> =>
  (await service.call('GET', '/tenants/acme')).json['state']
const leasesOf = async (service: TestGate): Promise<unknown> => (await service.call('GET', '/quiesce')).json['leases']

test.each(['end', 'destroy'] as const)(
  'who goes away while the tenant drains (%s) gets no pause: the tenant goes on',
  async (how) => {
    await using service = await openTestGate()
    const passage = await service.gate.enter('acme')
    const caller = await ask(service, 'gone')
    await until(async () => (await stateOf(service)) === 'draining', 'it drains')
    caller[how]()
    await until(() => caller.closed || caller.writableFinished, 'it has gone')
    const waiting = service.gate.run('acme', () => 'served')
    passage()
    expect(await waiting).toBe('served')
    expect([await stateOf(service), await leasesOf(service), service.actions]).toEqual(['active', [], []])
    expect((await service.quiesce('acme', {}, 'gone')).status).toBe(201) // Nothing is kept under its key.
  },
)

test('who goes away while the tenant is closed for long gets no lease: the tenant is opened again', async () => {
  const closing = Promise.withResolvers<void>()
  await using service = await openTestGate({ close: () => closing.promise })
  const caller = await ask(service, 'gone')
  await until(() => service.actions.includes('close acme'), 'it closes')
  caller.destroy()
  await new Promise((resolve) => setTimeout(resolve, 200))
  closing.resolve()
  await until(async () => (await stateOf(service)) === 'active', 'it is active again')
  expect([await leasesOf(service), service.actions]).toEqual([[], ['close acme', 'open acme']])
})

test('who is there is served, whoever has gone beside it', async () => {
  await using service = await openTestGate()
  const passage = await service.gate.enter('acme')
  const asked = service.quiesce('acme', generous)
  await until(async () => (await stateOf(service)) === 'draining', 'it drains')
  const other = await ask(service, 'other')
  other.destroy()
  passage()
  expect((await asked).status).toBe(201)
})

test('a caller that lost its connection and asks again under its key is still there', async () => {
  await using service = await openTestGate()
  const passage = await service.gate.enter('acme')
  const first = await ask(service, 'again')
  await until(async () => (await stateOf(service)) === 'draining', 'it drains')
  first.destroy()
  const second = await ask(service, 'again')
  let heard = ''
  second.on('data', (chunk: Buffer) => {
    heard += chunk.toString()
  })
  await until(() => heard.includes('in-progress'), 'it is told to ask again')
  passage()
  await until(async () => (await stateOf(service)) === 'quiesced', 'the tenant stands still for it')
  second.write(requestText('again'))
  await until(() => heard.includes('HTTP/1.1 201'), 'it gets its lease')
  expect(heard.toLowerCase()).toContain('idempotency-replayed: true')
  second.destroy()
})

test('a service that was frozen wakes and pauses nobody for requests that were given up meanwhile', async () => {
  await using service = await openTestGate()
  // One turn of the event loop in which requests arrive and are given up, as while a process is stopped.
  const connections = await Promise.all(
    Array.from(
      { length: 5 },
      () =>
        new Promise<Socket>((resolve) => {
          const made = connect(service.socket, () => resolve(made))
        }),
    ),
  )
  await service.call('GET', '/capabilities') // They are accepted by now.
  for (const [at, connection] of connections.entries())
    connection.write(requestText(`frozen-${at}`), () => connection.destroy())
  await until(() => connections.every(({ closed }) => closed), 'all have gone')
  await service.call('GET', '/capabilities')
  expect([service.actions, await leasesOf(service)]).toEqual([[], []])
})

test('a caller that keeps its connection gets its answer, by a request like any other', async () => {
  await using service = await openTestGate()
  const status = await new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        socketPath: service.socket,
        method: 'POST',
        path: '/admin/v1/tenants/acme/quiesce',
        headers: { 'content-type': 'application/json', 'idempotency-key': 'k', connection: 'close' },
      },
      ({ statusCode }) => resolve(statusCode),
    )
    request.once('error', reject)
    request.end(body)
  })
  expect(status).toBe(201)
})
