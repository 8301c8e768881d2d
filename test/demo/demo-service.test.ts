import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { isWhole, readAcknowledged, verifyTenants } from '../../scripts/demo/verify.ts'
import { tenantId } from '../../src/model/brand.ts'
import { startDemoProcess } from '../support/demo.ts'
import { acme, connect, forever, request } from '../support/service/client.ts'
import { until } from '../support/service/gate.ts'

test('under load and quiesces, balances add up and every acknowledged transfer is in the database', async () => {
  await using demo = await startDemoProcess(['--tenants', '3', '--load', '60', '--size', '50000'])
  await using client = await connect(demo.socket)
  const ids = (await client.tenants(forever)).map(({ id }) => id)
  expect(ids).toEqual(['acme', 'bolt', 'crate'])
  // The service knows the journal mode of a tenant only after it has opened it.
  await until(() => readAcknowledged(join(demo.dir, 'acknowledged.log')).size === 3, 'every tenant has work')
  for (let round = 0; round < 5; round++) {
    for (const id of ids) {
      const quiesced = await client.quiesce(id, request, forever)
      expect(quiesced).toMatchObject({
        openHandles: 0,
        sqliteVersion: expect.stringMatching(/^3\./) as string,
        files: [{ journalMode: id === 'crate' ? 'delete' : 'wal' }],
      })
      expect(existsSync(`${demo.dir}/${id}.db-wal`)).toBe(false)
      expect(await client.resume(quiesced, forever)).toMatchObject({ endedBy: 'holder', continuous: true })
    }
  }
  expect(await demo.stop()).toBe(0)
  const verified = verifyTenants(demo.dir, ids)
  expect(verified.every(isWhole)).toBe(true)
  expect(verified.every(({ acknowledged }) => acknowledged > 0)).toBe(true)
})

test('after SIGKILL under load no acknowledged transfer is missing', async () => {
  await using demo = await startDemoProcess(['--tenants', '2', '--load', '500', '--size', '20000'])
  await until(
    () => (readAcknowledged(join(demo.dir, 'acknowledged.log')).get('acme')?.length ?? 0) > 50,
    'work was acknowledged',
  )
  await demo.stop('SIGKILL')
  expect(verifyTenants(demo.dir, ['acme', 'bolt']).every(isWhole)).toBe(true)
})

test('the check for lost writes can fail: it names a missing transfer', async () => {
  await using demo = await startDemoProcess(['--tenants', '1', '--size', '20000'])
  await demo.stop()
  writeFileSync(join(demo.dir, 'acknowledged.log'), 'acme lost-1\nacme cut-of')
  expect(verifyTenants(demo.dir, ['acme'])).toMatchObject([{ missing: ['lost-1'] }])
})

test('it serves its users: notes, transfers, and health even while a tenant is quiesced', async () => {
  await using demo = await startDemoProcess(['--tenants', '2', '--size', '20000'])
  const ask = async (
    path: string,
    init: RequestInit = {},
  ): Promise<{ status: number; retryAfter: string | null; json: unknown }> => {
    const response = await fetch(`http://127.0.0.1:${demo.port}${path}`, init)
    return { status: response.status, retryAfter: response.headers.get('retry-after'), json: await response.json() }
  }
  expect((await ask('/tenants/acme/notes', { method: 'POST', body: 'Remember the milk' })).status).toBe(201)
  expect((await ask('/tenants/acme/notes?title=Remember')).json).toMatchObject([{ title: 'Remember the milk' }])
  expect((await ask('/tenants/acme/transfers', { method: 'POST' })).status).toBe(201)
  expect((await ask('/tenants/acme/invariant')).json).toEqual({ sum: 100_000, promised: 100_000, transfers: 1 })
  expect((await ask('/tenants/..%2Fx/notes')).status).toBe(404)
  await using client = await connect(demo.socket)
  const quiesced = await client.quiesce(acme, request, forever)
  const waiting = ask('/tenants/acme/invariant')
  expect((await ask('/health')).json).toEqual({ healthy: true, tenants: 2 })
  expect((await ask('/tenants/bolt/invariant')).status).toBe(200)
  await client.resume(quiesced, forever)
  expect((await waiting).status).toBe(200)
})

test('I1.5: a status request and a pause of an idle tenant change neither its bytes nor its mtime', async () => {
  await using demo = await startDemoProcess(['--tenants', '3', '--size', '100000', '--load', '100', '--loaded', 'bolt'])
  await using client = await connect(demo.socket)
  const fingerprint = (id: string): unknown => [
    createHash('sha256')
      .update(readFileSync(`${demo.dir}/${id}.db`))
      .digest('hex'),
    statSync(`${demo.dir}/${id}.db`, { bigint: true }).mtimeNs,
  ]
  const before = ['acme', 'crate'].map(fingerprint)
  for (const id of ['acme', 'crate'].map(tenantId)) {
    expect(await client.tenant(id, forever)).toMatchObject({ healthy: true })
    await client.resume(await client.quiesce(id, request, forever), forever)
    expect(await client.tenant(id, forever)).toMatchObject({ healthy: true })
  }
  expect(['acme', 'crate'].map(fingerprint)).toEqual(before)
})

test('every database in its folder is a tenant, and it writes only into its own', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'adopted-'))
  try {
    const foreign = new Database(join(dir, 'foreign.db'))
    foreign.exec('create table t (x)')
    foreign.close()
    writeFileSync(join(dir, 'broken.db'), 'this is no database at all, but it is here')
    copyFileSync(join(dir, 'foreign.db'), join(dir, 'with space.db'))
    const before = readFileSync(join(dir, 'foreign.db'))
    await using demo = await startDemoProcess(['--load', '200'], dir)
    await using client = await connect(demo.socket)
    expect((await client.tenants(forever)).map(({ id }) => id)).toEqual(['broken', 'foreign', 'with space'])
    expect(await client.tenant(tenantId('foreign'), forever)).toMatchObject({ healthy: true })
    expect(await client.tenant(tenantId('broken'), forever)).toMatchObject({
      healthy: false,
      lastError: 'file is not a database',
    })
    await client.resume(await client.quiesce(tenantId('broken'), request, forever), forever)
    await demo.stop()
    expect(readFileSync(join(dir, 'foreign.db')).equals(before)).toBe(true)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
})
