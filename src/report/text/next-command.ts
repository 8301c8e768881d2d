/** The next command to type for a result that is not sound. */

import { failureKinds } from '../../model/failure.ts'
import type { Report, Result } from '../../model/result/report.ts'
import { shellWord, target } from '../../text/shell-words.ts'
import { withConfiguration } from './hint.ts'

/** The command that was just run: it is never its own next step. */
export interface LastCommand {
  readonly mode: Report['run']['mode'] | 'compare'
  /** True if a private copy of what was checked exists already. */
  readonly copied: boolean
}

/**
 * The next command for a result; null if there is nothing to do.
 * @param config the configuration that the command line named, else null
 */
export function nextCommand(result: Result, ran: LastCommand, config: string | null): string | null {
  const command = commandFor(result, ran)
  return command === null ? null : withConfiguration(command, config)
}

function commandFor(result: Result, { mode, copied }: LastCommand): string | null {
  if (result.failure?.tenantState === 'maybe-paused') return 'holdfast resume --all'
  if (result.verdict === 'damaged') {
    // One side of a comparison may be the copy that was made before.
    return copied || mode === 'pull' || (mode === 'compare' && result.tenant === null)
      ? `holdfast explain ${result.findings[0]?.rule ?? result.damage}`
      : bringCopy(result)
  }
  const code = result.failure?.code
  if (code === undefined) return result.remedy.command
  const { next } = failureKinds[code]
  if (next === 'holders') return `holdfast holders ${target(null, result.path)}`
  if (next === 'doctor') return 'holdfast doctor'
  if (next === 'check' && mode !== 'check') return `holdfast check ${target(result.tenant, result.path)}`
  return `holdfast explain ${code}`
}

/**
 * The command that makes a copy, because a remedy must be tried on a copy first. The command of the remedy itself does
 * not exist in this version.
 */
function bringCopy({ tenant, path }: Result): string {
  if (tenant === null) return `holdfast check ${target(null, path)} --keep-snapshot ./pulled`
  return `holdfast pull ${tenant.startsWith('-') ? '-- ' : ''}${shellWord(tenant)} ./pulled`
}
