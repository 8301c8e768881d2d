/** What the database of a fleet knows, as Prometheus metrics. Names of single machines have `holdfast_` alone. */

import { agentMissedMs } from '../../../fleet/status/fleet-facts.ts'
import { ageOf } from '../../../model/age.ts'
import { label, metric } from '../../status/metrics.ts'
import type { FleetJudgement } from './fleet-judgement.ts'
import { lastFullSweep, runsUnderWay, type FleetView } from './fleet-view.ts'

export function renderFleetPrometheus(view: FleetView, judgement: FleetJudgement): string {
  const { missed, stuck, paused, isHarmSuspected } = judgement
  const { hosts, shares, files, slots, breakers, coordinators, at } = view
  const last = lastFullSweep(view)
  const [run] = runsUnderWay(view)
  const ofHost = (host: string): string => `host="${label(host)}"`
  const bool = (holds: boolean): number => (holds ? 1 : 0)
  const damaged = new Set(
    files
      .filter(({ verdict }) => verdict === 'damaged')
      .map(({ host, service, tenant }) => `{${ofHost(host)},service="${label(service)}",tenant="${label(tenant)}"} 1`),
  )
  const scopes = Map.groupBy(slots, ({ scope }) => scope)
  return [
    ...metric(
      'holdfast_fleet_last_full_sweep_timestamp_seconds',
      'gauge',
      'End of the last sweep over every tenant of the fleet; absent if there was none.',
      last?.endedAt == null || ageOf(last.endedAt, at) === null ? [] : [` ${last.endedAt / 1000}`],
    ),
    ...metric(
      'holdfast_fleet_tenants',
      'gauge',
      'Files by host, service and verdict: damaged until a full check finds them sound.',
      shares.flatMap(({ host, service, counts }) =>
        Object.entries(counts).map(
          ([verdict, total]) => `{${ofHost(host)},service="${label(service)}",verdict="${verdict}"} ${total}`,
        ),
      ),
    ),
    ...metric(
      'holdfast_fleet_tenants_stale',
      'gauge',
      'Files that no check found sound within the wanted age.',
      shares.map(({ host, service, stale }) => `{${ofHost(host)},service="${label(service)}"} ${stale}`),
    ),
    ...metric('holdfast_fleet_tenant_damaged', 'gauge', 'One for each damaged tenant; absent for others.', [
      ...damaged,
    ]),
    ...metric(
      'holdfast_fleet_harm_suspected',
      'gauge',
      'Whether a check or a coordinator suspected harm by holdfast or by locks that do not hold, while it stands.',
      [` ${bool(isHarmSuspected)}`],
    ),
    ...metric(
      'holdfast_fleet_oldest_check_age_seconds',
      'gauge',
      'Age of the oldest of the newest sound checks; +Inf while a file never had one.',
      shares.map(({ host, service, oldestSoundAt }) => {
        const age = oldestSoundAt === null ? null : ageOf(oldestSoundAt, at)
        return `{${ofHost(host)},service="${label(service)}"} ${age === null ? '+Inf' : age / 1000}`
      }),
    ),
    ...metric(
      'holdfast_fleet_agent_up',
      'gauge',
      'Whether the agent of the host reported within five minutes.',
      hosts.map((host) => `{${ofHost(host.name)}} ${bool(!missed.includes(host))}`),
    ),
    ...metric(
      'holdfast_fleet_agent_seen_timestamp_seconds',
      'gauge',
      'When the agent of the host last reported, by the clock of the database.',
      hosts.map(({ name, seenAt }) => `{${ofHost(name)}} ${seenAt / 1000}`),
    ),
    ...metric(
      'holdfast_fleet_outbox_results',
      'gauge',
      'Results that the agent of the host has, and that are not in the database yet.',
      hosts.map(({ name, outboxRows }) => `{${ofHost(name)}} ${outboxRows}`),
    ),
    ...metric(
      'holdfast_fleet_clock_skew_seconds',
      'gauge',
      'How far the clock of the host is ahead of the clock of the database.',
      hosts.map(({ name, clockSkewMs }) => `{${ofHost(name)}} ${clockSkewMs / 1000}`),
    ),
    ...metric(
      'holdfast_fleet_pause_slots',
      'gauge',
      'Most tenants of the scope that may be paused at the same time.',
      [...scopes].map(([scope, all]) => `{scope="${label(scope)}"} ${all.length}`),
    ),
    ...metric(
      'holdfast_fleet_pause_slots_taken',
      'gauge',
      'Slots of the scope that an agent has taken.',
      [...scopes].map(
        ([scope, all]) => `{scope="${label(scope)}"} ${all.filter(({ holder }) => holder !== null).length}`,
      ),
    ),
    ...metric('holdfast_fleet_coordinators', 'gauge', 'Coordinators that were seen within five minutes.', [
      ` ${coordinators.filter(({ seenAt }) => (ageOf(seenAt, at) ?? 0) <= agentMissedMs).length}`,
    ]),
    ...metric('holdfast_fleet_pause_slots_stuck', 'gauge', 'Slots that no coordinator frees although it should.', [
      ` ${stuck.length}`,
    ]),
    ...metric('holdfast_fleet_holds_overdue', 'gauge', 'Holds that were never seen to end.', [` ${paused.length}`]),
    ...metric(
      'holdfast_fleet_breaker_open',
      'gauge',
      'One for each scope in which nothing may be paused; absent for others.',
      breakers.map(({ scope }) => `{scope="${label(scope)}"} 1`),
    ),
    ...metric(
      'holdfast_fleet_run_results',
      'gauge',
      'Results of the run that is under way; absent if none is.',
      run === undefined ? [] : [`{kind="${label(run.kind)}"} ${run.done}`],
    ),
    ...metric(
      'holdfast_fleet_run_files',
      'gauge',
      'Files that the run under way is to examine; absent if none is.',
      run === undefined ? [] : [`{kind="${label(run.kind)}"} ${run.total}`],
    ),
    '',
  ].join('\n')
}
