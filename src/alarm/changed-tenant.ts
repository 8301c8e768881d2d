/**
 * Whether a change of live data is an alarm: it left the tenant damaged, unwell, paused or unproven, or it was taken
 * back. Pure.
 */

import type { RemedyResult } from '../model/result/remedy.ts'
import { printableInUtf8 } from '../text/printable.ts'
import { targetWords } from '../text/shell-words.ts'
import type { AlarmTenant } from './alarm.ts'
import type { StandingSeverity, TenantKey } from './condition.ts'
import { sentence } from './words.ts'

interface UnwellChange {
  readonly severity: StandingSeverity
  /** True if the change was undone, so that the file is as it was before. */
  readonly isTakenBack: boolean
  readonly named: AlarmTenant
  readonly key: TenantKey
  /** One sentence. */
  readonly said: string
  /** The command to type, without the configuration. */
  readonly command: string
}

/** `unchanged`: nothing was changed. `well`: the fresh snapshot was sound, and the tenant is well. */
export function judgeChange(result: RemedyResult): 'unchanged' | 'well' | UnwellChange {
  const { tenant, path, applied, takenBack, failure, before, plan } = result
  const maybePaused = failure?.tenantState === 'maybe-paused'
  if (applied === null && takenBack === undefined && !maybePaused) return 'unchanged'
  const isUnwell = applied?.healthy === false
  if (applied?.verdict === 'sound' && !isUnwell && failure === null) return 'well'
  const [severity, how]: readonly [StandingSeverity, string] = maybePaused
    ? ['PAUSED', 'was not seen serving after its change']
    : applied?.verdict === 'damaged' || takenBack?.verdict === 'damaged'
      ? ['HARM SUSPECTED', 'is damaged after its change']
      : takenBack !== undefined
        ? [before.verdict === 'damaged' ? 'DAMAGED' : 'INCONCLUSIVE', 'has its original back']
        : isUnwell
          ? ['HARM SUSPECTED', 'is unwell after its change']
          : ['INCONCLUSIVE', 'was changed, and the result is not proven']
  const damage = applied?.verdict === 'sound' ? 'none' : before.damage
  const named: AlarmTenant = {
    tenant: tenant === null ? null : printableInUtf8(tenant),
    path: printableInUtf8(path),
    verdict: applied?.verdict ?? before.verdict,
    damage,
    remedy: null,
  }
  const isTakenBack = takenBack !== undefined && (severity === 'DAMAGED' || severity === 'INCONCLUSIVE')
  const why = failure === null ? '' : `: ${isTakenBack ? '' : `${failure.code}: `}${sentence(failure.message)}`
  return {
    severity,
    isTakenBack,
    named,
    // A tenant that stands still does so with all of its files.
    key: maybePaused ? { tenant, path: '', damage: 'none' } : { tenant, path, damage },
    said: `${named.tenant ?? named.path} ${how}${why}.`,
    command: maybePaused
      ? 'holdfast resume --all'
      : takenBack !== undefined && severity !== 'HARM SUSPECTED'
        ? `holdfast check ${targetWords(tenant, path)}`
        : severity === 'HARM SUSPECTED'
          ? 'holdfast explain HARM_SUSPECTED'
          : (plan.undo ?? 'holdfast history'),
  }
}
