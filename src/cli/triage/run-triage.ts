/** The work of `triage`, on the tenants of the service or on files, and its report. */

import { readRequest } from '../../ledger/background/requests.ts'
import { newRunId } from '../../ledger/run-lock/run-id.ts'
import type { RunId } from '../../model/brand.ts'
import type { TriageRequest } from '../../model/event.ts'
import type { ExitCode } from '../../model/exit-code.ts'
import { withFileRun } from '../../runs/begin/file-run.ts'
import { withServiceRun } from '../../runs/begin/service-run.ts'
import type { PassesObserver } from '../../runs/triage/passes.ts'
import { triageFiles } from '../../runs/triage/triage-files.ts'
import { triage, type TriageTotals } from '../../runs/triage/triage.ts'
import { printable } from '../../text/printable.ts'
import { databasesOf } from '../database-files.ts'
import { printReport, reportPrinting } from '../report-run/print-report.ts'
import { ResultsDocument } from '../report-run/results-document.ts'
import { fileRunOptions } from '../run/file-run-options.ts'
import { applyOverrides } from '../run/overrides.ts'
import { withRecordedEnd } from '../run/record-end.ts'
import { raiseRefused, withAlarms } from '../run/run-alarms.ts'
import { scheduledSettings } from '../run/scheduled-settings.ts'
import { serviceRunOptions } from '../run/service-run-options.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { requireService, type TriageCommandOptions } from './triage-options.ts'
import { watchTriage } from './watch-triage.ts'

export const triagePrinting = reportPrinting(
  (terminal) => new ResultsDocument(terminal, {}, { id: newRunId(), mode: 'triage', registry: 'none' }),
)

export async function printTriage(
  files: readonly string[],
  options: TriageCommandOptions,
  terminal: Terminal,
  run: RunId,
): Promise<ExitCode> {
  const registry = files.length === 0 ? 'live' : 'none'
  using document = new ResultsDocument(terminal, options, { id: run, mode: 'triage', registry })
  return await printReport(document, terminal, options, async () =>
    files.length === 0
      ? triageService(options, terminal, document, run)
      : triageNamed(files, options, terminal, document, run),
  )
}

async function triageService(
  options: TriageCommandOptions,
  terminal: Terminal,
  document: ResultsDocument,
  run: RunId,
): Promise<TriageTotals> {
  const { settings, outdated } = await scheduledSettings(
    options.config ?? null,
    terminal,
    (notice) => document.addNotice(notice),
    raiseRefused({ terminal, options, run }),
  )
  requireService(settings, options)
  await document.keepWith(settings)
  const request = options.request === undefined ? null : await readRequest(settings.ledger.dir, options.request)
  const { maxPaused, workers } = options
  const { only = null, depth, first = false } = options
  const about = { terminal, options, run, document, mode: 'triage', isWhole: () => false, outdated }
  return withAlarms(settings, about, (alarms) => {
    const runOptions = serviceRunOptions(terminal, options, run, 'triage', {
      incident: options.incident ?? null,
      request,
      document,
      alarms,
    })
    return withServiceRun(applyOverrides(settings, { maxPaused, workers }), runOptions, (service) => {
      const work = (watching: PassesObserver) =>
        triage(service, { only, depth, first, said: monitTexts(request) }, watching)
      return withRecordedEnd(
        service,
        document,
        false,
        () => watchTriage(terminal, options, document, work, alarms),
        alarms,
      )
    })
  })
}

const monitTexts = (request: TriageRequest | null): readonly { readonly by: string; readonly text: string }[] =>
  request?.monit == null ? [] : [{ by: 'monit', text: `${request.monit.event}: ${request.monit.description}` }]

async function triageNamed(
  files: readonly string[],
  options: TriageCommandOptions,
  terminal: Terminal,
  document: ResultsDocument,
  run: RunId,
): Promise<TriageTotals> {
  document.preparePageOfFiles()
  const { databases, unreadable, links } = await databasesOf(files, options.recursive ?? false)
  if (!options.quiet) for (const link of links) terminal.say(`not followed: ${printable(link)} is a link to a folder`)
  const [first] = unreadable
  if (first !== undefined && databases.length === 0) throw first.failure
  for (const { path, failure } of unreadable) {
    const notice = `not examined: ${printable(path)}: ${printable(failure.message)}`
    terminal.say(notice)
    document.addNotice(notice)
  }
  const targets = [...new Set(databases)].map((named) => ({ tenant: null, named }))
  const fileRun = await fileRunOptions(
    { ...options, engine: 'census', rehearse: true, map: options.html === undefined ? false : 'damaged' },
    terminal,
    run,
  )
  return watchTriage(terminal, options, document, (watching) =>
    withFileRun(fileRun, targets, terminal.interrupt.signal, (context, signal) =>
      triageFiles(
        context,
        targets,
        { depth: options.depth, first: options.first ?? false, checksInParallel: fileRun.checksInParallel },
        watching,
        signal,
      ),
    ),
  )
}
