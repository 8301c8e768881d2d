import { Option } from 'commander'
import type { ScheduledSettings } from '../../config/last-good.ts'
import { wayOf } from '../../config/service-way.ts'
import { replaceFile } from '../../host/files/replace-file.ts'
import { isOfRunningRun, findAbandonedHolds } from '../../ledger/at-work.ts'
import { openIncident, standingHarm } from '../../ledger/incident.ts'
import type { LastResult, LedgerReader, NotableResults, QuietFiles } from '../../ledger/ledger.ts'
import { exitCodes, type ExitCode } from '../../model/exit-code.ts'
import { mayBeOurs } from '../../model/service-way.ts'
import { absencesIn, lastFullSweepAt, oldestBackupAt, outdatedConfiguration } from '../../report/status/absences.ts'
import { filesGone, type GoneName } from '../../report/status/files-gone.ts'
import { filesIn, type StatusFormat, type StatusView, type TenantSummary } from '../../report/status/status-view.ts'
import { renderStatus } from '../../report/status/status.ts'
import { isGone } from '../../runs/begin/registry.ts'
import type { Invocation } from '../invocation.ts'
import {
  configurationPath,
  durationOption,
  namedFile,
  onlyOption,
  patternHelp,
  withCommon,
  type CommonOptions,
} from '../options.ts'
import { printMonitorLine, textOrDocument, type ChoosePrinter } from '../printing/printer.ts'
import { ledgerToRead, settingsOfSchedule } from '../read-ledger.ts'
import { reportNotice } from '../run/report-holds.ts'
import { absenceTermsOf, readSweepFacts } from '../run/sweep-facts.ts'
import { leaveUnknown, leaveUnknownUnlessEmpty, requireOutsideRoots } from '../status-file.ts'
import { chooseKnown } from '../status-selection.ts'
import type { Terminal } from '../terminal/terminal.ts'

interface StatusCommandOptions extends CommonOptions {
  readonly format: StatusFormat
  readonly maxAge: number
  readonly output?: string
  readonly tenant?: readonly string[]
  readonly only?: readonly string[]
}

const isForMonitor = (format: unknown): boolean => format === 'nagios' || format === 'monit'

/** `--json` counts before `--format`, and the last of several formats counts. */
const printing: ChoosePrinter = (terminal, given) =>
  given['json'] !== true && isForMonitor(given['format']) ? printMonitorLine(terminal) : textOrDocument(terminal, given)

const help = `
With --tenant or --only the status is about these tenants alone. Each has its
own age, and the last full sweep does not matter. Metrics of pauses are always
about all tenants.
${patternHelp}

With --output, a program that reads <file> gets the old status or the new one,
never a part of it. <file> keeps its mode and its group; a new file has mode
0644. If holdfast has no status for nagios or monit, <file> says UNKNOWN, as
stdout does. The program should also check the age of <file>. <file> must not be
in a folder of tenants.roots.

Examples:
  holdfast status                      for a person
  holdfast status --format nagios --max-age 26h
  holdfast status --tenant acme bolt --only 'c*' --format monit
  holdfast status --format prometheus --output /var/lib/metrics/h.prom

Exit codes: 0 answered, 1 failed, 64 usage, 70 bug, 78 configuration;
  for nagios and monit 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN`

export function addStatus(invocation: Invocation): void {
  withCommon(
    invocation.add('status', printing).description('what the ledger knows; no tenant is touched'),
    'holdfast.status/1; the same as --format json',
  )
    .addOption(
      new Option('--format <format>', 'form of the status')
        .choices(['text', 'json', 'nagios', 'monit', 'prometheus'])
        .default('text'),
    )
    .addOption(
      new Option('--max-age <duration>', 'checks older than this are stale')
        .argParser(durationOption)
        .default(durationOption('26h'), '26h'),
    )
    .option('--tenant <id...>', 'only these tenants')
    .addOption(onlyOption())
    .option('--output <file>', 'write the status to this file instead of stdout', namedFile)
    .addHelpText('after', help)
    .action((options: StatusCommandOptions) => invocation.perform(() => printStatus(options, invocation.terminal)))
}

async function printStatus(options: StatusCommandOptions, terminal: Terminal): Promise<ExitCode> {
  const format = options.json ? 'json' : options.format
  const { output } = options
  const fileForMonitor = isForMonitor(format) ? output : undefined
  const scheduled = await settingsOfSchedule(options.config ?? null, terminal).catch(async (error: unknown) => {
    if (fileForMonitor !== undefined) await leaveUnknownUnlessEmpty(fileForMonitor, error, terminal)
    throw error
  })
  if (output !== undefined) await requireOutsideRoots(output, scheduled.settings.tenants.roots)
  const { view, all } = await readStatus(scheduled, options, terminal).catch((error: unknown) => {
    if (fileForMonitor !== undefined) leaveUnknown(fileForMonitor, error, terminal)
    throw error
  })
  // The text of a file is that of a pipe.
  const page = output === undefined ? terminal : { width: Infinity, cuts: false, color: false }
  const rendering = { format, width: page.width, cuts: page.cuts, color: page.color, verbose: options.verbose ?? false }
  const { text, code } = renderStatus(view, rendering, all)
  if (output !== undefined) replaceFile(output, text)
  else if (!options.quiet || format !== 'text' || code !== 0)
    for (const piece of text)
      await (format === 'json' || format === 'prometheus' ? terminal.out(piece) : terminal.print(piece))
  return isForMonitor(format) ? code : exitCodes.sound
}

