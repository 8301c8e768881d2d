/** Each misbehaviour does what its description says, as the client sees it. Tests of the hold rely on that. */
import { statSync } from 'node:fs'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { ServiceFaults, misbehaviours } from '../../scripts/demo/notes/misbehaviour.ts'
import { tenantId } from '../../src/model/brand.ts'
import type { QuiesceAnswer, Service } from '../../src/service/port.ts'
import { startDemoProcess, type DemoProcess } from '../support/demo.ts'
import { acme, connect, forever, request, shortOf } from '../support/service/client.ts'
import { until } from '../support/service/gate.ts'

const bolt = tenantId('bolt')

async function withDemo(
  faults: string,
  act: (client: Service, demo: DemoProcess) => Promise<void>,
  more: readonly string[] = [],
): Promise<void> {
  await using demo = await startDemoProcess(['--tenants', '2', '--size', '20000', '--misbehave', faults, ...more])
  await using client = await connect(demo.socket, { requestTimeoutMs: 1_500 })
  await act(client, demo)
}

const quiesce = (client: Service, more = {}): Promise<QuiesceAnswer> =>
  client.quiesce(acme, { ...request, ...more }, forever)

test('unknown names are refused, and every fault can have a measure and be limited to a tenant', () => {
  expect(() => new ServiceFaults('keeps-writting')).toThrow('no such misbehaviour')
  const faults = new ServiceFaults('slow=300:bolt,busy')
  expect([
    faults.measure('slow', 'bolt', 5),
    faults.measure('slow', 'acme', 5),
    faults.has('busy', 'acme'),
    faults.has('denies', null),
  ]).toEqual([300, null, true, false])
  for (const name of Object.keys(misbehaviours))
    expect(new ServiceFaults(`${name}=1:acme`).has(name as keyof typeof misbehaviours, 'acme')).toBe(true)
})

test('keeps-writing: reports no handles and goes on writing, for the named tenant only', async () => {
  await withDemo('keeps-writing:acme', async (client, demo) => {
    const quiesced = await quiesce(client)
    expect(quiesced.openHandles).toBe(0)
    const count = (): unknown => {
      const database = new Database(`${demo.dir}/acme.db`, { readonly: true })
      try {
        return database.prepare("select count(*) from notes where title = 'hidden'").pluck().get()
      } finally {
        database.close()
      }
    }
    const before = count()
    await until(() => count() !== before, 'it writes while quiesced')
    await client.resume(quiesced, forever)
    expect((await client.quiesce(bolt, request, forever)).openHandles).toBe(0)
  })
})

test('keeps-handles and keeps-shm-open: report none, but the process has them', async () => {
  const { readdirSync, readlinkSync } = await import('node:fs')
  const open = (pid: number): string[] =>
    readdirSync(`/proc/${pid}/fd`)
      .flatMap((fd) => {
        try {
          return [readlinkSync(`/proc/${pid}/fd/${fd}`)]
        } catch {
          return []
        }
      })
      .filter((path) => path.includes('acme'))
  await withDemo('keeps-handles', async (client, demo) => {
    expect((await quiesce(client)).openHandles).toBe(0)
    expect(open(demo.pid)).toContain(`${demo.dir}/acme.db`)
  })
  await withDemo('keeps-shm-open', async (client, demo) => {
    expect((await quiesce(client)).openHandles).toBe(0)
    expect(open(demo.pid)).toEqual([`${demo.dir}/acme.db-shm`])
  })
})

test('wrong-inode, outside-roots, new-boot-id, discontinuous, unknown-lease', async () => {
  await withDemo('wrong-inode', async (client, demo) => {
    expect((await quiesce(client)).files?.[0]?.ino).not.toBe(
      String(statSync(`${demo.dir}/acme.db`, { bigint: true }).ino),
    )
  })
  await withDemo('outside-roots:acme', async (client) => {
    expect((await client.tenants(forever)).map(({ files }) => files[0])).toEqual([
      '/etc/passwd',
      expect.stringContaining('bolt.db'),
    ])
    expect((await quiesce(client)).files?.[0]?.path).toBe('/etc/passwd')
  })
  await withDemo('new-boot-id', async (client) => {
    const quiesced = await quiesce(client)
    expect((await client.resume(quiesced, forever)).bootId).not.toBe(quiesced.bootId)
  })
  await withDemo('discontinuous', async (client) =>
    expect((await client.resume(await quiesce(client), forever)).continuous).toBe(false),
  )
  await withDemo('unknown-lease', async (client) =>
    expect(await client.resume(await quiesce(client), forever)).toMatchObject({ endedBy: 'unknown' }),
  )
})

