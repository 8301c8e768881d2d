import { InvalidArgumentError, Option, type Command } from 'commander'
import { wayOf } from '../../config/service-way.ts'
import { isGone } from '../../fleet/run/registry.ts'
import { replaceFile } from '../../host/files/replace-file.ts'
import { isOfRunningRun, leftBehind } from '../../ledger/at-work.ts'
import type { LastResult, RecordedRun } from '../../ledger/ledger.ts'
import { exitCodes, type ExitCode } from '../../model/exit-code.ts'
import { mayBeOurs } from '../../model/service-way.ts'
import { renderNoStatus } from '../../report/status/status-line.ts'
import { renderStatus, type StatusFormat, type StatusView } from '../../report/status/status.ts'
import type { Act } from '../main.ts'
import {
  configurationNamed,
  durationOption,
  onlyOption,
  patternHelp,
  withCommon,
  type CommonOptions,
} from '../options.ts'
import { ledgerToRead, settingsToRead } from '../read-ledger.ts'
import { noticeTo } from '../run/run-options.ts'
import { chooseKnown } from '../status-selection.ts'
import { describeError, reportError } from '../terminal/errors.ts'
import type { Terminal } from '../terminal/terminal.ts'

interface StatusOptions extends CommonOptions {
  readonly format: StatusFormat
  readonly maxAge: number
  readonly output?: string
  readonly tenant?: readonly string[]
  readonly only?: readonly string[]
}

export function addStatus(program: Command, face: Terminal, act: Act): void {
  withCommon(
    program.command('status').description('what the ledger knows; no tenant is touched'),
    'holdfast.status/1; the same as --format json',
  )
    .addOption(
      new Option('--format <format>').choices(['text', 'json', 'nagios', 'monit', 'prometheus']).default('text'),
    )
    .addOption(
      new Option('--max-age <duration>', 'checks older than this are stale')
        .argParser(durationOption)
        .default(durationOption('26h'), '26h'),
    )
    .option('--tenant <id...>', 'only these tenants')
    .addOption(onlyOption())
    .option('--output <file>', 'put it in this file, which is replaced as a whole, instead of on stdout', namedFile)
    .addHelpText(
      'after',
      `
With --tenant or --only the status is about these tenants alone. Each has its
own age, and it is not asked when all were swept. Metrics of pauses are of all.
${patternHelp}

A reader of FILE finds the old status or the new one, never a part of it. FILE
keeps the mode and the group that it has; a new one has mode 0644. Where nagios
or monit get no status, FILE says UNKNOWN, as stdout does. Let its reader look
at its age too.

Examples:
  holdfast status
  holdfast status --format nagios --max-age 26h
  holdfast status --tenant acme bolt --only 'c*' --format monit
  holdfast status --format prometheus --output /var/lib/metrics/h.prom

Exit codes: 0 answered, 1 failed, 64 usage, 70 bug, 78 configuration;
  for nagios and monit 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN`,
    )
    .action((options: StatusOptions) => act(() => tellStatus(options, face)))
}

function namedFile(text: string): string {
  if (text === '') throw new InvalidArgumentError('It must name a file.')
  return text
}

async function tellStatus(options: StatusOptions, face: Terminal): Promise<ExitCode> {
  const format = options.json ? 'json' : options.format
  const isForMonitor = format === 'nagios' || format === 'monit'
  const { output } = options
  // A file is read like a pipe.
  const page = output === undefined ? face : { width: Infinity, cuts: false, color: false }
  const rendering = { format, width: page.width, cuts: page.cuts, color: page.color, verbose: options.verbose ?? false }
  const view = await readStatus(options, face).catch((error: unknown) => {
    if (output !== undefined && isForMonitor) leaveUnknown(output, error, face)
    throw error
  })
  const { text, code } = renderStatus(view, rendering)
  if (output !== undefined) replaceFile(output, text)
  else if (!options.quiet || format !== 'text' || code !== 0)
    await (format === 'json' || format === 'prometheus' ? face.out(text) : face.print(text))
  return isForMonitor ? code : exitCodes.sound
}

/** The reader of the file must not go on with what it said before. */
function leaveUnknown(file: string, error: unknown, face: Terminal): void {
  const { code, message } = describeError(error, face.commandLine)
  try {
    replaceFile(file, renderNoStatus(`${code}: ${message}`))
  } catch (second) {
    reportError(face, second) // Beside the first, which ends the command.
  }
}

/**
 * @throws {Failure} CONFIG_INVALID, LEDGER_UNUSABLE; TENANT_UNKNOWN where none is known of those that were asked about
 */
async function readStatus(options: StatusOptions, face: Terminal): Promise<StatusView> {
  const settings = await settingsToRead(options.config ?? null)
  const { dir } = settings.ledger
  await using ledger = await ledgerToRead(dir, wayOf(settings))
  const now = Date.now()
  const [results, holds, others] = [
    await ledger.lastResults(),
    await ledger.openHolds(),
    await leftBehind(await ledger.otherHolds(), dir),
  ]
  const known = [...results.filter((result) => !isGone(result)), ...holds, ...others.filter(mayBeOurs)]
  const choice = await chooseKnown(options, ledger, new Set(known.map(({ tenant }) => tenant)))
  const openHolds = holds
    .filter(({ tenant }) => choice.has(tenant))
    .map(async (hold) => ({ ...hold, leftBehind: !(await isOfRunningRun(dir, settings.service.name, hold, now)) }))
  const view: StatusView = {
    service: settings.service.name,
    selection: choice.selection,
    via: settings.service.kind,
    generatedAt: now,
    maxAgeMs: options.maxAge,
    tenants: results.filter((result) => choice.hasResult(result)).map(withTimes),
    openHolds: await Promise.all(openHolds),
    otherHolds: others.filter(({ tenant }) => choice.has(tenant)),
    config: settings.file,
    configNamed: configurationNamed(options),
    ledgerLost: ledger.holdsLost,
    lastFullSweepAt: lastFullSweep(await ledger.lastRuns(runsLookedAt)),
    pauses: await ledger.pauseTotals(),
  }
  if (ledger.notice !== null) noticeTo(face)(ledger.notice)
  return view
}

const withTimes = (result: LastResult): StatusView['tenants'][number] => ({ ...result, checkedAt: result.at })

const runsLookedAt = 1_000

/** The end of the newest sweep of everything, at full depth, that came to all of it. */
function lastFullSweep(runs: readonly RecordedRun[]): number | null {
  const full = runs.find(
    ({ finished }) =>
      finished !== null && finished.whole && finished.selected > 0 && finished.covered === finished.selected,
  )
  return full?.finished?.at ?? null
}
