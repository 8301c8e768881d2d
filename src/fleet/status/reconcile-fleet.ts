/**
 * Compares what the database of a fleet says of itself: hosts with files, files with hosts, counts with the log. It
 * asks no host, and guesses nothing about which side is right.
 */

import { shellWord } from '../../text/shell-words.ts'
import type { FleetDatabase } from '../database/database.ts'
import { weekOf } from '../jobs/week.ts'
import { agentMissedMs } from './fleet-facts.ts'
import { readHosts, readRuns } from './read-facts.ts'

/** The gravest first. */
export const fleetRules = [
  'tenant-on-no-host',
  'tenant-on-several-hosts',
  'host-unknown',
  'host-missed',
  'slot-without-agent',
  'results-missing',
  'counts-differ',
  'never-checked',
] as const
type FleetRule = (typeof fleetRules)[number]

export interface FleetDisagreement {
  readonly rule: FleetRule
  readonly host: string | null
  readonly service: string | null
  readonly tenant: string | null
  /** A sentence. */
  readonly said: string
  /** The command that helps; null if a person must decide. */
  readonly next: string | null
}

export interface FleetReconciliation {
  readonly at: number
  readonly hosts: number
  readonly files: number
  readonly tenants: number
  /** No more of each rule than `listedOfRuleMax`. */
  readonly disagreements: readonly FleetDisagreement[]
  /** All, by rule. */
  readonly totals: Readonly<Partial<Record<FleetRule, number>>>
}

const listedOfRuleMax = 1000
/** Newest runs that are looked at. */
const runsMax = 20

interface Found {
  readonly rule: FleetRule
  readonly total: number
  readonly listed: readonly FleetDisagreement[]
}

export async function reconcileFleet(database: FleetDatabase): Promise<FleetReconciliation> {
  const { at, files, tenants, onNone, onSeveral } = await readSizes(database)
  const hosts = await readHosts(database)
  const found = [
    await tenantsOnNone(database, onNone),
    await tenantsOnSeveral(database, onSeveral),
    await unknownHosts(database),
    missedHosts(hosts, at),
    await slotsWithoutAgent(database),
    ...(await resultsOfRuns(database)),
    await neverChecked(database),
  ]
  const some = found.filter(({ total }) => total > 0)
  return {
    at,
    hosts: hosts.length,
    files,
    tenants,
    disagreements: some
      .toSorted((one, other) => fleetRules.indexOf(one.rule) - fleetRules.indexOf(other.rule))
      .flatMap(({ listed }) => listed),
    totals: Object.fromEntries(some.map(({ rule, total }) => [rule, total])),
  }
}

const base = { host: null, service: null, tenant: null, next: null } as const

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

interface TenantHosts {
  readonly service: string
  readonly tenant: string
  readonly hosts: readonly string[]
}

