import { Option, type Command } from 'commander'
import type { RunAlarms } from '../../alarm/alarms.ts'
import type { ScheduledSettings } from '../../config/last-good.ts'
import { findConfiguration, loadSettings } from '../../config/load.ts'
import { newRunId } from '../../ledger/run-lock/run-id.ts'
import type { RunId } from '../../model/brand.ts'
import type { ExitCode } from '../../model/exit-code.ts'
import { Failure } from '../../model/failure.ts'
import type { Result } from '../../model/result/report.ts'
import { withServiceRun, type ServiceRun } from '../../runs/begin/service-run.ts'
import { HealCandidates } from '../../runs/heal/heal-candidates.ts'
import { heal } from '../../runs/heal/heal.ts'
import { planSweep, type SweepPlan } from '../../runs/selection/sweep-plan.ts'
import { sweep, type SweepObserver } from '../../runs/sweep.ts'
import type { Invocation } from '../invocation.ts'
import {
  incidentOption,
  htmlOption,
  patternHelp,
  positiveNumber,
  waitOption,
  withReport,
  workersOption,
  type PageOptions,
  type ReportOptions,
} from '../options.ts'
import { printReport, reportPrinting } from '../report-run/print-report.ts'
import { ResultsDocument } from '../report-run/results-document.ts'
import { applyOverrides } from '../run/overrides.ts'
import { withRecordedEnd } from '../run/record-end.ts'
import { raiseRefused, withAlarms } from '../run/run-alarms.ts'
import { scheduledSettings } from '../run/scheduled-settings.ts'
import { reportSchemaOutliers } from '../run/schema-outliers.ts'
import { serviceRunOptions } from '../run/service-run-options.ts'
import {
  noticesOfEnd,
  noticesOfPlan,
  sweepRequest,
  withSelection,
  type SelectionOptions,
} from '../run/sweep-options.ts'
import { withProgress } from '../run/with-progress.ts'
import type { Terminal } from '../terminal/terminal.ts'

interface SweepCommandOptions extends ReportOptions, SelectionOptions, PageOptions {
  readonly maxPaused?: number
  readonly workers?: number
  /** The old name of `workers`. */
  readonly concurrency?: number
  readonly wait?: number
  readonly heal?: boolean
  readonly incident?: string
}

const printing = reportPrinting(
  (terminal) => new ResultsDocument(terminal, {}, { id: newRunId(), mode: 'sweep', registry: 'none' }),
)

export function addSweep(invocation: Invocation): void {
  withSelection(
    withReport(
      invocation
        .add('sweep', printing)
        .description('hold and check the tenants of the service, longest unchecked first'),
    ),
  )
    .option('--max-paused <n>', 'tenants that may be paused in parallel (default: hold.maxPaused)', positiveNumber)
    .addOption(workersOption('snapshots'))
    .addOption(new Option('--concurrency <n>').argParser(positiveNumber).conflicts('workers').hideHelp())
    .option('--heal', 'afterwards rebuild damaged indexes and full-text indexes of at most heal.limit tenants')
    .addOption(incidentOption())
    .addOption(htmlOption())
    .addOption(waitOption())
    .addHelpText(
      'after',
      `
${patternHelp}
A sweep with --only is not a full sweep: \`status\` still requires one.

With --max-age a tenant is left out if a full, sealed check of all its files was
sound and is younger. Size, time of change, change counter and WAL of each file
must also be as they were. A quick check does not count. If no tenant is due,
the exit code is 0. What a budget or an interruption left is not covered: exit
code 3, and the next sweep begins with it.

--heal changes live files. It repairs as \`repair --apply\` does: rehearsed in
this run, the original kept, checked afterwards. It rebuilds indexes and
full-text indexes alone, each tenant at most once a day. It leaves to a person
what is in doubt, and changes nothing after a sign that something wrote while
holdfast held a file. The exit code stays 2: damage was found.

Examples:
  holdfast sweep                             all tenants
  holdfast sweep --only 'a*' 'b*'            some tenants
  holdfast sweep --json > report.json        for a program
  holdfast sweep --quiet                     for cron: silent if all is well
  holdfast sweep --workers 1                 one check after the other
  holdfast sweep --html sweep.html           also a page for a browser
  holdfast sweep --depth sample=10%          the next tenth of each file: never
                                             sound, exit code 3 if all is well
  holdfast sweep --heal                      also rebuild damaged indexes
  holdfast sweep --max-age 24h --budget 3h   only what is due, for three hours
  holdfast sweep --deadline 06:00            begin with no tenant after 06:00
  holdfast sweep --continue                  after a sweep that was interrupted

Exit codes: 0 all sound, 1 failed, 2 damaged, 3 inconclusive,
  4 a tenant may be paused, 64 usage, 70 bug, 75 another run is active,
  78 configuration, 129/130/131/143 ended by a signal`,
    )
    .action((options: SweepCommandOptions, command: Command) =>
      invocation.perform(() =>
        sweepService(options, command.getOptionValueSource('depth') === 'cli', invocation.terminal),
      ),
    )
}

