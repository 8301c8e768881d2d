/** The calls of the admin API, version 1. Paths are split before they are decoded: an id may hold a slash. */
import type { IncomingMessage } from 'node:http'
import { Callers } from '../caller.ts'
import { within } from '../deadline.ts'
import { pathOfGateFile } from '../files.ts'
import type { IdempotencyKeys } from '../idempotency.ts'
import type { Leases, QuiesceTerms } from '../leases.ts'
import type { GateLimits, GateOptions } from '../options.ts'
import type { Registry } from '../registry.ts'
import type { Tenants } from '../tenants.ts'
import { Problem, reasonOf } from './problem.ts'
import { positive, readFields, readQuery, text } from './request.ts'

export interface Parts {
  readonly options: GateOptions
  readonly limits: GateLimits
  readonly registry: Registry
  readonly tenants: Tenants
  readonly leases: Leases
  readonly keys: IdempotencyKeys
}

export interface RouteAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: object
}

interface RouteCall {
  readonly request: IncomingMessage
  readonly query: URLSearchParams
  /** The decoded path segments in the places of `*`. */
  readonly given: readonly string[]
}

interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly pattern: readonly string[]
  /** True if the call changes nothing, so that a read-only token is enough. */
  readonly looksOnly: boolean
  readonly answer: (parts: Parts, call: RouteCall) => Promise<RouteAnswer>
}

const routes: readonly Route[] = [
  { method: 'GET', pattern: ['capabilities'], looksOnly: true, answer: capabilities },
  { method: 'GET', pattern: ['tenants'], looksOnly: true, answer: listTenants },
  { method: 'GET', pattern: ['tenants', '*'], looksOnly: true, answer: tenantStatus },
  { method: 'GET', pattern: ['quiesce'], looksOnly: true, answer: listLeases },
  { method: 'POST', pattern: ['tenants', '*', 'quiesce'], looksOnly: false, answer: quiesce },
  { method: 'POST', pattern: ['tenants', '*', 'quiesce', '*', 'renew'], looksOnly: false, answer: renew },
  { method: 'DELETE', pattern: ['tenants', '*', 'quiesce', '*'], looksOnly: false, answer: resume },
]

export const basePath = '/admin/v1'

/** Finds the call of a request. @throws {Problem} not-found, method-not-allowed, invalid-request */
export function routeOf(request: IncomingMessage): {
  readonly looksOnly: boolean
  readonly answer: (parts: Parts) => Promise<RouteAnswer>
} {
  const [path, query] = splitOnce(request.url ?? '', '?')
  const segments = path.slice(basePath.length + 1).split('/')
  const matching = routes.filter(
    ({ pattern }) =>
      pattern.length === segments.length && pattern.every((part, at) => part === '*' || part === segments[at]),
  )
  if (matching.length === 0) throw new Problem('not-found', 'there is no such call')
  const route = matching.find(({ method }) => method === request.method)
  if (!route)
    throw new Problem('method-not-allowed', `use ${matching.map(({ method }) => method).join(' or ')}`, {
      headers: { allow: matching.map(({ method }) => method).join(', ') },
    })
  const given = segments.filter((_, at) => route.pattern[at] === '*').map(decodeSegment)
  return {
    looksOnly: route.looksOnly,
    answer: (parts) => route.answer(parts, { request, query: new URLSearchParams(query), given }),
  }
}

async function capabilities({ options, limits, leases }: Parts, { query }: RouteCall): Promise<RouteAnswer> {
  readQuery(query, [])
  const { maxPaused, ttlMsMax, maxHoldMsMax, drainTimeoutMsMax } = limits
  return ok({
    service: options.service,
    version: options.version,
    sqliteVersion: options.sqliteVersion ?? null,
    bootId: leases.bootId,
    modes: ['quiesce'],
    limits: { maxPaused, ttlMsMax, maxHoldMsMax, drainTimeoutMsMax },
  })
}

async function listTenants({ registry, tenants }: Parts, { query }: RouteCall): Promise<RouteAnswer> {
  readQuery(query, ['after'])
  const page = await registry.page(query.get('after'))
  return ok({
    tenants: page.tenants.map(({ id, files }) => ({
      id,
      files: files.map(pathOfGateFile),
      state: tenants.servingOf(id),
    })),
    next: page.next,
  })
}

