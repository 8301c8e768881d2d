/**
 * What a service says has an end: lists, answers and texts without one are refused, and the failure names the bound.
 */
import { expect, test, vi } from 'vitest'
import { registryBounds, RegistrySize } from '../../../src/service/registry-bounds.ts'
import { openAnswerServer, type ReceivedRequest, type ServerAnswer } from '../../support/service/answer-server.ts'
import { acme, connect, failureOf, forever } from '../../support/service/client.ts'

const page = (tenants: readonly object[], next: string | null): ServerAnswer => ({
  status: 200,
  body: { tenants, next },
})

const listTenants = async (answer: (asked: ReceivedRequest) => ServerAnswer): Promise<string> => {
  await using service = await openAnswerServer(answer)
  await using client = await connect(service.socket, { requestTimeoutMs: 10_000 }) // A page may have 15 MB.
  return await client.tenants(forever).then(
    (tenants) => `${tenants.length} tenants`,
    (error: Error & { code?: string }) => `${error.code} ${error.message}`,
  )
}

test('pages without end are read up to a bound of bytes', async () => {
  let asked = 0
  const path = `/${'d'.repeat(15_000)}`
  const said = await listTenants(({ count }) => {
    asked = count
    return page(
      Array.from({ length: 1_000 }, (_, at) => ({ id: `${count} ${at}`, files: [path], state: 'active' })),
      String(count),
    )
  })
  expect(said).toMatch(new RegExp(`^REGISTRY_STALE .*more than ${registryBounds.bytesMax} bytes$`))
  expect(asked).toBe(Math.ceil(registryBounds.bytesMax / (1_000 * (path.length + 40))))
})

test('a hundred thousand tenants are a list, in many pages or in one', async () => {
  const tenants = Array.from({ length: 100_000 }, (_, at) => ({
    id: `tenant-${at}`,
    files: [`/srv/notes/tenant-${at}/notes.db`],
    state: 'active',
  }))
  expect(await listTenants(() => page(tenants, null))).toBe('100000 tenants')
  expect(
    await listTenants(({ count }) =>
      page(tenants.slice((count - 1) * 1_000, count * 1_000), count === 100 ? null : String(count)),
    ),
  ).toBe('100000 tenants')
})

test('the number of tenants, of files and of pages, and the time for all of them, have bounds', () => {
  const passing = (max: number, add: (size: RegistrySize) => string | null): string | null => {
    const size = new RegistrySize()
    for (let at = 0; at < max; at++) expect(add(size)).toBe(null)
    return add(size)
  }
  const { tenantsMax, pagesMax } = registryBounds
  expect(passing(10, (size) => size.addTenant({ files: Array.from({ length: 100_000 }, () => '/a') }))).toBe(
    'it has more than 1000000 files',
  )
  expect(passing(pagesMax, (size) => size.addPage(0))).toBe(`it has more than ${pagesMax} pages`)
  vi.useFakeTimers({ toFake: ['performance'] })
  const slow = new RegistrySize()
  vi.advanceTimersByTime(600_001)
  expect(slow.addPage(1)).toBe('its pages took more than 600 s, and there are more')
  vi.useRealTimers()
  const size = new RegistrySize()
  let passed: string | null = null
  let tenants = 0
  for (; passed === null; tenants++) passed = size.addTenant({ files: [] })
  expect([passed, tenants]).toEqual([`it has more than ${tenantsMax} tenants`, tenantsMax + 1])
})

test('of a million items that do not fit the first is named, and the others cost nothing', async () => {
  const raw = (text: string) => (): ServerAnswer => ({ status: 200, raw: text })
  const many = '0,'.repeat(1_000_000)
  const before = process.memoryUsage().rss
  expect(await listTenants(raw(`{"tenants":[${many}0]}`))).toMatch(/^REGISTRY_STALE .*\(tenants\.0: .*object/)
  expect(await listTenants(raw(`{"tenants":[{"id":"a","state":"active","files":["/a",${many}0]}]}`))).toMatch(
    /^REGISTRY_STALE .*\(tenants\.0\.files\.1: .*string/,
  )
  expect(process.memoryUsage().rss - before).toBeLessThan(300e6)
})

test('an id that is too long is named by its bound', async () => {
  expect(await listTenants(() => page([{ id: 'i'.repeat(4_097), files: [], state: 'active' }], null))).toMatch(
    /^REGISTRY_STALE .*tenants\.0\.id: .*4096/,
  )
})

test('an answer, its headers and its texts have bounds', async () => {
  let given: ServerAnswer = 'flood'
  await using service = await openAnswerServer(() => given)
  await using client = await connect(service.socket)
  expect(await failureOf(client.leases(forever))).toMatchObject({
    code: 'CONTRACT_BROKEN',
    message: expect.stringContaining('longer than 1048576 bytes') as string,
  })
  given = { status: 200, body: {}, headers: { endless: 'x'.repeat(20_000) } }
  expect(await failureOf(client.tenant(acme, forever))).toMatchObject({
    code: 'CONTRACT_BROKEN',
    message: expect.stringContaining('headers are longer than 16384 bytes') as string,
  })
  given = {
    status: 200,
    body: { id: 'acme', state: 'active', healthy: false, lastError: `no\u202e\n${'x'.repeat(900_000)}` },
  }
  expect((await client.tenant(acme, forever)).lastError).toMatch(/^no x{297}$/)
})

test('an answer that trickles has the time of its request in all, not for each piece', async () => {
  await using service = await openAnswerServer(() => 'trickle')
  await using client = await connect(service.socket, { requestTimeoutMs: 100 })
  const startedAt = performance.now()
  expect(await failureOf(client.tenants(forever))).toMatchObject({ code: 'ADMIN_UNREACHABLE' })
  expect(performance.now() - startedAt).toBeLessThan(20_000)
})
