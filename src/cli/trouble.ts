/** Failures and bugs, said to a person on stderr: what was tried, and what to do next. */
import { exitCodeOfFailure, exitCodes, type ExitCode } from '../model/exit-code.ts'
import { Failure } from '../model/failure.ts'
import type { RunFailure } from '../model/report.ts'
import { printable } from '../report/printable.ts'
import type { Face } from './face.ts'

export function tellTrouble(face: Pick<Face, 'say' | 'version'>, error: unknown): void {
  if (error instanceof Failure) {
    const alarm = error.tenantState === 'maybe-paused' ? 'PAUSED: a tenant may stand still. ' : ''
    face.say(`holdfast: ${alarm}${error.code}: ${lines(error.message)}`)
    face.say(`  next: ${lines(error.hint)}`)
    return
  }
  face.say(`holdfast: this is a defect in holdfast ${face.version}; nothing is said about any tenant`)
  face.say(lines(error instanceof Error ? (error.stack ?? error.message) : String(error)))
}

/** Exit code of what ended a command: a tenant that may be paused outweighs the signal, the signal everything else. */
export function exitCodeOfTrouble(error: unknown, interrupted: ExitCode | null): ExitCode {
  if (!(error instanceof Failure)) return exitCodes.bug
  if (error.tenantState === 'maybe-paused') return exitCodes.maybePaused
  return interrupted ?? exitCodeOfFailure(error)
}

/** The same for the report. */
export function describeTrouble(error: unknown): RunFailure {
  if (error instanceof Failure) return { code: error.code, message: error.message, hint: error.hint, tenantState: error.tenantState }
  return { code: 'BUG', message: error instanceof Error ? error.message : String(error), hint: 'this is a defect in holdfast: report it with what stands on stderr', tenantState: 'unknown' }
}

/** A message may have several lines (configuration errors); each is made printable by itself. */
const lines = (text: string): string => text.split('\n').map((line) => printable(line)).join('\n')
