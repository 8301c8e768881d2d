import { nothingToMend } from '../diagnosis/remedy.ts'
import type { Failure } from '../model/failure.ts'
import type { Evidence, Holder } from '../model/result/evidence.ts'
import type { Result } from '../model/result/report.ts'
/** What a hold could not prove, weighed against what was found in its snapshot. Pure. */
import { target } from '../text/shell-words.ts'

/** Damage below the level `sealed` counts only where nobody could write while the copy was made. */
export function requireStillness(result: Result): Result {
  const writers = result.verdict === 'damaged' ? whoCouldWrite(result.evidence) : null
  return writers === null
    ? result
    : unsettled(
        result,
        `damage was found, but ${writers} during the copy (level ` +
          `${result.evidence.level}): it may be an unfinished write`,
        `holdfast holders ${target(null, result.path)}`,
      )
}

/**
 * What the service did not confirm makes nothing sound. It takes nothing from damage: the kernel's leases stood, and
 * bytes that nobody could write are those on the disk.
 * @param unproven why the service did not confirm the pause
 */
export function withUnproven(result: Result, { code, message, hint, tenantState }: Failure): Result {
  const failure = { code, message, hint, tenantState }
  switch (result.verdict) {
    case 'sound':
      return {
        ...unsettled(
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
    case 'failed': // Why nothing could be read is graver than the pause, unless the tenant may still stand in it.
      return tenantState === 'maybe-paused' ? { ...result, failure } : result
  }
}

/** Findings stay, for a person to read; what would mend them waits until they are seen again. */
function unsettled(result: Result, reason: string, next: string): Result {
  return { ...result, verdict: 'inconclusive', damage: 'none', reason, causes: [], remedy: nothingToMend(reason, next) }
}

/** In words; null where nobody could. */
function whoCouldWrite({ level, lease, holders, unseen }: Evidence): string | null {
  if (level === 'sealed' || level === 'none') return null // A private copy was vouched for by who named it.
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
  return unseen.length > 0 ? `other programs may have had the file open (not looked at: ${unseen.join('; ')})` : null
}

const namedMax = 3

/** A mapping may be shared and writable; of somebody of whom only a lock is seen nobody knows what else is open. */
const mayWrite = ({ modes }: Holder): boolean =>
  modes.includes('write') || modes.includes('mapped') || !modes.includes('read')
