/** What the ledger knows, made up for the tests of status: files, holds, and how they are printed. */

import type { RecordedRun } from '../../src/ledger/ledger.ts'
import { noPauses } from '../../src/ledger/process/later-tables/pause-totals.ts'
import { tenantId } from '../../src/model/brand.ts'
import type { OtherHold } from '../../src/model/service-way.ts'
import { absencesIn, type AbsenceTerms, type SweepFacts } from '../../src/report/status/absences.ts'
import type {
  DecisiveCheck,
  StandingHold,
  StatusFormat,
  StatusView,
  TenantSummary,
} from '../../src/report/status/status-view.ts'
import { renderStatus } from '../../src/report/status/status.ts'
import type { RenderedStatus } from '../../src/report/status/status.ts'

export const hour = 3_600_000
export const now = 1_790_000_000_000
/** A file as the ledger has it after one check; `settled` may be an earlier check. */
export const tenant = (id: string, more: Partial<TenantSummary> = {}): TenantSummary => {
  const newest = {
    verdict: 'sound',
    damage: 'none',
    level: 'sealed',
    depth: 'full',
    checkedAt: now - hour,
    failure: null,
    pauseMs: 9,
    ...more,
  } as const
  const { verdict, checkedAt, ...check } = newest
  const settles = verdict === 'damaged' || (verdict === 'sound' && newest.depth === 'full')
  return {
    tenant: id,
    path: `/srv/${id}.db`,
    settled: settles && checkedAt !== null ? { ...check, at: checkedAt, verdict } : null,
    ...newest,
  }
}
export const wasDamaged: DecisiveCheck = {
  at: now - 2 * hour,
  verdict: 'damaged',
  damage: 'index',
  level: 'sealed',
  depth: 'full',
  pauseMs: 7,
}
export const wasSound: DecisiveCheck = { ...wasDamaged, verdict: 'sound', damage: 'none' }
/** A run as the ledger has it: by default a sweep that covered all of its ten files an hour ago. */
export const recordedRun = (run: string, more: Partial<RecordedRun> = {}): RecordedRun => ({
  run,
  mode: 'sweep',
  version: '0.1.0',
  startedAt: now - hour,
  incident: null,
  finished: fullEnd(now - hour),
  ...more,
})
export const fullEnd = (at: number): NonNullable<RecordedRun['finished']> => ({
  at,
  exitCode: 0,
  selected: 10,
  covered: 10,
  whole: true,
  backups: null,
  notDue: 0,
})
export const facts = (runs: readonly RecordedRun[], more: Partial<SweepFacts> = {}): SweepFacts => ({
  runs,
  fleet: null,
  lastSweep: null,
  gone: new Set(),
  atWork: null,
  newestLineAt: now,
  registry: null,
  ...more,
})
export const absenceTerms: AbsenceTerms = {
  now,
  maxAgeMs: 26 * hour,
  budgetMs: null,
  quietMsMax: hour,
  backupMaxAgeMs: 7 * 24 * hour,
}
/** The only run was a full sweep, or no sweep at all. */
const absencesFor = (lastFullSweepAt: number | null): StatusView['absences'] =>
  absencesIn(
    facts([
      lastFullSweepAt === null
        ? recordedRun('1', { mode: 'check', finished: { ...fullEnd(now), whole: false } })
        : recordedRun('1', { startedAt: lastFullSweepAt, finished: fullEnd(lastFullSweepAt) }),
    ]),
    absenceTerms,
  )

export const view = (tenants: readonly TenantSummary[], more: Partial<StatusView> = {}): StatusView => ({
  absences: more.selection ? [] : absencesFor(more.lastFullSweepAt === undefined ? now - hour : more.lastFullSweepAt),
  service: 'notes',
  selection: null,
  oldestBackupAt: null,
  pauses: noPauses,
  via: 'admin-api',
  tenants,
  openHolds: [],
  otherHolds: [],
  config: '/etc/holdfast/holdfast.yaml',
  configNamed: null,
  ledgerLost: false,
  lastFullSweepAt: now - hour,
  harm: null,
  incident: null,
  generatedAt: now,
  maxAgeMs: 26 * hour,
  ...more,
})
export function render(
  given: StatusView,
  format: StatusFormat,
): { readonly code: RenderedStatus['code']; readonly text: string } {
  const { code, text } = renderStatus(given, { format, width: 80, cuts: true, color: false, verbose: false })
  return { code, text: [...text].join('') }
}
export const standingHold = (leftBehind: boolean): StandingHold => ({
  holder: 'h',
  run: 'r',
  tenant: tenantId('stuck'),
  askedAt: now - hour,
  endsBy: now,
  leaseId: 'l',
  fence: 1,
  leftBehind,
})

export const other = (whose: OtherHold['whose']): OtherHold => ({
  holder: 'h',
  run: 'r',
  tenant: tenantId('stuck'),
  askedAt: now - hour,
  endsBy: now,
  leaseId: null,
  fence: null,
  whose,
  service: 'mail',
  via: 'hooks',
  address: '["ctl"]',
  config: '/old.yaml',
})
