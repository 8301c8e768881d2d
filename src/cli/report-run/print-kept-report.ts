/** Prints a kept report: as text, as JSON, or as a page. What that needs is loaded for this command alone. */
import type { Settings } from '../../config/settings.ts'
import { replaceFile, requirePage } from '../../host/files/replace-file.ts'
import { findReport, type KeptReport } from '../../ledger/reports/kept-reports.ts'
import { exitCodes, type ExitCode } from '../../model/exit-code.ts'
import { Failure } from '../../model/failure.ts'
import { printable } from '../../text/printable.ts'
import type { ReportOptions } from '../options.ts'
import { settingsOfSchedule } from '../read-ledger.ts'
import { requireOutsideRoots } from '../status-file.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { openKeptReport, type KeptDocument } from './kept-document.ts'
import { describeNewerRun } from './newer-run.ts'
import { runPage } from './run-page.ts'

export interface KeptReportOptions extends ReportOptions {
  readonly html?: boolean
  readonly output?: string
}

/** @param run null: the newest */
export async function printKeptReport(
  run: string | null,
  options: KeptReportOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const { html = false, json = false, output } = options
  if (html && json) throw new Failure('USAGE', '--html and --json are two forms of one report: name one of them')
  const { settings } = await settingsOfSchedule(options.config ?? null, terminal)
  if (output !== undefined) await requireOutsideRoots(output, settings.tenants.roots)
  if (output !== undefined && html) requirePage(output)
  const kept = findReport(settings.ledger.dir, settings.service.name, run, html ? 'holdfast.report/1' : null)
  const newer = run === null ? await describeNewerRun(settings, kept) : null
  if (newer !== null) terminal.say(`holdfast: ${newer}`)
  const document = openKeptReport(kept, options.redactKeys)
  const pieces = html
    ? await pageOf(kept, document, settings, terminal)
    : json
      ? document.json()
      : textOf(kept, document, options, output === undefined ? terminal : { ...terminal, ...onFile })
  if (output !== undefined) replaceFile(output, pieces, 'ours')
  else if (!options.quiet || html || json || kept.heading.exitCode !== exitCodes.sound)
    for (const piece of pieces) await (html || json ? terminal.out(piece) : terminal.print(piece))
  return exitCodes.sound
}

/** The text of a file is that of a pipe. */
const onFile = { width: Infinity, cuts: false, color: false }

/** @throws {Failure} USAGE for a run that has none; REPORT_BROKEN */
function pageOf(
  { heading }: KeptReport,
  { report }: KeptDocument,
  settings: Settings,
  { commandLine }: Terminal,
): Promise<Iterable<string>> {
  if (report === null)
    throw new Failure('USAGE', `run ${heading.run} is a ${heading.mode}: only runs that check have a page`)
  return runPage(report, settings, commandLine.config)
}

function* textOf(
  { heading }: KeptReport,
  document: KeptDocument,
  { verbose = false }: ReportOptions,
  { width, cuts, color, commandLine }: Pick<Terminal, 'width' | 'cuts' | 'color' | 'commandLine'>,
): Generator<string> {
  const { run, mode, startedAt, finishedAt } = heading
  yield `Run ${printable(run)}: ${printable(mode)}, ${printable(startedAt)} to ${printable(finishedAt)}\n\n`
  yield* document.text({ width, cuts, color, verbose, config: commandLine.config })
}
