/**
 * Files that the service lists and that are not held. They are those of a tenant that the admin API cannot address, and
 * those that two tenants share. Each is a failure of its own tenants; all other files are held.
 */

import { requireInside } from '../../hold/live/live-path.ts'
import { nullOnAbort, startDeadline } from '../../host/clock.ts'
import { identityOf, realPathOf } from '../../host/files/path-kind.ts'
import type { TenantId } from '../../model/brand.ts'
import { Failure } from '../../model/failure.ts'
import { orFailure } from '../../model/or-failure.ts'
import type { RegisteredTenant, Service } from '../../service/port.ts'
import type { Target } from './target.ts'

/** A file by the name that a tenant lists. */
interface ListedFile {
  readonly tenant: TenantId
  readonly named: string
}

interface Terms {
  readonly via: Service['via']
  /** A file outside of them is refused by its hold, which gives that reason. */
  readonly roots: readonly string[]
}

/** @param tenants all tenants of the service, not only the targets */
export async function refusedTargets(
  targets: readonly Target[],
  tenants: readonly RegisteredTenant[],
  { via, roots }: Terms,
  signal: AbortSignal,
): Promise<ReadonlyMap<Target, Failure>> {
  const shared = await findShared(tenants, signal)
  const refused = new Map<Target, Failure>()
  for (const target of targets) {
    const { tenant, named } = target
    if (tenant === null) continue
    const sharing = shared.get(named) ?? []
    const isHeld = sharing.length > 0 && (await liesInside(named, roots))
    const failure = whyNotAddressable(tenant, via) ?? (isHeld ? whyShared({ tenant, named }, sharing, via) : null)
    if (failure !== null) refused.set(target, failure)
  }
  return refused
}

async function liesInside(named: string, roots: readonly string[]): Promise<boolean> {
  const real = await realPathOf(named)
  return real !== null && !((await orFailure(requireInside(real, roots))) instanceof Failure)
}

/** The admin API has the id in a path. @returns null if the tenant can be addressed */
export function whyNotAddressable(tenant: TenantId, via: Service['via']): Failure | null {
  if (via !== 'admin-api' || (tenant !== '.' && tenant !== '..')) return null
  const why = 'in a path its id is a step, encoded or not (RFC 3986), so that the request would reach another call'
  return new Failure('CONTRACT_BROKEN', `tenant ${JSON.stringify(tenant)} cannot be asked for: ${why}`, {
    tenant: 'untouched',
    hint: 'give the tenant another id in the service\u2019s list; until then nothing is known of its files',
  })
}

function whyShared(own: ListedFile, all: readonly ListedFile[], via: Service['via']): Failure | null {
  const others = all.filter(({ tenant }) => tenant !== own.tenant)
  const [other] = others
  if (other === undefined) return null
  if (via === 'files')
    return new Failure('MANY_NAMES', `${own.named} and ${other.named} are the same file`, { tenant: 'untouched' })
  const more = new Set(others.map(({ tenant }) => tenant)).size - 1
  const where = other.named === own.named ? 'too' : `as ${other.named}`
  const [a, b] = [own, other].map(({ tenant }) => `for tenant ${JSON.stringify(tenant)}`)
  const listed = `the service lists ${own.named} ${a}, and ${b} ${where}${more > 0 ? `, and for ${more} more` : ''}`
  return new Failure('CONTRACT_BROKEN', `${listed}: a pause of one does not stop the other, so the file was not held`, {
    tenant: 'untouched',
    hint: 'correct the service\u2019s list, and see whether these tenants have written each other\u2019s data',
  })
}

/** So long it is tried to find names that lead to one file: a dead mount must not block the run. */
const aliasMsMax = 10_000
/** A call that hangs blocks one of the few threads of the pool. */
const parallelCalls = 2

/**
 * Files that several tenants list, under one name or under several names that lead to one file.
 * @returns for each of these names, all names of the file with their tenants
 */
async function findShared(
  tenants: readonly RegisteredTenant[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, readonly ListedFile[]>> {
  const byName = new Map<string, TenantId | readonly TenantId[]>()
  for (const { id, files } of tenants) {
    for (const named of new Set(files)) {
      const before = byName.get(named)
      byName.set(named, before === undefined ? id : typeof before === 'string' ? [before, id] : [...before, id])
    }
  }
  const listed = (named: string): readonly ListedFile[] =>
    [byName.get(named) ?? []].flat().map((tenant) => ({ tenant, named }))
  const byOneName = [...byName].filter(([, ids]) => typeof ids !== 'string')
  const shared = new Map(byOneName.map(([named]) => [named, listed(named)]))
  for (const names of await findAliases([...byName.keys()], signal)) {
    const all = names.flatMap(listed)
    if (new Set(all.map(({ tenant }) => tenant)).size > 1) for (const named of names) shared.set(named, all)
  }
  return shared
}

/** @returns groups of names that lead to one file */
async function findAliases(names: readonly string[], signal: AbortSignal): Promise<Iterable<readonly string[]>> {
  using deadline = startDeadline(aliasMsMax)
  const over = AbortSignal.any([signal, deadline.signal])
  const late = nullOnAbort(over)
  const first = new Map<string, string>()
  const aliases = new Map<string, string[]>()
  for (let at = 0; at < names.length && !over.aborted; at += parallelCalls) {
    const some = names.slice(at, at + parallelCalls)
    const found = await Promise.race([Promise.all(some.map(identityOf)), late])
    for (const [i, identity] of (found ?? []).entries()) {
      const name = some[i]
      if (identity === null || name === undefined) continue
      const before = first.get(identity)
      if (before === undefined) first.set(identity, name)
      else aliases.set(identity, [...(aliases.get(identity) ?? [before]), name])
    }
  }
  return aliases.values()
}
