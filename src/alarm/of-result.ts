/** What one result means for alarms. Pure. */

import type { Result } from '../model/result/report.ts'
import { signOfHarm } from '../report/text/next-command.ts'
import { isPaused } from '../report/text/result-words.ts'
import type { StandingSeverity, TenantKey } from './condition.ts'

/** Null for a sound result. */
export function severityOf(result: Pick<Result, 'verdict' | 'failure'>): StandingSeverity | null {
  const { verdict } = result
  if (isPaused(result)) return 'PAUSED'
  if (signOfHarm(result) !== null) return 'HARM SUSPECTED'
  if (verdict === 'sound') return null
  return verdict === 'damaged' ? 'DAMAGED' : 'INCONCLUSIVE'
}

/** True if the hold came to its end: the tenant was seen serving after it. */
export const isSeenServing = ({ failure }: Pick<Result, 'failure'>): boolean =>
  failure === undefined || failure.tenantState === 'active'

/** True for a sample that was read to its end and in which nothing was found. It is never sound. */
export const isQuietSample = ({ sample, verdict, failure }: Result): boolean =>
  sample !== undefined && verdict === 'inconclusive' && failure === undefined

/** A tenant that stands still does so with all of its files. */
export const keyOf = (severity: StandingSeverity, { tenant, path, damage }: Result): TenantKey =>
  severity === 'PAUSED' ? { tenant, path: '', damage: 'none' } : { tenant, path, damage }

/** Several files of one tenant are one name; beyond the remembered files each counts. */
export const countNames = (keys: readonly TenantKey[], total: number): number =>
  new Set(keys.map(({ tenant, path }) => tenant ?? path)).size + (total - keys.length)
