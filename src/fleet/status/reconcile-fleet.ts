/**
 * Compares what the database of a fleet says of itself: hosts with files, files with hosts, counts with the log. It
 * asks no host, and guesses nothing about which side is right.
 */

import type { MeantReplicas } from '../../config/fleet/fleet-settings.ts'
import { count } from '../../text/count.ts'
import type { FleetDatabase } from '../database/database.ts'
import { weekOf } from '../jobs/week-of-run.ts'
import {
  aboutNothing,
  fleetRules,
  listedOfRuleMax,
  type FleetDisagreement,
  type FleetRule,
  type RuleDisagreements,
} from './fleet-disagreement.ts'
import { agentMissedMs } from './fleet-facts.ts'
import { readHosts, readRuns } from './read-facts.ts'
import { findTenantHosts, type FoundReplicas } from './tenant-hosts.ts'

export interface FleetReconciliation {
  readonly at: number
  readonly hosts: number
  readonly files: number
  readonly tenants: number
  /** No more of each rule than `listedOfRuleMax`. */
  readonly disagreements: readonly FleetDisagreement[]
  /** All, by rule. */
  readonly totals: Readonly<Partial<Record<FleetRule, number>>>
  /** What `fleet.replicas` says, and so is no disagreement. */
  readonly replicas: readonly FoundReplicas[]
}

/** Newest runs that are looked at. */
const runsMax = 20

/** @param meant the entries of `fleet.replicas`; the first that matches a tenant counts @throws {Failure} FLEET_* */
export async function reconcileFleet(
  database: FleetDatabase,
  meant: readonly MeantReplicas[],
): Promise<FleetReconciliation> {
  const { at, files, tenants, found: onHosts, replicas } = await findTenantHosts(database, meant)
  const hosts = await readHosts(database)
  const found = [
    ...onHosts,
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
    replicas,
  }
}

async function unknownHosts(database: FleetDatabase): Promise<RuleDisagreements> {
  const { rows } = await database.query<{ host: string; files: number }>(`
    select host, count(*)::float8 as files from holdfast.place
    where gone_at is null and host not in (select name from holdfast.host) group by host order by host`)
  return {
    rule: 'host-unknown',
    total: rows.length,
    listed: rows
      .slice(0, listedOfRuleMax)
      .map(({ host, files }) => ({
        ...aboutNothing,
        rule: 'host-unknown',
        host,
        said: `the database has ${count(files, 'file')} of ${host}, whose agent never registered`,
      })),
  }
}

function missedHosts(hosts: Awaited<ReturnType<typeof readHosts>>, at: number): RuleDisagreements {
  const missed = hosts.filter(({ seenAt }) => at - seenAt > agentMissedMs)
  return {
    rule: 'host-missed',
    total: missed.length,
    listed: missed
      .slice(0, listedOfRuleMax)
      .map(({ name, seenAt }) => ({
        ...aboutNothing,
        rule: 'host-missed',
        host: name,
        said: `the agent of ${name} last reported at ${new Date(seenAt).toISOString()}`,
        next: 'holdfast fleet agents',
      })),
  }
}

/** A slot of a host whose agent does not report: a coordinator frees it once it has watched it for `fleet.expiry`. */
async function slotsWithoutAgent(database: FleetDatabase): Promise<RuleDisagreements> {
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
        ...aboutNothing,
        rule: 'slot-without-agent',
        host: holder,
        said: `${holder} has a slot of ${scopes.join(', ')}, and its agent does not report`,
        next: 'holdfast coordinator',
      })),
  }
}

/** What ended runs have less than they should, and whether their counts are those of the log. */
async function resultsOfRuns(database: FleetDatabase): Promise<readonly RuleDisagreements[]> {
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
          ...aboutNothing,
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
async function countsOfNewest(database: FleetDatabase, run: string | null): Promise<RuleDisagreements> {
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
        ...aboutNothing,
        rule: 'counts-differ',
        host,
        said: `${host}: ${counted} results of the run ${run} are counted, and ${logged} are in the log`,
        next: 'holdfast fleet reconcile --resend',
      })),
  }
}

async function neverChecked(database: FleetDatabase): Promise<RuleDisagreements> {
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
        ...aboutNothing,
        rule: 'never-checked',
        host,
        said: `${count(files, 'file')} of ${host}: never checked, also not by the last sweep`,
        next: 'holdfast fleet sweep',
      })),
  }
}
