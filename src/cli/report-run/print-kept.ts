/** Prints a kept report: as text, as JSON, or as a page. What that needs is loaded for this command alone. */
import { replaceFile } from '../../host/files/replace-file.ts'
import { findReport, linesOfReport, type KeptReport } from '../../ledger/reports/kept-reports.ts'
import { exitCodes, type ExitCode } from '../../model/exit-code.ts'
import { Failure } from '../../model/failure.ts'
import { eachChanged, jsonReport } from '../../report/json.ts'
import { keyRedactor } from '../../report/redact.ts'
import { storedReport, type StoredReport } from '../../report/stored-report.ts'
import { printable } from '../../text/printable.ts'
import type { ReportOptions } from '../options.ts'
import { settingsOfSchedule } from '../read-ledger.ts'
import { requireOutsideRoots } from '../status-file.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { reportText } from './report-text.ts'
import { runPage } from './run-page.ts'
import { shortResult } from './short-result.ts'

export interface KeptReportOptions extends ReportOptions {
  readonly html?: boolean
  readonly output?: string
}

/** @param run null: the newest */
export async function printKept(run: string | null, options: KeptReportOptions, terminal: Terminal): Promise<ExitCode> {
  const { html = false, json = false, output } = options
  if (html && json) throw new Failure('USAGE', '--html and --json are two forms of one report: name one of them')
  const { settings } = await settingsOfSchedule(options.config ?? null, terminal)
  if (output !== undefined) await requireOutsideRoots(output, settings.tenants.roots)
  const kept = findReport(settings.ledger.dir, settings.service.name, run)
  const report = redactedReport(openReport(kept), options)
  const pieces = html
    ? await runPage(report, settings, terminal.commandLine.config)
    : json
      ? jsonReport(report.frame, report.results())
      : textOf(report, options, output === undefined ? terminal : { ...terminal, ...onFile })
  if (output !== undefined) replaceFile(output, pieces, 'ours')
  else if (!options.quiet || html || json || kept.heading.exitCode !== exitCodes.sound)
    for (const piece of pieces) await (html || json ? terminal.out(piece) : terminal.print(piece))
  return exitCodes.sound
}

/** The text of a file is that of a pipe. */
const onFile = { width: Infinity, cuts: false, color: false }

/** @throws {Failure} USAGE for a report of another kind; REPORT_BROKEN */
function openReport(kept: KeptReport): StoredReport {
  const { document, mode, run } = kept.heading
  if (document !== 'holdfast.report/1')
    throw new Failure('USAGE', `run ${run} is a ${mode}, and this version cannot print its report (${document})`)
  return storedReport(() => linesOfReport(kept))
}

function redactedReport(report: StoredReport, { redactKeys }: ReportOptions): StoredReport {
  if (redactKeys !== true) return report
  const redact = keyRedactor()
  return { frame: report.frame, results: () => eachChanged(report.results(), redact) }
}

function* textOf(
  { frame, results }: StoredReport,
  { verbose = false }: ReportOptions,
  { width, cuts, color, commandLine }: Pick<Terminal, 'width' | 'cuts' | 'color' | 'commandLine'>,
): Generator<string> {
  const { id, mode, startedAt, finishedAt } = frame.run
  const shown = [...eachChanged(results(), (result) => (verbose ? result : shortResult(result)))]
  yield `Run ${printable(id)}: ${mode}, ${printable(startedAt)} to ${printable(finishedAt)}\n\n`
  yield* reportText({ ...frame, results: shown }, { width, cuts, color, verbose, config: commandLine.config })
}
