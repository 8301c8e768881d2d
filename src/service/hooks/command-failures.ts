/** The failure that an operator reads when a hook command did not do its work. */
import { systemFailure } from '../../host/failures/system-failure.ts'
import { Failure } from '../../model/failure.ts'
import { maskedCommand, withoutSecrets } from './command-secrets.ts'
import { stdoutBytesMax, type CommandEnd } from './command.ts'
import { absentProgram, obstacleOf } from './program.ts'
import { listHint } from './tenant-list.ts'

/** A command that was run, and how it ended. */
export interface EndedCommand {
  readonly command: readonly string[]
  /** The same with its placeholders; left out if it has none. */
  readonly template?: readonly string[]
  readonly end: CommandEnd
  /** What it was allowed, in ms. */
  readonly timeoutMs: number
}

export const hasSucceeded = (end: CommandEnd): boolean => end.how === 'exit' && end.code === 0

/** @param reason why `signal` was aborted, if it was */
export function listingFailure(ended: EndedCommand, reason: unknown): Failure {
  const text = describeEnd(ended)
  switch (ended.end.how) {
    case 'too-much-output':
      return new Failure('REGISTRY_STALE', text, { hint: listHint })
    case 'aborted':
      return new Failure('INTERRUPTED', text, { cause: reason })
    case 'not-started':
      return startFailure('tenants', ended, ended.end)
    default:
      return new Failure('ADMIN_UNREACHABLE', `service.hooks.tenants: ${text}`, {
        hint: 'run the command by hand and see what it says; is the service running?',
      })
  }
}

export function quiesceFailure(ended: EndedCommand): Failure {
  const text = describeEnd(ended)
  switch (ended.end.how) {
    case 'not-started':
      return startFailure('quiesce', ended, ended.end)
    case 'timeout':
    case 'unkillable':
      return new Failure('QUIESCE_TIMEOUT', text, {
        tenant: 'maybe-paused',
        hint: 'find out why the quiesce command takes so long, or raise service.hooks.timeout',
      })
    case 'aborted':
      return new Failure('INTERRUPTED', text, { tenant: 'maybe-paused' })
    case 'exit':
    case 'signal':
    case 'too-much-output':
      // Part of the work may be done, and no lease will end it.
      return new Failure('ADMIN_REFUSED', text, {
        tenant: 'maybe-paused',
        hint: 'the quiesce command failed, perhaps half-way; see what it says, and mend it',
      })
  }
}

/** A command that had its whole time must not be run again. */
export const resumeFailure = (ended: EndedCommand): Failure =>
  new Failure(
    'RESUME_FAILED',
    describeEnd(ended),
    ended.end.how === 'timeout' || ended.end.how === 'unkillable' ? { retry: false } : {},
  )

/** The service was not asked. The hint depends on what the system answered. */
function startFailure(
  hook: 'tenants' | 'quiesce',
  ended: EndedCommand,
  end: Extract<CommandEnd, { readonly how: 'not-started' }>,
): Failure {
  const [program = ''] = ended.command
  const { hint, concerns, cause } = systemFailure(end.error, { doing: 'start', path: program })
  const seen = obstacleOf(program)
  const more = seen === null || seen === absentProgram ? '' : `: ${seen.why}`
  const told = seen?.isNamed ? seen.why : `${describeEnd(ended)}${more}`
  return new Failure('ADMIN_UNREACHABLE', `service.hooks.${hook}: ${told}`, {
    hint: seen?.hint ?? hint,
    concerns,
    cause,
  })
}

/**
 * For a pause that nothing could end: only the resume command ends one.
 * @throws {Failure} ADMIN_UNREACHABLE, as for a quiesce command that could not be started
 */
export function requireResumable(command: readonly string[], template: readonly string[]): void {
  const seen = obstacleOf(command[0] ?? '')
  if (seen === null) return
  const told = seen.isNamed ? seen.why : `${maskedCommand(command, template)} could not be started: ${seen.why}`
  throw new Failure('ADMIN_UNREACHABLE', `service.hooks.resume: ${told}. So no tenant is paused`, { hint: seen.hint })
}

/** Arguments are not shown: they may be secrets. @param limit which setting or constant gives the time */
export function describeEnd(
  { command, template = command, end, timeoutMs }: EndedCommand,
  limit = 'service.hooks.timeout',
): string {
  const late = `it did not end within ${timeoutMs} ms (${limit})`
  const how: Record<CommandEnd['how'], string> = {
    exit: `exit code ${end.code}`,
    signal: 'it was killed',
    aborted: 'interrupted',
    'not-started': 'it could not be started',
    timeout: `${late} and was killed`,
    unkillable: `${late} and could not be killed; it may still run`,
    'too-much-output': `it printed without end and was killed (more than ${stdoutBytesMax} bytes)`,
  }
  const complaint = withoutSecrets(end.complaint, command, template)
  return `${maskedCommand(command, template)}: ${how[end.how]}${complaint === '' ? '' : ` (${complaint})`}`
}
