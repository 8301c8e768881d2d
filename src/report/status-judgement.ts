/** OK, WARNING, CRITICAL or UNKNOWN: what all that the ledger knows comes to. */
import type { VerdictWord } from '../model/verdict.ts'
import { printable } from './printable.ts'
import type { StatusView } from './status.ts'
import { count, humanMs } from './units.ts'

export interface StatusJudgement {
  readonly code: 0 | 1 | 2 | 3
  readonly word: 'OK' | 'WARNING' | 'CRITICAL' | 'UNKNOWN'
  /** Gravest first, each beginning with its severity: PAUSED, DAMAGED, STALE, INCONCLUSIVE. */
  readonly reasons: readonly string[]
  readonly counts: Readonly<Record<VerdictWord | 'never', number>>
  /** Age of the oldest newest check, ms; null where a tenant was never checked or there is none. */
  readonly oldestCheckAgeMs: number | null
  readonly overdueHolds: number
}

export function judgeStatus(view: StatusView): StatusJudgement {
  const { tenants, generatedAt: now, maxAgeMs, lastFullSweepAt } = view
  const counts = { sound: 0, damaged: 0, inconclusive: 0, failed: 0, never: 0 }
  for (const { verdict } of tenants) counts[verdict ?? 'never'] += 1
  const named = (verdict: VerdictWord): string => nameSome(tenants.filter((one) => one.verdict === verdict).map((one) => one.tenant ?? one.path))
  // A hold whose lease still runs is a run at work, not an alarm; one past its end, or given up by its run, was never seen to resume.
  const givenUp = new Set(tenants.filter(({ failure }) => failure === 'RESUME_FAILED').map(({ tenant }) => tenant))
  const overdue = view.openHolds.filter(({ endsBy, tenant }) => endsBy < now || givenUp.has(tenant))
  const stale = tenants.filter(({ checkedAt }) => checkedAt === null || now - checkedAt > maxAgeMs)
  const sweepAge = lastFullSweepAt === null ? null : Math.max(0, now - lastFullSweepAt)
  const oldest = tenants.length === 0 || counts.never > 0 ? null : tenants.reduce((most, { checkedAt }) => Math.max(most, now - (checkedAt ?? now)), 0)

  const critical = [
    ...(overdue.length > 0 ? [`PAUSED? ${count(overdue.length, 'hold')} never seen to end: ${nameSome(overdue.map(({ tenant }) => tenant))}; holdfast resume --all`] : []),
    ...(counts.damaged > 0 ? [`DAMAGED ${counts.damaged}: ${named('damaged')}`] : []),
  ]
  const warning = [
    ...(sweepAge === null ? ['STALE no full sweep yet'] : sweepAge > maxAgeMs ? [`STALE last full sweep ${humanMs(sweepAge)} ago`] : []),
    ...(stale.length > 0 ? [`STALE ${count(stale.length, 'tenant')} not checked within ${humanMs(maxAgeMs)}: ${nameSome(stale.map((one) => one.tenant ?? one.path))}`] : []),
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
