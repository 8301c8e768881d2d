import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import express from 'express'
import fastify from 'fastify'
import { expect, test } from 'vitest'
import { createGate, type Gate, type GateOptions } from '../../../src/service/gate/index.ts'
import { makeCertificates } from '../../support/service/certificates.ts'
import { call, exchange, openTestGate, problemName, terms } from '../../support/service/gate.ts'

function folder(): Disposable & { path: string } {
  const path = mkdtempSync(join(tmpdir(), 'mount-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

const makeGate = (file: string, more: Partial<GateOptions> = {}): Gate =>
  createGate({
    service: 'test',
    version: '1',
    tenants: () => [{ id: 'a/b', files: [file] }],
    close: () => {},
    open: () => {},
    ...more,
  })

/** Every call of the API once, by the contract. */
async function walkThrough(where: Parameters<typeof call>[0], headers: Record<string, string> = {}): Promise<void> {
  expect((await call(where, 'GET', '/capabilities', { headers })).status).toBe(200)
  expect((await call(where, 'GET', '/tenants', { headers })).json['tenants']).toMatchObject([{ id: 'a/b' }])
  const granted = await call(where, 'POST', '/tenants/a%2Fb/quiesce', {
    body: terms,
    headers: { 'idempotency-key': 'k', ...headers },
  })
  expect(granted.status).toBe(201)
  expect((await call(where, 'GET', '/tenants/a%2Fb', { headers })).json['state']).toBe('quiesced')
  expect((await call(where, 'GET', '/quiesce', { headers })).json['inUse']).toBe(1)
  const lease = `/tenants/a%2Fb/quiesce/${granted.json.leaseId}`
  expect((await call(where, 'POST', `${lease}/renew`, { body: { fence: 1 }, headers })).status).toBe(200)
  expect((await call(where, 'DELETE', `${lease}?fence=1`, { headers })).status).toBe(200)
  expect(
    problemName(
      await call(where, 'POST', '/tenants/a%2Fb/quiesce', {
        raw: 'x=1',
        headers: { 'content-type': 'text/plain', 'idempotency-key': 'l', ...headers },
      }),
    ),
  ).toBe('not-json')
  expect(
    problemName(
      await call(where, 'POST', '/tenants/a%2Fb/quiesce', {
        body: { ...terms, reason: 'x'.repeat(70_000) },
        headers: { 'idempotency-key': 'm', ...headers },
      }),
    ),
  ).toBe('body-too-large')
  expect(problemName(await exchange(where, 'GET', '/nothing', { headers }))).toBe('not-found')
}

async function listen(server: Server, where: string | number): Promise<AsyncDisposable> {
  await new Promise<void>((resolve) => server.listen(where as number, resolve))
  return {
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
    },
  }
}

test('node:http on a unix socket of mode 0660', async () => {
  using dir = folder()
  const path = join(dir.path, 's')
  writeFileSync(join(dir.path, 'a.db'), '')
  const server = await makeGate(join(dir.path, 'a.db')).listen(path)
  await using _ = {
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
    },
  }
  expect(statSync(path).mode & 0o777).toBe(0o660)
  await walkThrough({ socketPath: path })
})

test('a socket that a killed process left behind is replaced, one that answers is not', async () => {
  using dir = folder()
  const path = join(dir.path, 's')
  const gate = makeGate(join(dir.path, 'a.db'))
  // Closing the server would remove the file: a dead socket is bound under another name and renamed.
  const { renameSync } = await import('node:fs')
  const dead = createServer()
  {
    await using _ = await listen(dead, `${path}-dead`)
    renameSync(`${path}-dead`, path)
  }
  const server = await gate.listen(path)
  await using _ = {
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
    },
  }
  expect((await call({ socketPath: path }, 'GET', '/capabilities')).status).toBe(200)
  await expect(gate.listen(path)).rejects.toThrow('in use by another process')
})

