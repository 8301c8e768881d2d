/** The next command to type for a result that is not sound. */

import { failureKinds, signsOfHarm } from '../../model/failure.ts'
import type { Report, Result } from '../../model/result/report.ts'
import { targetWords } from '../../text/shell-words.ts'
import { isUsedByPrograms } from '../describe-pinned.ts'
import { withConfiguration } from './hint.ts'

/** The command that was just run: it is never its own next step. */
export interface LastCommand {
  readonly mode: Report['run']['mode'] | 'compare'
  /** True if what was checked is a private copy. */
  readonly copied: boolean
  /** True if files were to be checked while programs use them. */
  readonly live?: boolean
}

/**
 * The next command for a result; null if there is nothing to do. If harm is suspected, it changes nothing and checks
 * nothing, because each further pause may do further harm (I1.8).
 * @param config the configuration that the command line named, else null
 */
export function nextCommand(result: Result, ran: LastCommand, config: string | null): string | null {
  const command = commandFor(result, ran)
  return command === null ? null : withConfiguration(command, config)
}

/**
 * Mends the file of a tenant while its service is stopped: a service in a crash loop may not stay up long enough. Null
 * if only a backup helps, for a bare file, and if harm is suspected.
 */
export function commandWhileStopped(result: Result, config: string | null): string | null {
  const { tenant, path, verdict, remedy } = result
  if (signOfHarm(result) !== null) return null
  const mends = remedy.command?.startsWith('holdfast repair ') ?? false
  if (tenant === null || verdict !== 'damaged' || !mends) return null
  return withConfiguration(`holdfast repair ${targetWords(null, path)} --apply`, config)
}

/** True for a command that changes no data, pauses no tenant and checks nothing: also good where harm is suspected. */
export const isHarmless = (command: string): boolean =>
  /^holdfast (?:explain|status|history|holders|bundle|report|resume)(?: |$)/.test(command)

/** The code of a failure that is a sign of harm; null without one. */
export const signOfHarm = ({ failure }: Pick<Result, 'failure'>): string | null =>
  failure !== undefined && signsOfHarm.has(failure.code) ? failure.code : null

function commandFor(result: Result, ran: LastCommand): string | null {
  const { mode, copied } = ran
  if (result.failure?.tenantState === 'maybe-paused') return 'holdfast resume --all'
  const sign = signOfHarm(result)
  if (sign !== null) return sign === 'LOCK_NOT_HONOURED' ? 'holdfast doctor' : `holdfast explain ${sign}`
  if (result.verdict === 'damaged') {
    const { do: todo, command } = result.remedy
    // Only a rule of the application is violated: there is nothing to salvage.
    if (result.damage === 'none') return command
    // The copy that was pulled has another path, which holdfast has printed.
    if (mode === 'pull' && todo === 'ask') return 'holdfast salvage --help'
    // The program goes on, and `salvage` would wait for it: a copy comes first.
    if (result.tenant === null && todo === 'ask' && isUsedByPrograms(result))
      return copied
        ? 'holdfast salvage --help'
        : `holdfast check --live ${targetWords(null, result.path)} --keep-snapshot ./kept`
    if (copied && todo !== 'nothing') return ofCopy(result)
    return command ?? `holdfast explain ${result.findings[0]?.rule ?? result.damage}`
  }
  const code = result.failure?.code
  if (code === undefined) return result.remedy.command
  const { next } = failureKinds[code]
  if (next === 'holders' && canGoLive(result, ran)) return `holdfast check --live ${targetWords(null, result.path)}`
  if (next === 'holders') return `holdfast holders ${targetWords(null, result.path)}`
  if (next === 'doctor') return 'holdfast doctor'
  if (next === 'check' && mode !== 'check') return `holdfast check ${targetWords(result.tenant, result.path)}`
  return `holdfast explain ${code}`
}

/** The hint names `holders`, too. */
const canGoLive = ({ tenant, failure }: Result, { mode, copied, live = false }: LastCommand): boolean =>
  tenant === null &&
  mode === 'check' &&
  !copied &&
  !live &&
  (failure?.code === 'IN_USE' || failure?.code === 'LOCK_BUSY')

/** A copy may lie on a machine without the service, so its remedy names the file. */
function ofCopy({ path, remedy }: Result): string {
  return remedy.do === 'rebuild'
    ? `holdfast repair ${targetWords(null, path)}`
    : `holdfast salvage ${targetWords(null, path)} --to ${targetWords(null, `${path}.salvaged`)}`
}
