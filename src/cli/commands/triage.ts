import { Option } from 'commander'
import { newRunId } from '../../ledger/run-lock/run-id.ts'
import type { ExitCode } from '../../model/exit-code.ts'
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
import { printText, type ChoosePrinter } from '../printing/printer.ts'
import { scheduledSettings } from '../run/scheduled-settings.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { readMonitFields } from '../triage/monit.ts'
import {
  requireService,
  requireTogether,
  wordsForBackground,
  type TriageCommandOptions,
} from '../triage/triage-options.ts'

/** The hooks of monit wait for `--detach`: it loads nothing of a run, nor of its report. */
const printing: ChoosePrinter = (terminal, given) => ({
  ...printText(terminal),
  failure: async (error) => {
    const { triagePrinting } = await import('../triage/run-triage.ts')
    return triagePrinting(terminal, given).failure(error)
  },
  exitCode: (code) => code,
})

const help = `
Something crashes, and it is not known which tenant is the cause. triage orders
all tenants by suspicion and shows each reason. The strongest are: the service
names the tenant, it is known to be damaged, or a crash left a journal or a log
beside it. Weaker are: it was written last before the crash, it was never
checked or long ago, or it is big. A fast pass over all comes first, then a deep
one in the same order. The first culprit is printed as soon as it is found, with
the command to run next.

The fast pass compares no index with its table. If it alone finds a tenant
sound, damage that was known before remains: see \`status\`. With --first, other
tenants may be damaged too: run a sweep later.

While the service is down, holdfast holds its files without it: nothing has them
open, and the seal proves that. holdfast waits for a service that restarts.

${patternHelp}
With files or folders, triage needs no service and no configuration. Then --html
writes only to a name that is not taken, or replaces an earlier page.

--detach records the request in ledger.dir, starts the triage in the background
and returns immediately. --from-monit reads what monit says (MONIT_SERVICE and
others) and implies --detach. With --from-monit or --service a second request
for the same service within 10 minutes is refused (75).

Examples:
  holdfast triage                            all tenants
  holdfast triage --first                    stop at the first culprit
  holdfast triage --depth quick              the fast pass alone
  holdfast triage --first /srv/notes         files, without a service
  holdfast triage --html page.html app.db    also a page for a browser
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
      .description('something crashes: find the damaged tenant; the most suspicious are checked first'),
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
    const monit = options.fromMonit === true ? readMonitFields(process.env) : null
    const { detach } = await import('../triage/detach.ts')
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
  const { printTriage } = await import('../triage/run-triage.ts')
  return printTriage(files, options, terminal, newRunId())
}
