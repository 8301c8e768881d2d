import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { tenantId } from '../../../src/model/brand.ts'
import { connectService } from '../../../src/service/connect.ts'
import { createGate } from '../../../src/service/gate/index.ts'
import { granted, openAnswerServer } from '../../support/service/answer-server.ts'
import { makeCertificates } from '../../support/service/certificates.ts'
import { acme, connect, failureOf, forever, request, settingsFor, shortOf } from '../../support/service/client.ts'
import { openTestGate, until } from '../../support/service/gate.ts'

test('a hold through the client: quiesce, renew, look, resume', async () => {
  await using service = await openTestGate()
  await using client = await connect(service.socket)
  expect(await client.capabilities(forever)).toMatchObject({
    service: 'test',
    sqliteVersion: '3.54.1',
    modes: ['quiesce'],
  })
  expect(await client.tenants(forever)).toMatchObject([
    { id: 'acme', state: 'active' },
    { id: 'bolt', state: 'active' },
  ])
  const quiesced = await client.quiesce(acme, request, forever)
  expect(quiesced).toMatchObject({
    tenant: 'acme',
    holder: 'hold-1',
    fence: 1,
    openHandles: 0,
    via: 'admin-api',
    files: [{ path: service.fileOf('acme') }],
  })
  expect(await client.leases(forever)).toMatchObject([{ tenant: 'acme', holder: 'hold-1', leaseId: quiesced.leaseId }])
  expect((await client.renew(quiesced, forever)).expiresInMs).toBeGreaterThan(4_000)
  expect(await client.tenant(acme, forever)).toMatchObject({ state: 'quiesced', lease: { leaseId: quiesced.leaseId } })
  const resumed = await client.resume(quiesced, forever)
  expect(resumed).toEqual({ heldMs: resumed.heldMs, continuous: true, bootId: quiesced.bootId, endedBy: 'holder' })
  expect(await client.resume(quiesced, forever)).toEqual(resumed)
  expect(await client.tenant(acme, forever)).toMatchObject({ state: 'active', healthy: true, lease: null })
})

test('a configuration without time to drain asks for the shortest that the admin API has', async () => {
  await using service = await openTestGate()
  await using client = await connect(service.socket)
  const quiesced = await client.quiesce(acme, { ...request, drainTimeoutMs: 0 }, forever)
  expect(await client.resume(quiesced, forever)).toMatchObject({ endedBy: 'holder' })
})

test('a lease that ran out is a value for resume and LEASE_LOST for renew', async () => {
  await using service = await openTestGate()
  await using client = await connect(service.socket)
  const quiesced = await client.quiesce(acme, { ...request, ttlMs: 30 }, forever)
  await until(() => service.gate.stateOf('acme') === 'active', 'the lease ends')
  expect(await shortOf(client.renew(quiesced, forever))).toBe('LEASE_LOST active')
  expect(await client.resume(quiesced, forever)).toMatchObject({ endedBy: 'expiry', continuous: false })
})

test('a service that was restarted is told from a lease that is merely unknown', async () => {
  await using service = await openTestGate()
  await using client = await connect(service.socket)
  const quiesced = await client.quiesce(acme, request, forever)
  const again = createGate({
    service: 'test',
    version: '1',
    tenants: () => [{ id: 'acme', files: [service.fileOf('acme')] }],
    close: () => {},
    open: () => {},
  })
  const server = await again.listen(`${service.socket}-2`)
  service.server.removeAllListeners('request').on('request', (asked, answer) => again.handler(asked, answer))
  expect(await client.resume(quiesced, forever)).toMatchObject({ endedBy: 'restart', continuous: false })
  expect(await client.resume({ ...quiesced, leaseId: 'of-nobody' }, forever)).toMatchObject({
    endedBy: 'unknown',
    continuous: false,
  })
  server.close()
})

