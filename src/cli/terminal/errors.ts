/** Failures and bugs, said to a person on stderr: what was tried, and what to do next. */
import { unforeseenFailure } from '../../host/failures/system-failure.ts'
import { exitCodes, type ExitCode } from '../../model/exit-code.ts'
import { exitCodeOfFailure } from '../../model/failure-exit.ts'
import { Failure } from '../../model/failure.ts'
import type { Result, RunFailure } from '../../model/result/report.ts'
import { withSuppressed } from '../../model/suppressed.ts'
import { hintFor, type CommandLine } from '../../report/text/hint.ts'
import { printableSentence } from '../../text/printable.ts'
import type { Terminal } from './terminal.ts'

export type Saying = Pick<Terminal, 'say' | 'version' | 'commandLine'>

/**
 * What was thrown first comes first, then what went wrong while it was cleaned up after. Who interrupted is not told
 * so.
 */
export function reportError(terminal: Saying, error: unknown): void {
  for (const one of troublesIn(error).toReversed()) {
    if (!(one instanceof Failure && one.code === 'INTERRUPTED')) tellOne(terminal, one)
  }
}

function tellOne(terminal: Saying, error: unknown): void {
  if (error instanceof Failure) {
    const alarm = error.tenantState === 'maybe-paused' ? 'PAUSED: a tenant may stand still. ' : ''
    terminal.say(`holdfast: ${alarm}${error.code}: ${lines(error.message)}`)
    terminal.say(`  next: ${lines(hintFor(error, terminal.commandLine))}`)
    return
  }
  terminal.say(`holdfast: this is a defect in holdfast ${terminal.version}; nothing is said about any tenant`)
  terminal.say(lines(error instanceof Error ? (error.stack ?? error.message) : String(error)))
}

/** What the system refused is a failure wherever it was not expected, and no defect of ours. */
const troublesIn = (error: unknown): readonly unknown[] => withSuppressed(error).map((one) => unforeseenFailure(one))

/** Of several a tenant that may stand still outweighs a defect, and a defect whatever else. */
function gravestIn(error: unknown): unknown {
  const all = troublesIn(error)
  return (
    all.find((one) => one instanceof Failure && one.tenantState === 'maybe-paused') ??
    all.find((one) => !(one instanceof Failure)) ??
    all.at(-1)
  )
}

/** Exit code of what ended a command: a tenant that may be paused outweighs the signal, the signal everything else. */
export function exitCodeOfError(error: unknown, interrupted: ExitCode | null): ExitCode {
  const gravest = gravestIn(error)
  if (!(gravest instanceof Failure)) return exitCodes.bug
  if (gravest.tenantState === 'maybe-paused') return exitCodes.maybePaused
  return interrupted ?? exitCodeOfFailure(gravest)
}

/** The same for the report. */
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
    hint: 'this is a defect in holdfast: report it with what stands on stderr',
    tenantState: 'unknown',
  }
}

/** The same result with its hint as it is printed. */
export const withHint = (result: Result, commandLine: CommandLine): Result =>
  result.failure === undefined
    ? result
    : { ...result, failure: { ...result.failure, hint: hintFor(result.failure, commandLine) } }

/** A message may have several lines (configuration errors); each is made printable by itself. */
const lines = (text: string): string =>
  text
    .split('\n')
    .map((line) => printableSentence(line))
    .join('\n')