async function tenantStatus(
  { options, registry, tenants }: Parts,
  { query, given: [id = ''] }: RouteCall,
): Promise<RouteAnswer> {
  readQuery(query, [])
  if (!tenants.peek(id)?.lease) await registry.find(id)
  // Asked first, so that the answers below belong to one moment.
  const trouble = tenants.servingOf(id) === 'active' ? await troubleOf(options, id) : null
  const record = tenants.peek(id)
  const lease = record?.lease
  return ok({
    id,
    state: record?.serving ?? 'active',
    healthy: trouble === null && (record?.lastError ?? null) === null,
    lease:
      lease && lease.ending === null
        ? {
            leaseId: lease.terms.leaseId,
            fence: lease.terms.fence,
            holder: lease.terms.holder,
            expiresInMs: lease.expiresInMs,
            heldMs: lease.heldMs,
          }
        : null,
    lastError: record?.lastError ?? trouble,
  })
}

const healthyMsMax = 2_000

async function troubleOf(options: GateOptions, id: string): Promise<string | null> {
  if (!options.healthy) return null
  try {
    const asked = (async () => options.healthy?.(id))()
    return (await within(healthyMsMax, 'its health check', asked))
      ? null
      : 'the service reports that the tenant is unhealthy'
  } catch (error) {
    return reasonOf(error)
  }
}

async function listLeases({ leases }: Parts, { query }: RouteCall): Promise<RouteAnswer> {
  readQuery(query, [])
  return ok(leases.list())
}

async function quiesce(
  { registry, leases, keys }: Parts,
  { request, query, given: [id = ''] }: RouteCall,
): Promise<RouteAnswer> {
  readQuery(query, [])
  const key = request.headers['idempotency-key']
  if (typeof key !== 'string' || key === '' || key.length > 255)
    throw new Problem('idempotency-key-missing', 'send an Idempotency-Key of 1 to 255 characters')
  const terms = await readTerms(request)
  const { answer, replayed } = await keys.once(
    key,
    JSON.stringify([id, terms]),
    new Callers(request),
    async (callers) => leases.quiesce(await registry.find(id), terms, callers),
  )
  return { status: 201, headers: replayed ? { 'idempotency-replayed': 'true' } : {}, body: answer }
}

async function readTerms(request: IncomingMessage): Promise<QuiesceTerms> {
  const fields = await readFields(request, ['holder', 'reason', 'ttlMs', 'maxHoldMs', 'drainTimeoutMs'])
  return {
    holder: text(fields, 'holder', 200),
    reason: text(fields, 'reason', 1000),
    ttlMs: positive(fields, 'ttlMs'),
    maxHoldMs: positive(fields, 'maxHoldMs'),
    drainTimeoutMs: fields['drainTimeoutMs'] === undefined ? null : positive(fields, 'drainTimeoutMs'),
  }
}

async function renew(
  { leases }: Parts,
  { request, query, given: [id = '', leaseId = ''] }: RouteCall,
): Promise<RouteAnswer> {
  readQuery(query, [])
  const fields = await readFields(request, ['fence'])
  return ok(leases.renew(id, leaseId, positive(fields, 'fence')))
}

async function resume(
  { registry, leases, tenants }: Parts,
  { query, given: [id = '', leaseId = ''] }: RouteCall,
): Promise<RouteAnswer> {
  readQuery(query, ['fence'])
  const fence = query.get('fence') ?? ''
  if (!/^[1-9][0-9]{0,15}$/.test(fence))
    throw new Problem('invalid-request', 'the parameter fence must be a whole number above 0')
  // A tenant that left the registry while it was quiesced must still be resumable, and that answer repeatable.
  if (!tenants.peek(id) && !leases.hasEnded(id, leaseId)) await registry.find(id)
  return ok(await leases.resume(id, leaseId, Number(fence)))
}

const ok = (body: object): RouteAnswer => ({ status: 200, headers: {}, body })

function splitOnce(value: string, separator: string): [string, string] {
  const at = value.indexOf(separator)
  return at < 0 ? [value, ''] : [value.slice(0, at), value.slice(at + 1)]
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    throw new Problem('invalid-request', 'the path is not valid percent-encoding')
  }
}