test('any text may be the id of a tenant on the way there and back', async () => {
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
    'new\nline',
    '?x=1#y',
    '../../etc/passwd',
    '__proto__',
  ]
  await using service = await openTestGate({}, ids)
  await using client = await connect(service.socket)
  expect((await client.tenants(forever)).map(({ id }) => id).sort()).toEqual([...ids].sort())
  for (const id of ids.map(tenantId)) {
    const quiesced = await client.quiesce(id, request, forever)
    expect(await client.tenant(id, forever)).toMatchObject({ id, state: 'quiesced' })
    await client.renew(quiesced, forever)
    expect(await client.resume(quiesced, forever)).toMatchObject({ endedBy: 'holder' })
  }
})

test('a registry of several pages is read wholly', async () => {
  const ids = Array.from({ length: 2_345 }, (_, at) => `t${at}`)
  await using service = await openTestGate({ tenants: () => ids.map((id) => ({ id, files: ['/x.db'] })) }, [])
  await using client = await connect(service.socket)
  expect((await client.tenants(forever)).map(({ id }) => id).sort()).toEqual([...ids].sort())
})

test('refusals of a real gate become failures that say what is known of the tenant', async () => {
  await using service = await openTestGate(
    {
      busy: (id) => (id === 'bolt' ? 'migrating' : null),
      close: (id) => {
        if (id === 'crate') throw new Error('in use')
      },
    },
    ['acme', 'bolt', 'crate'],
  )
  await using client = await connect(service.socket)
  const quiesce = (id: string): Promise<unknown> => client.quiesce(tenantId(id), request, forever)
  expect(await shortOf(quiesce('nobody'))).toBe('ADMIN_REFUSED untouched')
  expect(await shortOf(quiesce('bolt'))).toBe('SERVICE_BUSY untouched')
  expect(await shortOf(quiesce('crate'))).toBe('ADMIN_REFUSED active')
  await quiesce('acme')
  expect(await shortOf(quiesce('acme'))).toBe('SERVICE_BUSY untouched')
  expect(await shortOf(client.tenant(tenantId('nobody'), forever))).toBe('ADMIN_REFUSED untouched')
})

test('requests that do not drain end as QUIESCE_TIMEOUT with the tenant active', async () => {
  await using service = await openTestGate()
  await using client = await connect(service.socket)
  using _ = await service.gate.enter('acme')
  expect(await shortOf(client.quiesce(acme, { ...request, drainTimeoutMs: 20 }, forever))).toBe(
    'QUIESCE_TIMEOUT active',
  )
  expect(service.gate.stateOf('acme')).toBe('active')
})

test('a quiesce that the caller gives up may have paused the tenant, and says so; the gate drops it', async () => {
  await using service = await openTestGate()
  await using client = await connect(service.socket)
  const leave = await service.gate.enter('acme')
  const given = new AbortController()
  const asked = shortOf(client.quiesce(acme, request, given.signal))
  await until(() => service.gate.stateOf('acme') === 'draining', 'it drains')
  given.abort()
  expect(await asked).toBe('INTERRUPTED maybe-paused')
  leave()
  await until(() => service.gate.stateOf('acme') === 'active', 'the gate drops work without a caller')
  expect([await client.leases(forever), service.actions]).toEqual([[], []])
})

test('no service at the address: ADMIN_UNREACHABLE, the tenant untouched', async () => {
  await using client = await connect('/nowhere/admin.sock')
  for (const call of [client.tenants(forever), client.quiesce(acme, request, forever), client.tenant(acme, forever)])
    expect(await shortOf(call)).toBe('ADMIN_UNREACHABLE untouched')
  expect(await shortOf(client.resume({ tenant: acme, leaseId: 'x', fence: 1 }, forever))).toBe(
    'RESUME_FAILED maybe-paused',
  )
})