interface ReadStatus {
  readonly view: StatusView
  /** The files that a document lists. */
  readonly all: Iterable<TenantSummary>
}

/** @throws {Failure} LEDGER_UNUSABLE; TENANT_UNKNOWN for a tenant or a pattern that the ledger does not know */
async function readStatus(
  { settings, outdated }: ScheduledSettings,
  options: StatusCommandOptions,
  terminal: Terminal,
): Promise<ReadStatus> {
  const { dir } = settings.ledger
  await using ledger = await ledgerToRead(dir, wayOf(settings))
  const now = Date.now()
  const { results, others: quiet, all } = await readResults(ledger, options, now)
  const holds = await ledger.openHolds()
  const others = await findAbandonedHolds(await ledger.otherHolds(), dir)
  const known = [...results.filter((result) => !isGone(result)), ...holds, ...others.filter(mayBeOurs)]
  const choice = await chooseKnown(options, ledger, new Set(known.map(({ tenant }) => tenant)))
  const openHolds = holds
    .filter(({ tenant }) => choice.has(tenant))
    .map(async (hold) => ({ ...hold, leftBehind: !(await isOfRunningRun(dir, settings.service.name, hold, now)) }))
  const facts = await readSweepFacts(ledger, settings, null)
  const incident = openIncident(facts.runs, now)
  const tenants = results.filter((result) => choice.hasResult(result)).map(withTimes)
  const filesLeft = filesIn({ tenants, ...(quiet === null ? {} : { others: quiet }) })
  const view: StatusView = {
    service: settings.service.name,
    selection: choice.selection,
    via: settings.service.kind,
    generatedAt: now,
    maxAgeMs: options.maxAge,
    tenants,
    ...(quiet === null ? {} : { others: quiet }),
    openHolds: await Promise.all(openHolds),
    otherHolds: others.filter(({ tenant }) => choice.has(tenant)),
    config: settings.file,
    configNamed: configurationPath(options),
    ledgerLost: ledger.holdsLost,
    lastFullSweepAt: lastFullSweepAt(facts),
    harm: standingHarm(facts.runs),
    incident: incident === null ? null : { id: incident.id, since: incident.since },
    // The last full sweep does not matter if only some tenants were asked about: each has its own age.
    absences: [
      ...(outdated === null ? [] : [outdatedConfiguration(outdated.since, outdated.failure.message)]),
      ...(choice.selection === null
        ? [
            ...absencesIn(facts, absenceTermsOf(settings, now, options.maxAge)),
            ...filesGone(results.filter(isGone).map(goneName), filesLeft, facts.runs),
          ]
        : []),
    ],
    oldestBackupAt: choice.selection === null ? oldestBackupAt(facts.runs) : null,
    pauses: await ledger.pauseTotals(),
  }
  if (ledger.notice !== null) reportNotice(terminal)(ledger.notice)
  return { view, all: all === null ? view.tenants : eachKnown(all) }
}

const goneName = ({ tenant, path, failure, at }: LastResult): GoneName => ({
  name: failure === 'FILE_GONE' ? path : tenant,
  at,
})

/** Without those that are gone. */
function* eachKnown(all: Iterable<LastResult>): Generator<TenantSummary> {
  for (const result of all) if (!isGone(result)) yield withTimes(result)
}

interface ReadResults extends Pick<NotableResults, 'results'> {
  /** null if `results` has all files. */
  readonly others: QuietFiles | null
  /** All files of the service, for a document; null if `results` has what it needs. */
  readonly all: Iterable<LastResult> | null
}

/** A person or a monitor gets no list of files that are all well. A document of all files is read piece by piece. */
async function readResults(
  ledger: LedgerReader,
  { tenant, only, format, json, verbose, maxAge }: StatusCommandOptions,
  now: number,
): Promise<ReadResults> {
  const since = now - maxAge
  if (tenant !== undefined || only !== undefined)
    return { results: await ledger.lastResults(), others: null, all: null }
  if (json === true || format === 'json') {
    const { all, notable } = await ledger.allResults(since, now)
    return { ...notable, all }
  }
  if (verbose === true) return { results: await ledger.lastResults(), others: null, all: null }
  return { ...(await ledger.notableResults(since, now)), all: null }
}

function withTimes(result: LastResult): TenantSummary {
  const { settledMark: _settledMark, ...rest } = result
  return { ...rest, checkedAt: result.at }
}
