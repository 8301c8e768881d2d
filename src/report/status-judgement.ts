/** OK, WARNING, CRITICAL or UNKNOWN: what all that the ledger knows comes to. */
import type { VerdictWord } from '../model/verdict.ts'
import { printable } from './printable.ts'
import type { StatusView, TenantStatus } from './status.ts'
import { count, humanMs } from './units.ts'

export interface StatusJudgement {
  readonly code: 0 | 1 | 2 | 3
  readonly word: 'OK' | 'WARNING' | 'CRITICAL' | 'UNKNOWN'
  /** Gravest first, each beginning with its severity: PAUSED, DAMAGED, STALE, INCONCLUSIVE. */
  readonly reasons: readonly string[]
  /** Files by what stands of them. */
  readonly counts: Readonly<Record<Standing, number>>
  /** Age of the oldest check that settled something, ms; null where a file never had one or there is none. */
  readonly oldestCheckAgeMs: number | null
  readonly overdueHolds: number
}

export type Standing = VerdictWord | 'never'

/** Damage stands until a full check finds the file sound: one that was quick, refused or inconclusive says nothing against it (operations.md, Sweep). */
export const standingOf = ({ verdict, settled }: TenantStatus): Standing => (settled?.verdict === 'damaged' ? 'damaged' : verdict ?? 'never')

/** No check has settled anything about it within `maxAgeMs`: a quick, refused or inconclusive one does not refresh a full one. */
export const isStale = ({ settled }: TenantStatus, { generatedAt, maxAgeMs }: StatusView): boolean => settled === null || generatedAt - settled.at > maxAgeMs

export function judgeStatus(view: StatusView): StatusJudgement {
  const { tenants, generatedAt: now, maxAgeMs, lastFullSweepAt } = view
  const counts = { sound: 0, damaged: 0, inconclusive: 0, failed: 0, never: 0 }
  for (const one of tenants) counts[standingOf(one)] += 1
  const named = (standing: Standing): string => nameSome(tenants.filter((one) => standingOf(one) === standing).map((one) => one.tenant ?? one.path))
  // A hold whose lease still runs is a run at work, not an alarm; one past its end, given up by its run, or left behind by it was never seen to resume.
  const givenUp = new Set(tenants.filter(({ failure }) => failure === 'RESUME_FAILED').map(({ tenant }) => tenant))
  const overdue = view.openHolds.filter(({ endsBy, tenant, runIsGone }) => runIsGone || endsBy < now || givenUp.has(tenant))
  const stale = tenants.filter((one) => isStale(one, view))
  const sweepAge = lastFullSweepAt === null ? null : Math.max(0, now - lastFullSweepAt)
  const oldest = tenants.length === 0 || tenants.some(({ settled }) => settled === null) ? null : tenants.reduce((most, { settled }) => Math.max(most, now - (settled?.at ?? now)), 0)

  const critical = [
    ...(overdue.length > 0 ? [`PAUSED? ${count(overdue.length, 'hold')} never seen to end: ${nameSome(overdue.map(({ tenant }) => tenant))}; ${view.via === 'hooks' ? 'NOTHING ENDS THIS BY ITSELF, run ' : ''}holdfast resume --all`] : []),
    ...(counts.damaged > 0 ? [`DAMAGED ${counts.damaged}: ${named('damaged')}`] : []),
  ]
  const warning = [
    ...(sweepAge === null ? ['STALE no full sweep yet'] : sweepAge > maxAgeMs ? [`STALE last full sweep ${humanMs(sweepAge)} ago`] : []),
    ...(stale.length > 0 ? [`STALE ${count(stale.length, 'tenant')} not fully checked within ${humanMs(maxAgeMs)}: ${nameSome(stale.map((one) => one.tenant ?? one.path))}`] : []),
    ...(counts.inconclusive > 0 ? [`INCONCLUSIVE ${counts.inconclusive}: ${named('inconclusive')}`] : []),
    ...(counts.failed > 0 ? [`INCONCLUSIVE ${counts.failed} failed: ${named('failed')}`] : []),
  ]
  const knowsNothing = counts.never === tenants.length && lastFullSweepAt === null
  const code = critical.length > 0 ? 2 : knowsNothing ? 3 : warning.length > 0 ? 1 : 0
  const word = (['OK', 'WARNING', 'CRITICAL', 'UNKNOWN'] as const)[code]
  return { code, word, reasons: [...critical, ...warning], counts, oldestCheckAgeMs: oldest, overdueHolds: overdue.length }
}

const namedMax = 3
const nameSome = (names: readonly string[]): string =>
  `${names.slice(0, namedMax).map((name) => printable(name)).join(', ')}${names.length > namedMax ? `, … (${names.length - namedMax} more)` : ''}`