for (const parsed of ['before a body parser', 'behind a body parser'] as const) {
  test(`Express 5, mounted ${parsed}, leaves other paths alone`, async () => {
    using dir = folder()
    writeFileSync(join(dir.path, 'a.db'), '')
    const path = join(dir.path, 's')
    const app = express()
    const gate = makeGate(join(dir.path, 'a.db'))
    if (parsed === 'behind a body parser') app.use(express.json({ limit: '1mb' }))
    app.use(gate.handler)
    app.get('/admin/v10', (_request, response) => {
      response.json({ mine: true })
    })
    await using _ = await listen(createServer(app), path)
    if (parsed === 'before a body parser') await walkThrough({ socketPath: path })
    else
      expect(
        (
          await call({ socketPath: path }, 'POST', '/tenants/a%2Fb/quiesce', {
            body: terms,
            headers: { 'idempotency-key': 'k' },
          })
        ).status,
      ).toBe(201)
    expect((await exchange({ socketPath: path }, 'GET', '0', {})).json).toEqual({ mine: true })
  })
}

test('Express 5 below a path of its own', async () => {
  using dir = folder()
  writeFileSync(join(dir.path, 'a.db'), '')
  const path = join(dir.path, 's')
  const app = express()
  app.use('/internal', makeGate(join(dir.path, 'a.db')).handler)
  await using _ = await listen(createServer(app), path)
  const answer = await fetchSocket(path, '/internal/admin/v1/capabilities')
  expect(answer).toBe(200)
})

for (const prefix of ['', '/internal']) {
  test(`Fastify 5 ${prefix === '' ? 'as a plugin, with its own parsers untouched' : 'below a prefix'}`, async () => {
    using dir = folder()
    writeFileSync(join(dir.path, 'a.db'), '')
    const path = join(dir.path, 's')
    const app = fastify()
    await app.register(makeGate(join(dir.path, 'a.db')).fastify, prefix === '' ? {} : { prefix })
    app.post('/echo', (request) => request.body)
    await app.listen({ path })
    await using _ = { [Symbol.asyncDispose]: () => app.close() }
    if (prefix === '') await walkThrough({ socketPath: path })
    else expect(await fetchSocket(path, '/internal/admin/v1/capabilities')).toBe(200)
    expect((await app.inject({ method: 'POST', url: '/echo', payload: { a: 1 } })).json()).toEqual({ a: 1 })
  })
}

test('TLS with a bearer token, and no answer without it', async () => {
  using dir = folder()
  writeFileSync(join(dir.path, 'a.db'), '')
  const certificates = makeCertificates(dir.path)
  const gate = makeGate(join(dir.path, 'a.db'), { token: 'secret' })
  const server = createSecureServer(certificates, gate.handler)
  await using _ = await listen(server, 0)
  const where = { tls: true, host: 'localhost', port: (server.address() as AddressInfo).port, ca: certificates.ca }
  await walkThrough(where, { authorization: 'Bearer secret' })
  expect((await call(where, 'GET', '/tenants')).status).toBe(401)
})

test('without a token the gate answers on unix sockets only', async () => {
  using dir = folder()
  const server = createServer(makeGate(join(dir.path, 'a.db')).handler)
  await using _ = await listen(server, 0)
  const heard = await call({ host: '127.0.0.1', port: (server.address() as AddressInfo).port }, 'GET', '/tenants')
  expect([heard.status, problemName(heard)]).toEqual([401, 'auth'])
})

test('pages of a registry repeat and skip no tenant, also when others are added and removed meanwhile', async () => {
  const ids = Array.from({ length: 2_500 }, (_, at) => `t${String(at).padStart(5, '0')}`)
  let now = ids
  await using service = await openTestGate({ tenants: () => now.map((id) => ({ id, files: [] })) }, [])
  const seen: string[] = []
  let after = ''
  for (let page = 0; page < 10; page++) {
    const { json } = await service.call('GET', `/tenants${after}`)
    seen.push(...(json['tenants'] as { id: string }[]).map(({ id }) => id))
    now = [...ids.filter((id) => id !== 't00003'), 't99999', 'a-new-one']
    if (json['next'] === null) break
    after = `?after=${encodeURIComponent(json['next'] as string)}`
  }
  expect(new Set(seen).size).toBe(seen.length)
  expect(seen.filter((id) => ids.includes(id) && id !== 't00003').length).toBe(2_499)
})

async function fetchSocket(socketPath: string, path: string): Promise<number> {
  const { request } = await import('node:http')
  return new Promise((resolve, reject) =>
    request({ socketPath, path, agent: false }, (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
      .on('error', reject)
      .end(),
  )
}
