import { Option } from 'commander'
import type { Settings } from '../../config/settings.ts'
import { withFileRun } from '../../fleet/run/file-run.ts'
import { withServiceRun } from '../../fleet/run/service-run.ts'
import type { PassesObserver } from '../../fleet/triage/passes.ts'
import { triageFiles } from '../../fleet/triage/triage-files.ts'
import { triage, type TriageTotals } from '../../fleet/triage/triage.ts'
import { readRequest } from '../../ledger/background/requests.ts'
import { newRunId } from '../../ledger/run-lock/run-id.ts'
import type { TriageRequest } from '../../model/event.ts'
import type { ExitCode } from '../../model/exit-code.ts'
import { Failure } from '../../model/failure.ts'
import { printable } from '../../text/printable.ts'
import { databasesOf } from '../database-files.ts'
import type { Invocation } from '../invocation.ts'
import {
  depthOption,
  htmlOption,
  incidentOption,
  onlyOption,
  patternHelp,
  positiveNumber,
  waitOption,
  withReport,
  workersOption,
} from '../options.ts'
import { printReport, reportPrinting } from '../report-run/print-report.ts'
import { ResultsDocument } from '../report-run/results-document.ts'
import { fileRunOptions } from '../run/file-run-options.ts'
import { overridden } from '../run/overrides.ts'
import { recordingEnd } from '../run/record-end.ts'
import { withAlarms } from '../run/run-alarms.ts'
import { scheduledSettings } from '../run/scheduled-settings.ts'
import { serviceRunOptions } from '../run/service-run-options.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { detach } from '../triage/detach.ts'
import { saidByMonit } from '../triage/monit.ts'
import { requireTogether, wordsForBackground, type TriageCommandOptions } from '../triage/triage-options.ts'
import { watchTriage } from '../triage/watch-triage.ts'

const printing = reportPrinting(
  (terminal) => new ResultsDocument(terminal, {}, { id: newRunId(), mode: 'triage', registry: 'none' }),
)

const help = `
Something crashes, and it is not known which tenant is the cause. triage orders
all tenants by suspicion and shows each reason: the service names the tenant, it
is known to be damaged, a crash left a journal or a log beside it, it was
written last before the crash, it was never or long ago checked, it is big. A
fast pass over all comes first, then a deep one in the same order. The first
culprit is printed as soon as it is found, with the command to run next.

The fast pass compares no index with its table. If it alone finds a tenant
sound, damage that was known before remains: see \`status\`. With --first, other
tenants may be damaged too: run a sweep later.

While the service is down, holdfast holds its files without it: nothing has them
open, and the seal proves that. holdfast waits for a service that restarts.

${patternHelp}
With files or folders, triage needs no service and no configuration.

--detach records the request in ledger.dir, starts the triage in the background
and returns immediately. --from-monit reads what monit says (MONIT_SERVICE and
others) and implies --detach. With --from-monit or --service a second request
for the same service within 10 minutes is refused (75).

Examples:
  holdfast triage                            all tenants
  holdfast triage --first                    stop at the first culprit
  holdfast triage --depth quick              the fast pass alone
  holdfast triage --first /srv/notes         files, without a service
  holdfast triage --detach                   return now, work in the background
  holdfast triage --service notes --detach   before a restart, from a script
  holdfast triage --from-monit               as an exec of monit

Exit codes: 0 all sound (--detach: it has begun), 1 failed, 2 damaged,
  3 inconclusive, 4 a tenant may be paused, 64 usage, 70 bug, 75 another run is
  active, or asked again too soon, 78 configuration,
  129/130/131/143 ended by a signal`

export function addTriage(invocation: Invocation): void {
  withReport(
    invocation
      .add('triage', printing)
      .description('something crashes: find the damaged tenant, the most suspicious first'),
  )
    .argument('[files...]', 'database files, or folders of them, instead of the tenants of the service')
    .addOption(onlyOption())
    .addOption(depthOption())
    .option('--first', 'stop at the first culprit')
    .option('--max-paused <n>', 'tenants that may be paused in parallel (default: hold.maxPaused)', positiveNumber)
    .addOption(workersOption('snapshots'))
    .option('--recursive', 'also the databases in all folders below the named ones')
    .option('--detach', 'record the request, work in the background, and return immediately')
    .option('--service <name>', 'the service that the configuration must be about; for scripts and hooks')
    .option('--from-monit', 'started by monit: read its variables, and detach')
    .addOption(incidentOption())
    .addOption(htmlOption())
    .addOption(waitOption())
    .addOption(new Option('--request <id>', 'works on a recorded request').hideHelp())
    .addHelpText('after', help)
    .action((files: readonly string[], options: TriageCommandOptions) =>
      invocation.perform(() => runTriage(files, options, invocation.terminal)),
    )
}

async function runTriage(
  files: readonly string[],
  options: TriageCommandOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  requireTogether(files, options)
  if (options.detach === true || options.fromMonit === true) {
    const { settings } = await scheduledSettings(options.config ?? null, terminal)
    requireService(settings, options)
    const monit = options.fromMonit === true ? saidByMonit(process.env) : null
    return detach(
      settings,
      {
        monit,
        monitor: monit?.service ?? options.service ?? null,
        waits: options.wait !== undefined,
        words: wordsForBackground(options),
        json: options.json ?? false,
        quiet: options.quiet ?? false,
      },
      terminal,
    )
  }
  const run = newRunId()
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
  run: ReturnType<typeof newRunId>,
): Promise<TriageTotals> {
  const { settings, outdated } = await scheduledSettings(options.config ?? null, terminal, (notice) =>
    document.addNotice(notice),
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
    return withServiceRun(overridden(settings, { maxPaused, workers }), runOptions, (service) => {
      const work = (watching: PassesObserver) =>
        triage(service, { only, depth, first, said: saidIn(request) }, watching)
      return recordingEnd(
        service,
        document,
        false,
        () => watchTriage(terminal, options, document, work, alarms),
        alarms,
      )
    })
  })
}

const saidIn = (request: TriageRequest | null): readonly { readonly by: string; readonly text: string }[] =>
  request?.monit == null ? [] : [{ by: 'monit', text: `${request.monit.event}: ${request.monit.description}` }]

async function triageNamed(
  files: readonly string[],
  options: TriageCommandOptions,
  terminal: Terminal,
  document: ResultsDocument,
  run: ReturnType<typeof newRunId>,
): Promise<TriageTotals> {
  const { databases, unreadable, links } = await databasesOf(files, options.recursive ?? false)
  if (!options.quiet) for (const link of links) terminal.say(`not followed: ${printable(link)} is a link to a folder`)
  const [first] = unreadable
  if (first !== undefined && databases.length === 0) throw first.failure
  for (const { path, failure } of unreadable)
    terminal.say(`not examined: ${printable(path)}: ${printable(failure.message)}`)
  const targets = [...new Set(databases)].map((named) => ({ tenant: null, named }))
  const fileRun = await fileRunOptions({ ...options, engine: 'census', rehearse: true }, terminal, run)
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

/** @throws {Failure} USAGE if the configuration is about another service than the one that is named */
function requireService({ service, file }: Settings, { service: named }: TriageCommandOptions): void {
  if (named === undefined || named === service.name) return
  throw new Failure('USAGE', `${file} is about service ${service.name}, not about ${JSON.stringify(named)}`, {
    hint: 'name the configuration of that service with --config',
  })
}
