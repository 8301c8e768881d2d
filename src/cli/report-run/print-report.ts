/** The printer of reports: does the work of a run and prints what came of it, as one JSON document or as text. */
import { exitCodes, type ExitCode } from '../../model/exit-code.ts'
import type { RunFailure } from '../../model/result/report.ts'
import type { TextOptions } from '../../report/text/result-words.ts'
import type { ReportOptions } from '../options.ts'
import type { GivenOptions } from '../printing/given-options.ts'
import { printText, type Printer } from '../printing/printer.ts'
import { describeError, reportError } from '../terminal/errors.ts'
import type { Terminal } from '../terminal/terminal.ts'

/** What a run has found so far, and how it is written. */
export interface ReportDocument<Ending> extends Disposable {
  /** Whether a reader of text would find nothing in it. */
  readonly isEmpty: boolean
  exitCode(ending: Ending): ExitCode
  /** Exit code of a run that this error ended. */
  exitCodeOfError(error: unknown): ExitCode
  /** Keeps the report for `holdfast report`, if the run has a place for it. Does not throw failures. */
  keep?(end: ReportEnd<Ending>): Promise<void>
  /** Writes the page of the report to its file, if one was asked for. @throws {Failure} if it cannot be written */
  writePage?(end: ReportEnd<Ending>): Promise<void>
  json(end: ReportEnd<Ending>): Iterable<string>
  text(end: ReportEnd<Ending>, options: TextOptions): Iterable<string>
}

/** Either the run came to its end, or it failed. */
export interface ReportEnd<Ending> {
  readonly exitCode: ExitCode
  readonly ending: Ending | null
  readonly failure: RunFailure | null
}

export type PrintOptions = Pick<ReportOptions, 'json' | 'quiet' | 'verbose'> & {
  /** A private copy of each file is somewhere already. */
  readonly copied?: boolean
  /** Files were to be checked while programs use them. */
  readonly live?: boolean
}

/**
 * Does the work of a run, which closes what it opened, and prints the report. With `--json` exactly one document is
 * printed, whatever happens. A run that fails still reports each result that it has.
 * @returns the run's exit code
 */
export async function printReport<Ending>(
  document: ReportDocument<Ending>,
  terminal: Terminal,
  options: PrintOptions,
  work: () => Promise<Ending>,
): Promise<ExitCode> {
  let ending: Ending
  try {
    ending = await work()
  } catch (error) {
    // The results come first, so that the failure is the last thing that a person reads.
    const exitCode = await printFailedReport(document, terminal, options, error)
    reportError(terminal, error)
    return exitCode
  }
  const end = { exitCode: document.exitCode(ending), ending, failure: null }
  const pageError = await writePage(document, end)
  // A page that cannot be written changes no verdict; but a run that lacks what was asked for has not ended well.
  const exitCode = pageError !== null && end.exitCode === exitCodes.sound ? exitCodes.failed : end.exitCode
  await print(document, terminal, options, { ...end, exitCode })
  if (pageError !== null) reportError(terminal, pageError)
  return exitCode
}

/** @returns why the page could not be written; null if it was, or if none is wanted */
async function writePage<Ending>(document: ReportDocument<Ending>, end: ReportEnd<Ending>): Promise<unknown> {
  try {
    await document.writePage?.(end)
    return null
  } catch (error) {
    return error
  }
}

/**
 * How a command prints whose report never came to its printer, such as one whose options are wrong.
 * @param open makes an empty document
 */
export const reportPrinting =
  <Ending>(open: (terminal: Terminal) => ReportDocument<Ending>) =>
  (terminal: Terminal, { json }: GivenOptions): Printer => ({
    ...printText(terminal),
    failure: async (error) => {
      using document = open(terminal)
      if (terminal.hasPrinted()) return document.exitCodeOfError(error) // One document, not two.
      return await printFailedReport(document, terminal, { json: json === true }, error)
    },
    // A report has its exit code in it: a signal that comes while it is printed changes nothing.
    exitCode: (code) => code,
  })

async function printFailedReport<Ending>(
  document: ReportDocument<Ending>,
  terminal: Terminal,
  options: PrintOptions,
  error: unknown,
): Promise<ExitCode> {
  const exitCode = document.exitCodeOfError(error)
  const end = { exitCode, ending: null, failure: describeError(error, terminal.commandLine) }
  if (options.json || !document.isEmpty) await print(document, terminal, options, end)
  const pageError = await writePage(document, end)
  if (pageError !== null) reportError(terminal, pageError)
  return exitCode
}

async function print<Ending>(
  document: ReportDocument<Ending>,
  terminal: Terminal,
  { json, quiet, verbose = false, copied = false, live = false }: PrintOptions,
  end: ReportEnd<Ending>,
): Promise<void> {
  await document.keep?.(end)
  if (json) {
    for (const piece of document.json(end)) await terminal.out(piece)
    return
  }
  if (quiet && end.exitCode === 0) return
  const { width, cuts, color, commandLine } = terminal
  const textOptions = { width, cuts, color, verbose, copied, live, config: commandLine.config }
  for (const piece of document.text(end, textOptions)) await terminal.print(piece)
}