async function sweepService(
  options: SweepCommandOptions,
  depthIsGiven: boolean,
  terminal: Terminal,
): Promise<ExitCode> {
  const run = newRunId()
  using document = new ResultsDocument(terminal, options, { id: run, mode: 'sweep', registry: 'live' })
  return await printReport(document, terminal, options, async () => {
    const { maxPaused, workers = options.concurrency } = options
    const { settings: given, outdated } = await settingsOf(options, terminal, document, run)
    const settings = applyOverrides(given, { maxPaused, workers })
    await document.keepWith(settings)
    const request = sweepRequest(options, depthIsGiven, settings.sweep)
    let isWhole = false
    const isFull = (): boolean => isWhole && document.settlesAny
    const about = { terminal, options, run, document, mode: 'sweep', isWhole: isFull, outdated }
    return withAlarms(settings, about, (alarms) => {
      const more = { sampleShare: options.depth.sampleShare, incident: options.incident ?? null, document, alarms }
      return withServiceRun(settings, serviceRunOptions(terminal, options, run, 'sweep', more), async (service) => {
        const plan = await planSweep(service.ledger, request, service.now())
        if (plan.scope.depth === 'sample' && options.depth.sampleShare === null)
          throw new Failure('USAGE', 'the sweep to continue took samples: name --depth sample=10% again')
        isWhole = plan.scope.only === null && plan.scope.depth === 'full'
        report(noticesOfPlan(request, plan))
        const work = (watching: SweepObserver) => sweepAndHeal(service, plan, watching, alarms)
        const shown = () => withProgress(terminal, options, document, work, alarms)
        const swept = await withRecordedEnd(service, document, isWhole, shown, alarms)
        report(noticesOfEnd(request, swept))
        return swept
      })
    })
  })

  function report(notices: readonly string[]): void {
    for (const notice of notices) {
      terminal.say(`holdfast: ${notice}`)
      document.addNotice(notice)
    }
  }

  async function sweepAndHeal(
    service: ServiceRun,
    plan: SweepPlan,
    watching: SweepObserver,
    alarms: RunAlarms,
  ): ReturnType<typeof sweep> {
    const selection = { kind: 'sweep', plan } as const
    const candidates = new HealCandidates()
    const onResult = (result: Result): void => {
      candidates.consider(result)
      watching.onResult(result)
    }
    const onRevised: SweepObserver['onRevised'] = (result, before) => {
      candidates.consider(result)
      watching.onRevised(result, before)
    }
    const swept = await sweep(service, { selection, depth: plan.scope.depth }, { ...watching, onResult, onRevised })
    await reportSchemaOutliers(service, document)
    if (options.heal === true) {
      const healing = await heal(service, candidates, swept, { run, version: terminal.version }, watching)
      document.addHealing(healing)
      for (const result of healing.results) alarms.considerRemedy(result)
    }
    const { suspected } = candidates
    return suspected === null ? swept : { ...swept, stopped: new Failure('HARM_SUSPECTED', suspected) }
  }
}

/** A sweep that changes files does not go on with an old configuration. @throws {Failure} CONFIG_INVALID */
async function settingsOf(
  options: SweepCommandOptions,
  terminal: Terminal,
  document: ResultsDocument,
  run: RunId,
): Promise<ScheduledSettings> {
  const { config, heal: changesFiles = false } = options
  if (changesFiles) return { settings: await loadSettings(await findConfiguration(config ?? null)), outdated: null }
  const addNotice = (notice: string): void => document.addNotice(notice)
  return scheduledSettings(config ?? null, terminal, addNotice, raiseRefused({ terminal, options, run }))
}