test('restarts: the lease is gone, the boot id differs, the tenant is active', async () => {
  await withDemo('restarts', async (client) => {
    const quiesced = await quiesce(client)
    await until(async () => (await client.tenant(acme, forever)).state === 'active', 'it has forgotten')
    expect(await client.resume(quiesced, forever)).toMatchObject({ endedBy: 'restart' })
    expect((await client.capabilities(forever)).bootId).not.toBe(quiesced.bootId)
  })
})

test('lease-expires: the lease ends before the granted time', async () => {
  await withDemo('lease-expires', async (client) => {
    const quiesced = await quiesce(client)
    expect(quiesced.expiresInMs).toBe(request.ttlMs)
    await until(async () => (await client.tenant(acme, forever)).state === 'active', 'it ended early')
    expect(await shortOf(client.renew(quiesced, forever))).toBe('LEASE_LOST active')
    expect(await client.resume(quiesced, forever)).toMatchObject({ endedBy: 'expiry' })
  })
})

test('loses-replies: once for each kind of request, and the client succeeds', async () => {
  await withDemo('loses-replies', async (client) => {
    expect((await client.tenants(forever)).length).toBe(2)
    const quiesced = await quiesce(client)
    expect(await client.leases(forever)).toMatchObject([{ leaseId: quiesced.leaseId, fence: 1 }])
    await client.renew(quiesced, forever)
    expect(await client.resume(quiesced, forever)).toMatchObject({ endedBy: 'holder' })
    expect(await client.tenant(acme, forever)).toMatchObject({ state: 'active', healthy: true })
  })
})

test('never-answers, garbage, slow: the lease exists without a valid answer', async () => {
  await withDemo('never-answers', async (client) => {
    expect(await shortOf(quiesce(client))).toBe('ADMIN_UNREACHABLE maybe-paused')
    expect(await client.leases(forever)).toMatchObject([{ holder: request.holder }])
  })
  await withDemo('garbage', async (client) => {
    expect(await shortOf(quiesce(client))).toBe('CONTRACT_BROKEN maybe-paused')
    expect(await client.leases(forever)).toMatchObject([{ holder: request.holder }])
  })
  await withDemo('slow=250', async (client) => {
    const startedAt = performance.now()
    await client.resume(await quiesce(client), forever)
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(500)
  })
})

test('refuses-resume and never-answers-resume: RESUME_FAILED', async () => {
  for (const fault of ['refuses-resume', 'never-answers-resume']) {
    await withDemo(fault, async (client) => {
      const quiesced = await quiesce(client, { ttlMs: 300 })
      expect(await shortOf(client.resume(quiesced, forever))).toBe('RESUME_FAILED maybe-paused')
      await until(async () => (await client.tenant(acme, forever)).state === 'active', 'the lease ends by itself')
    })
  }
})

test('unhealthy and unhealthy-after-resume', async () => {
  await withDemo('unhealthy:bolt,unhealthy-after-resume:acme', async (client) => {
    expect([(await client.tenant(acme, forever)).healthy, (await client.tenant(bolt, forever)).healthy]).toEqual([
      true,
      false,
    ])
    await client.resume(await quiesce(client), forever)
    expect(await client.tenant(acme, forever)).toMatchObject({ healthy: false, lastError: 'the tenant answers 404' })
  })
})

test('busy, denies, close-fails, long-job: refused, and the tenant is active', async () => {
  const expected = {
    busy: 'SERVICE_BUSY untouched',
    denies: 'ADMIN_REFUSED untouched',
    'close-fails': 'ADMIN_REFUSED active',
    'long-job': 'QUIESCE_TIMEOUT active',
  }
  for (const [fault, said] of Object.entries(expected)) {
    await withDemo(fault, async (client) => {
      expect([fault, await shortOf(quiesce(client, { drainTimeoutMs: 20 }))]).toEqual([fault, said])
      expect(await client.tenant(acme, forever)).toMatchObject({ state: 'active', healthy: true })
    })
  }
})

test('limit: twice refused, then granted', async () => {
  await withDemo('limit', async (client) => expect((await quiesce(client)).fence).toBe(1))
})

test('repeats-cursor and empty-registry', async () => {
  await withDemo('repeats-cursor', async (client) =>
    expect(await shortOf(client.tenants(forever))).toBe('REGISTRY_STALE untouched'),
  )
  await withDemo('empty-registry', async (client) => expect(await client.tenants(forever)).toEqual([]))
})
