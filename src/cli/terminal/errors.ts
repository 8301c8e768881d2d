/** Failures and bugs on stderr, for a person: what was tried, and what to do next. */
import { unforeseenFailure } from '../../host/failures/system-failure.ts'
import { exitCodes, type ExitCode } from '../../model/exit-code.ts'
import { Failure } from '../../model/failure.ts'
import { exitCodeOfFailure } from '../../model/failures/exit-of-failure.ts'
import type { Result, RunFailure } from '../../model/result/report.ts'
import { withSuppressed } from '../../model/suppressed-errors.ts'
import { hintFor, type CommandLine } from '../../report/text/hint.ts'
import { printableSentence } from '../../text/printable.ts'
import type { Terminal } from './terminal.ts'

export type ErrorOutput = Pick<Terminal, 'say' | 'version' | 'commandLine'>

/**
 * The error that was thrown first comes first, then those of cleaning up. An interruption is not reported: the person
 * who interrupted knows it.
 */
export function reportError(terminal: ErrorOutput, error: unknown): void {
  for (const one of errorsIn(error).toReversed()) {
    if (!(one instanceof Failure && one.code === 'INTERRUPTED')) reportOne(terminal, one)
  }
}

function reportOne(terminal: ErrorOutput, error: unknown): void {
  if (error instanceof Failure) {
    const alarm = error.tenantState === 'maybe-paused' ? 'PAUSED: a tenant may be paused. ' : ''
    terminal.say(`holdfast: ${alarm}${error.code}: ${lines(error.message)}`)
    terminal.say(`  next: ${lines(hintFor(error, terminal.commandLine))}`)
    return
  }
  terminal.say(`holdfast: this is a defect in holdfast ${terminal.version}; it says nothing about any tenant`)
  terminal.say(lines(error instanceof Error ? (error.stack ?? error.message) : String(error)))
}

/** An unexpected error of the system is a failure as well, and no defect of ours. */
const errorsIn = (error: unknown): readonly unknown[] => withSuppressed(error).map((one) => unforeseenFailure(one))

/** A tenant that may be paused outweighs a defect, and a defect outweighs every other failure. */
function gravestIn(error: unknown): unknown {
  const all = errorsIn(error)
  return (
    all.find((one) => one instanceof Failure && one.tenantState === 'maybe-paused') ??
    all.find((one) => !(one instanceof Failure)) ??
    all.at(-1)
  )
}

/**
 * Exit code of a command that this error ended. A tenant that may be paused outweighs the signal, and the signal
 * outweighs everything else.
 * @param interrupted exit code of the signal that came; null if none came
 */
export function exitCodeOfError(error: unknown, interrupted: ExitCode | null): ExitCode {
  const gravest = gravestIn(error)
  if (!(gravest instanceof Failure)) return exitCodes.bug
  if (gravest.tenantState === 'maybe-paused') return exitCodes.maybePaused
  return interrupted ?? exitCodeOfFailure(gravest)
}

/** The gravest of the errors as a report has it. */
export function describeError(error: unknown, commandLine: CommandLine): RunFailure {
  const gravest = gravestIn(error)
  if (gravest instanceof Failure)
    return {
      code: gravest.code,
      message: gravest.message,
      hint: hintFor(gravest, commandLine),
      tenantState: gravest.tenantState,
    }
  return {
    code: 'BUG',
    message: gravest instanceof Error ? gravest.message : String(gravest),
    hint: 'this is a defect in holdfast: report it with the text on stderr',
    tenantState: 'unknown',
  }
}

/** The result with the hint of its failure as it is printed. */
export const withHint = (result: Result, commandLine: CommandLine): Result =>
  result.failure === undefined
    ? result
    : { ...result, failure: { ...result.failure, hint: hintFor(result.failure, commandLine) } }

/** A message may have several lines, such as that of a wrong configuration. Each is made printable by itself. */
const lines = (text: string): string =>
  text
    .split('\n')
    .map((line) => printableSentence(line))
    .join('\n')
