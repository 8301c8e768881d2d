/** Weighs what was found in a snapshot against what its hold could not prove. Pure. */

import { nothingToMend } from '../diagnosis/remedy.ts'
import type { Failure } from '../model/failure.ts'
import type { Evidence, Holder } from '../model/result/evidence.ts'
import type { Result } from '../model/result/report.ts'
import { targetWords } from '../text/shell-words.ts'
import type { EarlierChecks } from './earlier-checks.ts'

/** Below the level `sealed`, damage counts only if no other program could write while the copy was made. */
export function weighPossibleWriters(result: Result): Result {
  const writers = result.verdict === 'damaged' ? possibleWriters(result.evidence) : null
  return writers === null
    ? result
    : asInconclusive(
        result,
        `damage was found, but ${writers} during the copy (level ` +
          `${result.evidence.level}): it may be an unfinished write`,
        `holdfast holders ${targetWords(null, result.path)}`,
      )
}

/**
 * A pause that the service did not confirm makes no result sound. Damage stays damage: the kernel's leases stood, so no
 * program could write, and the copied bytes are those on the disk.
 * @param unconfirmed why the service did not confirm the pause
 */
export function withUnconfirmed(result: Result, { code, message, hint, tenantState }: Failure): Result {
  const failure = { code, message, hint, tenantState }
  switch (result.verdict) {
    case 'sound':
      return {
        ...asInconclusive(
          result,
          'nothing was found in the snapshot, and no other program had the file ' +
            `during the copy; but the pause is not proven: ${message}`,
          `holdfast explain ${code}`,
        ),
        failure,
      }
    case 'inconclusive':
      return {
        ...result,
        failure,
        reason: `${result.reason ?? 'nothing was concluded'}; the pause is not proven either: ${message}`,
      }
    case 'damaged':
      return { ...result, failure }
    case 'failed': // The reason why nothing was read is graver than the pause, unless the tenant may still be paused.
      return tenantState === 'maybe-paused' ? { ...result, failure } : result
  }
}

/** A check that is not full finds some damage, and clears none. @param known null if no damage stands */
export function withStandingDamage(result: Result, known: EarlierChecks['standingDamage']): Result {
  if (known === null || known.damage === 'none' || result.verdict !== 'sound' || result.depth === 'full') return result
  return asInconclusive(
    result,
    `sound so far: a ${result.depth} check has found nothing; but the file is known to be damaged (${known.damage}, ` +
      `found ${new Date(known.at).toISOString()}), and only a full check can clear that`,
    `holdfast check ${targetWords(result.tenant, result.path)}`,
  )
}

/**
 * A copy that was pinned cannot be pinned again: only a second snapshot of the live file confirms its damage.
 * @param original the live file
 */
export const withoutSecondSnapshot = (result: Result, original: string): Result =>
  result.evidence.level === 'pinned' && result.verdict === 'damaged' && result.damage !== 'none'
    ? asInconclusive(
        result,
        'damage was found in a copy that was made beside its program (level pinned): a second snapshot of the live ' +
          'file must show it too',
        `holdfast check ${result.tenant === null ? '--live ' : ''}${targetWords(result.tenant, original)}`,
      )
    : result

/** Findings stay in the report. The remedy waits until another check finds them again. */
export function asInconclusive(result: Result, reason: string, next: string): Result {
  return { ...result, verdict: 'inconclusive', damage: 'none', reason, causes: [], remedy: nothingToMend(reason, next) }
}

/** Says which programs could write the file during the copy; null if none could. */
function possibleWriters({ level, lease, holders, unseen }: Evidence): string | null {
  // `none`: the user says that no program writes this copy. `pinned`: a second snapshot decides (confirm/).
  if (level === 'sealed' || level === 'none' || level === 'pinned') return null
  const writers = holders.filter(mayWrite)
  if (writers.length > 0) {
    const names = writers
      .slice(0, namedMax)
      .map(({ pid, command, modes }) => `${command} (pid ${pid}, ${modes.join('+')})`)
    return (
      `${names.join(', ')}${writers.length > namedMax ? ` and ${writers.length - namedMax} more` : ''} ` +
      'could write the file'
    )
  }
  if (lease?.state === 'refused' && holders.length === 0) return 'a process outside our view had the file open'
  return unseen.length > 0 ? `other programs may have had the file open (not checked: ${unseen.join('; ')})` : null
}

/** A sentence names at most so many programs. */
const namedMax = 3

/**
 * A mapping may be shared and writable. Of a holder that shows only a lock, it is not known how it has the file open.
 */
const mayWrite = ({ modes }: Holder): boolean =>
  modes.includes('write') || modes.includes('mapped') || !modes.includes('read')
