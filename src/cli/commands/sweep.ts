import type { Command } from 'commander'
import { findConfiguration, loadSettings } from '../../config/load.ts'
import { withServiceRun } from '../../fleet/run/service-run.ts'
import { sweep } from '../../fleet/sweep.ts'
import { newRunId } from '../../ledger/run-lock/run-id.ts'
import type { ExitCode } from '../../model/exit-code.ts'
import type { Act } from '../main.ts'
import {
  depthOption,
  onlyOption,
  patternHelp,
  positiveNumber,
  waitOption,
  withReport,
  type ReportOptions,
} from '../options.ts'
import { ReportRun } from '../report-run/report-run.ts'
import { untilFinished } from '../run/finishing.ts'
import { overridden } from '../run/overrides.ts'
import { openingOf } from '../run/run-options.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { withProgress } from './check.ts'

interface SweepCommandOptions extends ReportOptions {
  readonly only?: readonly string[]
  readonly depth: 'quick' | 'full'
  readonly maxPaused?: number
  readonly concurrency?: number
  readonly wait?: number
}

export function addSweep(program: Command, face: Terminal, act: Act): void {
  withReport(program.command('sweep').description('hold and check the tenants of the service, the least known first'))
    .addOption(onlyOption())
    .addOption(depthOption())
    .option('--max-paused <n>', 'tenants that may stand still at once (default: hold.maxPaused)', positiveNumber)
    .option('--concurrency <n>', 'snapshots that are checked at once (default: check.workers)', positiveNumber)
    .addOption(waitOption())
    .addHelpText(
      'after',
      `
${patternHelp}
A sweep with --only is no full sweep: \`status\` goes on asking for one.

Examples:
  holdfast sweep                             all of them
  holdfast sweep --only 'a*' 'b*'            some of them
  holdfast sweep --json > report.json        for a program
  holdfast sweep --quiet                     for cron: silent when all is well

Exit codes: 0 all sound, 1 failed, 2 damaged, 3 inconclusive,
  4 a tenant may be paused, 64 usage, 70 bug, 75 another run is active,
  78 configuration, 129/130/131/143 ended by a signal`,
    )
    .action((options: SweepCommandOptions) => act(() => sweepService(options, face)))
}

async function sweepService(options: SweepCommandOptions, face: Terminal): Promise<ExitCode> {
  const run = newRunId()
  using outcome = new ReportRun(face, options, { id: run, mode: 'sweep', registry: 'live' })
  return await outcome.of(async () => {
    const { depth, only, maxPaused, concurrency } = options
    const settings = overridden(await loadSettings(await findConfiguration(options.config ?? null)), {
      maxPaused,
      workers: concurrency,
    })
    return withServiceRun(settings, openingOf(face, options, run, 'sweep', { outcome }), (service) =>
      untilFinished(service, outcome, only === undefined && depth === 'full', () =>
        withProgress(face, options, outcome, (watching) =>
          sweep(service, { selection: { kind: 'sweep', only: only ?? null }, depth }, watching),
        ),
      ),
    )
  })
}
