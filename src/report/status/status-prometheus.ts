/** What the ledger knows, as Prometheus metrics. */

import { ageOf } from '../../model/age.ts'
import { label, metric } from './metrics.ts'
import { harmIn, lastVerdictOf, type StatusJudgement } from './status-judgement.ts'
import type { StatusView } from './status-view.ts'

export function renderPrometheus(
  view: StatusView,
  { counts, oldestCheckAgeMs, overdueHolds, pinned }: StatusJudgement,
): string {
  const service = `service="${label(view.service)}"`
  const damaged = view.tenants
    .filter((one) => lastVerdictOf(one) === 'damaged')
    .map(({ tenant, path }) => tenant ?? path)
  const { pauses, absences, oldestBackupAt, generatedAt } = view
  const backupAgeMs = oldestBackupAt === null ? null : ageOf(oldestBackupAt, generatedAt)
  const isCached = absences.some(({ kind }) => kind === 'registry-cached' || kind === 'registry-down')
  return [
    ...metric(
      'holdfast_last_full_sweep_timestamp_seconds',
      'gauge',
      'End of the last sweep that covered every tenant; absent if there was none or its time is in the future.',
      view.lastFullSweepAt === null || ageOf(view.lastFullSweepAt, view.generatedAt) === null
        ? []
        : [`{${service}} ${view.lastFullSweepAt / 1000}`],
    ),
    ...metric(
      'holdfast_tenants',
      'gauge',
      'Files by verdict: damaged until a full check finds them sound, otherwise by their newest check.',
      Object.entries(counts).map(([verdict, total]) => `{${service},verdict="${verdict}"} ${total}`),
    ),
    ...metric(
      'holdfast_tenant_damaged',
      'gauge',
      'One for each damaged tenant; absent for others.',
      [...new Set(damaged)].map((tenant) => `{${service},tenant="${label(tenant)}"} 1`),
    ),
    ...metric(
      'holdfast_tenants_pinned',
      'gauge',
      'Files whose verdict rests on a pinned snapshot: a writer outside of the locks of SQLite was not excluded.',
      [`{${service}} ${pinned}`],
    ),
    ...metric(
      'holdfast_harm_suspected',
      'gauge',
      'Whether a run suspected harm by holdfast or by locks that do not hold, until a full sweep finds all sound.',
      [`{${service}} ${harmIn(view) === null ? 0 : 1}`],
    ),
    ...metric(
      'holdfast_oldest_check_age_seconds',
      'gauge',
      'Age of the oldest of the newest full checks, or checks that found damage; +Inf while a file never had one.',
      view.tenants.length === 0 ? [] : [`{${service}} ${oldestCheckAgeMs === null ? '+Inf' : oldestCheckAgeMs / 1000}`],
    ),
    // Cumulative, because `rate()` and `histogram_quantile()` need it; over all tenants, also if only some were asked
    // about.
    ...metric(
      'holdfast_pause_seconds',
      'histogram',
      'How long tenants were paused, in all holds since the ledger began to count them.',
      [],
    ),
    ...pauses.buckets.map(
      ({ upToMs, count }) => `holdfast_pause_seconds_bucket{${service},le="${upToMs / 1000}"} ${count}`,
    ),
    `holdfast_pause_seconds_bucket{${service},le="+Inf"} ${pauses.count}`,
    `holdfast_pause_seconds_sum{${service}} ${pauses.totalMs / 1000}`,
    `holdfast_pause_seconds_count{${service}} ${pauses.count}`,
    ...metric('holdfast_leases_expired_total', 'counter', 'Leases that ended by themselves while a tenant was held.', [
      `{${service}} ${pauses.leasesExpired}`,
    ]),
    ...metric(
      'holdfast_backup_verified_age_seconds_max',
      'gauge',
      'Age of the oldest of the newest backups, as the last full sweep saw them; absent if none are kept.',
      backupAgeMs === null ? [] : [`{${service}} ${backupAgeMs / 1000}`],
    ),
    ...metric(
      'holdfast_registry_cached',
      'gauge',
      'Whether the last run worked with a copy of the list of tenants.',
      view.selection === null ? [`{${service}} ${isCached ? 1 : 0}`] : [],
    ),
    ...metric(
      'holdfast_absence',
      'gauge',
      'One for each thing that should have happened and did not, with its severity: 1 warning, 2 critical.',
      absences.map(({ kind, code }) => `{${service},kind="${kind}"} ${code}`),
    ),
    ...metric('holdfast_holds_overdue', 'gauge', 'Holds that no run works on and that were never seen to end.', [
      `{${service}} ${overdueHolds}`,
    ]),
    '',
  ].join('\n')
}
