/** The next command to type for a result that is not sound. */
import { shellWord, target } from '../diagnosis/command.ts'
import type { FailureCode } from '../model/failure.ts'
import type { Result } from '../model/report.ts'

/** null where there is nothing to do. */
export function nextCommand(result: Result): string | null {
  if (result.failure?.tenantState === 'maybe-paused') return 'holdfast resume --all'
  if (result.verdict === 'damaged') return bringCopy(result)
  const code = result.failure?.code
  if (code === undefined) return result.remedy.command
  if (asksWhoHasIt.has(code)) return `holdfast holders ${shellWord(result.path.startsWith('-') ? `./${result.path}` : result.path)}`
  if (asksTheService.has(code)) return 'holdfast doctor'
  if (tryAgain.has(code)) return `holdfast check ${target(result.tenant, result.path)}`
  return result.remedy.command ?? `holdfast explain ${code}`
}

/**
 * The command with the configuration that the run was given. Without it the command would ask another service.
 * @param config null where the command finds the configuration by itself
 */
export const withConfiguration = (command: string, config: string | null): string =>
  config === null ? command : command.replace(ofTheService, (words) => `${words} --config ${shellWord(config)}`)

const ofTheService = /^holdfast (?:check(?= --tenant)|doctor|pull|resume|sweep)\b/

/**
 * Before anything is mended there must be a copy to try it on. The remedy's own command comes back here when this version can carry
 * it out: a command that is not there is no next step.
 */
const bringCopy = ({ tenant, path }: Result): string =>
  tenant === null ? `holdfast check ${target(null, path)} --keep-snapshot ./pulled` : `holdfast pull ${tenant.startsWith('-') ? '-- ' : ''}${shellWord(tenant)} ./pulled`

const asksWhoHasIt = new Set<FailureCode>(['IN_USE', 'LOCK_BUSY', 'WRITER_SEEN', 'COPY_CHANGED'])
const asksTheService = new Set<FailureCode>(['ADMIN_UNREACHABLE', 'ADMIN_REFUSED', 'CONTRACT_BROKEN', 'LOCK_NOT_HONOURED', 'REGISTRY_STALE'])
const tryAgain = new Set<FailureCode>(['SERVICE_BUSY', 'QUIESCE_TIMEOUT', 'LEASE_LOST', 'INTERRUPTED', 'GUARDIAN_LOST'])
