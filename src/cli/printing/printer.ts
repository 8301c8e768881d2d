/** How commands print on stdout that they failed, and what their exit codes are for the reader of stdout. */
import { exitCodes, type ExitCode } from '../../model/exit-code.ts'
import { renderNoStatus } from '../../report/status/monitor-line.ts'
import { jsonText } from '../../text/json-text.ts'
import { describeError, exitCodeOfError } from '../terminal/errors.ts'
import type { Terminal } from '../terminal/terminal.ts'
import type { GivenOptions } from './given-options.ts'

export interface Printer {
  /**
   * Prints a failure that is on stderr already, if the reader of stdout waits for a document or a line.
   * @returns the exit code
   */
  failure(error: unknown): Promise<ExitCode>
  /** Exit code of a command that came to its end with `code`; a signal may have come meanwhile. */
  exitCode(code: ExitCode): ExitCode
  /** Exit code if a part of the output was lost. */
  exitCodeOfLost(code: ExitCode): ExitCode
}

/** A command chooses by its options, which may be those of a command line that is refused. */
export type ChoosePrinter = (terminal: Terminal, given: GivenOptions) => Printer

/** For people: failures are on stderr only. */
export const printText = (terminal: Terminal): Printer => ({
  failure: (error) => Promise.resolve(exitCodeOfError(error, terminal.interrupt.exitCode())),
  exitCode: (code) => (code === exitCodes.maybePaused ? code : (terminal.interrupt.exitCode() ?? code)),
  exitCodeOfLost: (code) => (code === exitCodes.sound ? exitCodes.failed : code),
})

/** For programs: a failure is a document too. */
const printFailureDocument = (terminal: Terminal): Printer => ({
  ...printText(terminal),
  failure: async (error) => {
    const exitCode = exitCodeOfError(error, terminal.interrupt.exitCode())
    if (terminal.hasPrinted()) return exitCode // One document, not two.
    const failure = describeError(error, terminal.commandLine)
    const document = { schema: 'holdfast.failure/1', tool: { version: terminal.version }, failure, exitCode }
    await terminal.out(`${jsonText(document)}\n`)
    return exitCode
  },
})

export const textOrDocument: ChoosePrinter = (terminal, { json }) =>
  json === true ? printFailureDocument(terminal) : printText(terminal)

/**
 * For monitors: they read the exit code and show the line. A failure is UNKNOWN (3). So is lost output, unless the exit
 * code is CRITICAL (2).
 */
export const printMonitorLine = (terminal: Terminal): Printer => ({
  ...printText(terminal),
  failure: async (error) => {
    const { code, message } = describeError(error, terminal.commandLine)
    await terminal.print(renderNoStatus(`${code}: ${message}`))
    return exitCodes.inconclusive
  },
  exitCodeOfLost: (code) => (code === exitCodes.damaged ? code : exitCodes.inconclusive),
})