function folder(): Disposable & { path: string } {
  const path = mkdtempSync(join(tmpdir(), 'client-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

test('TLS with a bearer token; a certificate of an unknown authority is refused before anything is sent', async () => {
  using dir = folder()
  const certificates = makeCertificates(dir.path)
  const tokenFile = join(dir.path, 'token')
  writeFileSync(tokenFile, 'secret\n', { mode: 0o600 })
  writeFileSync(join(dir.path, 'a.db'), '')
  const gate = createGate({
    service: 'test',
    version: '1',
    token: 'secret',
    tenants: () => [{ id: 'acme', files: [join(dir.path, 'a.db')] }],
    close: () => {},
    open: () => {},
  })
  const server = createServer(certificates, gate.handler)
  await new Promise<void>((resolve) => server.listen(0, resolve))
  await using _ = {
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
    },
  }
  const endpoint = { kind: 'https', url: `https://localhost:${(server.address() as AddressInfo).port}` } as const
  {
    await using client = await connectService({
      ...settingsFor(''),
      kind: 'admin-api',
      endpoint,
      tokenFile,
      caFile: certificates.caFile,
    } as Parameters<typeof connectService>[0])
    const quiesced = await client.quiesce(acme, request, forever)
    expect(await client.resume(quiesced, forever)).toMatchObject({ endedBy: 'holder' })
  }
  {
    await using untrusting = await connectService({ ...settingsFor(''), endpoint, tokenFile } as Parameters<
      typeof connectService
    >[0])
    expect(await shortOf(untrusting.quiesce(acme, request, forever))).toBe('ADMIN_UNREACHABLE untouched')
  }
  {
    await using nameless = await connectService({
      ...settingsFor(''),
      endpoint,
      caFile: certificates.caFile,
    } as Parameters<typeof connectService>[0])
    expect(await shortOf(nameless.quiesce(acme, request, forever))).toBe('ADMIN_REFUSED untouched')
  }
  await gate[Symbol.asyncDispose]()
})

test('a token that group or others can read is refused, and its text is in no message', async () => {
  using dir = folder()
  const tokenFile = join(dir.path, 'token')
  writeFileSync(tokenFile, 'top-secret-text')
  for (const mode of [0o604, 0o640, 0o620, 0o602, 0o644]) {
    chmodSync(tokenFile, mode)
    const failure = await failureOf(connect('/s', { tokenFile }))
    expect(failure.code).toBe('NO_PERMISSION')
    expect(failure.message + failure.hint).not.toContain('top-secret')
  }
  chmodSync(tokenFile, 0o600)
  await using _ = await connect('/s', { tokenFile })
})

test('token files that are missing, empty, no file, or hold more than a token', async () => {
  using dir = folder()
  const tokenFile = join(dir.path, 'token')
  expect((await failureOf(connect('/s', { tokenFile }))).code).toBe('CONFIG_INVALID')
  for (const text of ['', '\n', 'two words', 'a\nb', 'x'.repeat(9_000), 'tök']) {
    writeFileSync(tokenFile, text, { mode: 0o600 })
    expect((await failureOf(connect('/s', { tokenFile }))).code).toBe('CONFIG_INVALID')
  }
})

test('a token that was changed is read again after 401', async () => {
  using dir = folder()
  const tokenFile = join(dir.path, 'token')
  writeFileSync(tokenFile, 'old', { mode: 0o600 })
  await using service = await openAnswerServer(({ authorization }) =>
    authorization === 'Bearer new' ? granted() : { status: 401 },
  )
  await using client = await connect(service.socket, { tokenFile })
  expect(await shortOf(client.quiesce(acme, request, forever))).toBe('ADMIN_REFUSED untouched')
  writeFileSync(tokenFile, 'new', { mode: 0o600 })
  expect(await client.quiesce(acme, request, forever)).toMatchObject({ leaseId: 'lease-1' })
  expect(service.asked.map(({ authorization }) => authorization)).toEqual([
    'Bearer old',
    'Bearer old',
    'Bearer old',
    'Bearer new',
  ])
})