/** @param which a condition on `grouped` */
async function tenantsWhere(database: FleetDatabase, which: string): Promise<readonly TenantHosts[]> {
  const { rows } = await database.query<TenantHosts>(
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

async function tenantsOnNone(database: FleetDatabase, total: number): Promise<Found> {
  const rule: FleetRule = 'tenant-on-no-host'
  const some = total === 0 ? [] : await tenantsWhere(database, 'first is null')
  const listed = some.map(({ service, tenant, hosts }) => ({
    ...base,
    rule,
    service,
    tenant,
    said: `no host has ${tenant} of ${service} any more; it was on ${hosts.join(', ')}`,
  }))
  return { rule, total, listed }
}

/** Two replicas are several too: `fleet compare` says whether they are the same. */
async function tenantsOnSeveral(database: FleetDatabase, total: number): Promise<Found> {
  const rule: FleetRule = 'tenant-on-several-hosts'
  const some = total === 0 ? [] : await tenantsWhere(database, 'first <> last')
  const listed = some.map(({ service, tenant, hosts }) => ({
    ...base,
    rule,
    service,
    tenant,
    said: `${tenant} of ${service} is on ${hosts.join(' and ')}`,
    next: `holdfast fleet compare ${tenant.startsWith('-') ? '-- ' : ''}${shellWord(tenant)}`,
  }))
  return { rule, total, listed }
}

async function unknownHosts(database: FleetDatabase): Promise<Found> {
  const { rows } = await database.query<{ host: string; files: number }>(`
    select host, count(*)::float8 as files from holdfast.place
    where gone_at is null and host not in (select name from holdfast.host) group by host order by host`)
  return {
    rule: 'host-unknown',
    total: rows.length,
    listed: rows
      .slice(0, listedOfRuleMax)
      .map(({ host, files }) => ({
        ...base,
        rule: 'host-unknown',
        host,
        said: `the database has ${files} files of ${host}, whose agent never registered`,
      })),
  }
}

function missedHosts(hosts: Awaited<ReturnType<typeof readHosts>>, at: number): Found {
  const missed = hosts.filter(({ seenAt }) => at - seenAt > agentMissedMs)
  return {
    rule: 'host-missed',
    total: missed.length,
    listed: missed
      .slice(0, listedOfRuleMax)
      .map(({ name, seenAt }) => ({
        ...base,
        rule: 'host-missed',
        host: name,
        said: `the agent of ${name} last reported at ${new Date(seenAt).toISOString()}`,
        next: 'holdfast fleet agents',
      })),
  }
}

/** A slot of a host whose agent does not report: a coordinator frees it once it has watched it for `fleet.expiry`. */
async function slotsWithoutAgent(database: FleetDatabase): Promise<Found> {
  const { rows } = await database.query<{ holder: string; scopes: readonly string[] }>(
    `
    select holder, array_agg(scope order by scope) as scopes from holdfast.pause_slot
    where holder is not null and not exists (
      select from holdfast.host where name = holder and seen_at > clock_timestamp() - make_interval(secs => $1)
    )
    group by holder order by holder`,
    [agentMissedMs / 1000],
  )
  return {
    rule: 'slot-without-agent',
    total: rows.length,
    listed: rows
      .slice(0, listedOfRuleMax)
      .map(({ holder, scopes }) => ({
        ...base,
        rule: 'slot-without-agent',
        host: holder,
        said: `${holder} has a slot of ${scopes.join(', ')}, and its agent does not report`,
        next: 'holdfast coordinator',
      })),
  }
}

/** What ended runs have less than they should, and whether their counts are those of the log. */
async function resultsOfRuns(database: FleetDatabase): Promise<readonly Found[]> {
  const ended = (await readRuns(database, runsMax)).filter(
    ({ kind, state }) => state === 'done' && (kind === 'sweep' || kind === 'triage'),
  )
  const { rows: missing } = await database.query<{ run: string; host: string; total: number; done: number }>(
    `
    select run, host, total::float8 as total, done::float8 as done from holdfast.run_host
    where run = any($1::text[]) and done < total order by run desc, host`,
    [ended.map(({ id }) => id)],
  )
  return [
    {
      rule: 'results-missing',
      total: missing.length,
      listed: missing
        .slice(0, listedOfRuleMax)
        .map(({ run, host, total, done }) => ({
          ...base,
          rule: 'results-missing',
          host,
          said: `${host} has results of ${done} of ${total} files in the run ${run}`,
          next: 'holdfast fleet reconcile --resend',
        })),
    },
    await countsOfNewest(database, ended[0]?.id ?? null),
  ]
}

/** Of the newest ended run alone: the log has a row for each result. */
async function countsOfNewest(database: FleetDatabase, run: string | null): Promise<Found> {
  if (run === null) return { rule: 'counts-differ', total: 0, listed: [] }
  const { rows } = await database.query<{ host: string; counted: number; logged: number }>(
    `
    with logged as (
      select host, count(distinct (tenant, path))::float8 as files from holdfast.result
      where run = $1 and week = $2::date
      group by host
    )
    select host, coalesce(h.done, 0)::float8 as counted, coalesce(logged.files, 0) as logged
    from logged full join (select host, done from holdfast.run_host where run = $1) h using (host)
    where coalesce(h.done, 0) <> coalesce(logged.files, 0) order by host`,
    [run, weekOf(run)],
  )
  return {
    rule: 'counts-differ',
    total: rows.length,
    listed: rows
      .slice(0, listedOfRuleMax)
      .map(({ host, counted, logged }) => ({
        ...base,
        rule: 'counts-differ',
        host,
        said: `${host}: ${counted} results of the run ${run} are counted, and ${logged} are in the log`,
        next: 'holdfast fleet reconcile --resend',
      })),
  }
}

async function neverChecked(database: FleetDatabase): Promise<Found> {
  const { rows } = await database.query<{ host: string; files: number }>(`
    select host, count(*)::float8 as files from holdfast.place
    where gone_at is null and checked_at is null and registered_at < (
      select max(begun_at) from holdfast.run where kind = 'sweep' and state = 'done'
    )
    group by host order by host`)
  return {
    rule: 'never-checked',
    total: rows.length,
    listed: rows
      .slice(0, listedOfRuleMax)
      .map(({ host, files }) => ({
        ...base,
        rule: 'never-checked',
        host,
        said: `${host} has ${files} files that the last sweep should have checked, and that were never checked`,
        next: 'holdfast fleet sweep',
      })),
  }
}
