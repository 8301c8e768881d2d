/**
 * On how many hosts each tenant is: on one, unless `fleet.replicas` says that more are meant. Which of several hosts is
 * right is not guessed.
 */

import type { MeantReplicas } from '../../config/fleet/fleet-settings.ts'
import { count } from '../../text/count.ts'
import { globMatcher } from '../../text/glob.ts'
import { tenantWord } from '../../text/shell-words.ts'
import type { FleetDatabase } from '../database/database.ts'
import { aboutNothing, listedOfRuleMax, type FleetDisagreement, type RuleDisagreements } from './fleet-disagreement.ts'

/** An entry of `fleet.replicas`, with the number of tenants that are on as many hosts as it says. */
export type FoundReplicas = MeantReplicas & { readonly total: number }

export interface TenantHosts {
  readonly at: number
  readonly files: number
  readonly tenants: number
  readonly found: readonly RuleDisagreements[]
  readonly replicas: readonly FoundReplicas[]
}

/** @throws {Failure} FLEET_* */
export async function findTenantHosts(
  database: FleetDatabase,
  replicas: readonly MeantReplicas[],
): Promise<TenantHosts> {
  const { at, files, tenants, onNone, onSeveral } = await readSizes(database)
  const none = await tenantsOnNone(database, onNone)
  if (replicas.length === 0)
    return { at, files, tenants, found: [none, await tenantsOnSeveral(database, onSeveral)], replicas: [] }
  const meant = await compareWithMeant(database, replicas)
  return { at, files, tenants, found: [none, ...meant.found], replicas: meant.replicas }
}

/** One row for each tenant, read in the order of an index. */
const grouped = `
  select service, tenant, count(*) as files, count(gone_at) as gone,
    min(host) filter (where gone_at is null) as first, max(host) filter (where gone_at is null) as last
  from holdfast.place group by service, tenant`

interface Sizes {
  readonly at: number
  readonly files: number
  readonly tenants: number
  readonly onNone: number
  readonly onSeveral: number
}

async function readSizes(database: FleetDatabase): Promise<Sizes> {
  const { rows } = await database.query<Sizes>(`
    select floor(extract(epoch from clock_timestamp()) * 1000)::float8 as at,
      coalesce(sum(files - gone), 0)::float8 as files, count(first)::float8 as tenants,
      (count(*) filter (where first is null))::float8 as "onNone",
      (count(*) filter (where first <> last))::float8 as "onSeveral"
    from (${grouped}) grouped`)
  return rows[0] ?? { at: 0, files: 0, tenants: 0, onNone: 0, onSeveral: 0 }
}

interface NamedTenant {
  readonly service: string
  readonly tenant: string
  readonly hosts: readonly string[]
}

/** @param which a condition on `grouped` */
async function tenantsWhere(database: FleetDatabase, which: string): Promise<readonly NamedTenant[]> {
  const { rows } = await database.query<NamedTenant>(
    `
    select odd.service, odd.tenant, (
      select (array_agg(distinct host order by host))[1:${namedHostsMax}] from holdfast.place p
      where p.service = odd.service and p.tenant = odd.tenant and (p.gone_at is null or odd.first is null)
    ) as hosts
    from (select * from (${grouped}) grouped where ${which} order by service, tenant limit $1) odd
    order by odd.service, odd.tenant`,
    [listedOfRuleMax],
  )
  return rows
}

const namedHostsMax = 10

const nameHosts = (hosts: readonly string[]): string => hosts.slice(0, namedHostsMax).join(' and ')

async function tenantsOnNone(database: FleetDatabase, total: number): Promise<RuleDisagreements> {
  const rule = 'tenant-on-no-host'
  const some = total === 0 ? [] : await tenantsWhere(database, 'first is null')
  const listed = some.map(({ service, tenant, hosts }) => ({
    ...aboutNothing,
    rule,
    service,
    tenant,
    said: `no host has ${tenant} of ${service} any more; it was on ${hosts.join(', ')}`,
  })) satisfies readonly FleetDisagreement[]
  return { rule, total, listed }
}

/** Two replicas are several too: `fleet compare` says whether they are the same. */
async function tenantsOnSeveral(database: FleetDatabase, total: number): Promise<RuleDisagreements> {
  const some = total === 0 ? [] : await tenantsWhere(database, 'first <> last')
  return { rule: 'tenant-on-several-hosts', total, listed: some.map((one) => severalHosts(one, null)) }
}

/** @param meant on how many hosts it should be; null if nothing is said about it */
function severalHosts({ service, tenant, hosts }: NamedTenant, meant: number | null): FleetDisagreement {
  const said = meant === null ? '' : `; fleet.replicas says ${count(meant, 'host')}`
  return {
    ...aboutNothing,
    rule: 'tenant-on-several-hosts',
    service,
    tenant,
    said: `${tenant} of ${service} is on ${nameHosts(hosts)}${said}`,
    next: `holdfast fleet compare ${tenantWord(tenant)}`,
  }
}

const missingReplica = ({ service, tenant, hosts }: NamedTenant, meant: number): FleetDisagreement => ({
  ...aboutNothing,
  rule: 'replica-missing',
  service,
  tenant,
  said: `${tenant} of ${service} is only on ${nameHosts(hosts)}; fleet.replicas says ${count(meant, 'host')}`,
})

const tenantsOfPage = 10_000

/** Each tenant is looked at, because its name decides. It takes some seconds for a million. */
async function compareWithMeant(
  database: FleetDatabase,
  replicas: readonly MeantReplicas[],
): Promise<Pick<TenantHosts, 'found' | 'replicas'>> {
  const entries = replicas.map((entry) => ({ ...entry, matches: entry.tenants.map(globMatcher), total: 0 }))
  const several = { rule: 'tenant-on-several-hosts' as const, total: 0, listed: [] as FleetDisagreement[] }
  const missing = { rule: 'replica-missing' as const, total: 0, listed: [] as FleetDisagreement[] }
  for (let last: NamedTenant | null = null, page; ; last = page.at(-1) ?? null) {
    page = await readPage(database, last)
    for (const one of page) {
      const entry = entries.find(({ matches }) => matches.some((isMatch) => isMatch(one.tenant)))
      const onHosts = one.hosts.length
      if (entry?.hosts === onHosts) entry.total += 1
      else if (onHosts > (entry?.hosts ?? 1)) note(several, () => severalHosts(one, entry?.hosts ?? null))
      else if (entry !== undefined) note(missing, () => missingReplica(one, entry.hosts))
    }
    if (page.length < tenantsOfPage) break
  }
  return {
    found: [several, missing],
    replicas: entries.map(({ tenants, hosts, total }) => ({ tenants, hosts, total })),
  }
}

function note(found: { total: number; readonly listed: FleetDisagreement[] }, say: () => FleetDisagreement): void {
  found.total += 1
  if (found.listed.length < listedOfRuleMax) found.listed.push(say())
}

/** Tenants that at least one host has, in the order of an index, with all of their hosts. */
async function readPage(database: FleetDatabase, after: NamedTenant | null): Promise<readonly NamedTenant[]> {
  const { rows } = await database.query<NamedTenant>(
    `
    select service, tenant, array_agg(distinct host order by host) as hosts from holdfast.place
    where gone_at is null and ($1::text is null or (service, tenant) > ($1, $2))
    group by service, tenant order by service, tenant limit $3`,
    [after?.service ?? null, after?.tenant ?? null, tenantsOfPage],
  )
  return rows
}
