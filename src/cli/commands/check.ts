import { findConfiguration, loadSettings } from '../../config/load.ts'
import { realPathOf } from '../../host/files/path-kind.ts'
import { newRunId } from '../../ledger/run-lock/run-id.ts'
import { tenantId, type RunId } from '../../model/brand.ts'
import type { ExitCode } from '../../model/exit-code.ts'
import { Failure } from '../../model/failure.ts'
import { checkCopies, withFileRun } from '../../runs/begin/file-run.ts'
import { besideLockedFile, limitsFor } from '../../runs/begin/run-limits.ts'
import { withServiceRun } from '../../runs/begin/service-run.ts'
import type { Target } from '../../runs/begin/target.ts'
import { notHeld, unreadResult } from '../../runs/file-result.ts'
import { runPipeline, type RunTotals } from '../../runs/pipeline.ts'
import { sweep, type SweepObserver } from '../../runs/sweep.ts'
import { printable } from '../../text/printable.ts'
import { databasesOf } from '../database-files.ts'
import type { Invocation } from '../invocation.ts'
import {
  durationOption,
  engineOption,
  incidentOption,
  sampledDepthOption,
  waitOption,
  withReport,
  workersOption,
  type ReportOptions,
  type WantedDepth,
} from '../options.ts'
import { printReport, reportPrinting } from '../report-run/print-report.ts'
import { ResultsDocument } from '../report-run/results-document.ts'
import { fileRunOptions, type FileOptions } from '../run/file-run-options.ts'
import { applyOverrides } from '../run/overrides.ts'
import { withRecordedEnd } from '../run/record-end.ts'
import { withAlarms } from '../run/run-alarms.ts'
import { serviceRunOptions } from '../run/service-run-options.ts'
import { withProgress } from '../run/with-progress.ts'
import type { Terminal } from '../terminal/terminal.ts'

/** As commander gives them. */
type CommanderOptions = Omit<CheckCommandOptions, keyof WantedDepth> & { readonly depth: WantedDepth }

interface CheckCommandOptions extends ReportOptions, FileOptions {
  readonly snapshot?: boolean
  readonly map?: boolean
  readonly live?: boolean
  readonly recursive?: boolean
  readonly tenant?: readonly string[]
  readonly incident?: string
}

const printing = reportPrinting(
  (terminal) => new ResultsDocument(terminal, {}, { id: newRunId(), mode: 'check', registry: 'none' }),
)

const help = `
Examples:
  holdfast check app.db                 refused (75) while a program has it open
  holdfast check --live app.db          beside a program that has it open: a
                                        weaker proof (holdfast explain pinned)
  holdfast check --live /srv/app        every database in the folder
  holdfast check /srv/notes             every database in the folder
  holdfast check --recursive /srv       and in all folders below; links to
                                        folders are named, not followed
  holdfast check --snapshot copy.db     you promise that no program writes it
  holdfast check --map app.db           and draw where the damage is
  holdfast check --tenant acme bolt     pause, copy and check two tenants
  holdfast check --tenant acme --depth sample=5%
                                        the next twentieth of its pages, for
                                        files too large for one night

Exit codes: 0 sound, 1 failed, 2 damaged, 3 inconclusive,
  4 a tenant may be paused, 64 usage, 70 bug, 75 in use (try later),
  78 configuration, 129/130/131/143 ended by a signal`

export function addCheck(invocation: Invocation): void {
  withReport(
    invocation
      .add('check', printing)
      .description(
        'check files that no program has open, files in use (--live), private copies, or tenants of the service',
      ),
  )
    .argument('[files...]', 'database files, or folders of them')
    .option('--snapshot', 'the files are private copies: holdfast locks and proves nothing')
    .option('--live', 'beside programs that have the files open and write: no pause, level `pinned` (a weaker proof)')
    .option('--recursive', 'also check the databases in all folders below')
    .option('--tenant <id...>', 'hold and check these tenants of the configured service')
    .addOption(sampledDepthOption())
    .addOption(engineOption())
    .option('--map', 'draw the pages of each file: what owns them, and where the damage is')
    .addOption(workersOption('files'))
    .option('--timeout <duration>', 'longest time that one check may take', durationOption)
    .option('--snapshots <dir>', 'private folder for the snapshots (default: one under TMPDIR)')
    .option('--keep-snapshot <dir>', 'keep the snapshot of a single file there, with its manifest')
    .option('--show-values', 'show the values that indexes still hold of rows that their table may have lost')
    .option(
      '--ledger <dir>',
      'record there what the files contain; later runs report bytes that changed although nothing wrote',
    )
    .addOption(incidentOption())
    .addOption(waitOption())
    .addHelpText('after', help)
    .action((files: readonly string[], options: CommanderOptions) =>
      invocation.perform(() => check(files, { ...options, ...options.depth }, invocation.terminal)),
    )
}

async function check(files: readonly string[], options: CheckCommandOptions, terminal: Terminal): Promise<ExitCode> {
  const run = newRunId()
  const registry = options.tenant ? 'live' : 'none'
  using document = new ResultsDocument(terminal, options, { id: run, mode: 'check', registry })
  const copied = options.snapshot === true || options.keepSnapshot !== undefined
  return await printReport(document, terminal, { ...options, copied }, async () => {
    if (options.showValues && options.redactKeys)
      throw new Failure('USAGE', '--show-values shows what --redact-keys hides')
    return options.tenant
      ? checkTenants(options.tenant, files, options, { run, terminal, document })
      : checkFiles(files, options, { run, terminal, document })
  })
}

interface CheckRun {
  readonly run: RunId
  readonly terminal: Terminal
  readonly document: ResultsDocument
}

async function checkFiles(
  files: readonly string[],
  options: CheckCommandOptions,
  { run, terminal, document }: CheckRun,
): Promise<RunTotals> {
  if (files.length === 0)
    throw new Failure('USAGE', 'name the files to check, or tenants with --tenant', {
      hint: '`holdfast check --help` shows examples',
    })
  const { databases, unreadable, links } = await databasesOf(files, options.recursive ?? false)
  const named = databases.map((named) => ({ tenant: null, named }))
  const targets = options.snapshot ? named : await eachOnce(named)
  requireFileOptions(options, targets)
  const fileRun = await fileRunOptions({ ...options, rehearse: true }, terminal, run)
  if (!options.quiet) for (const link of links) terminal.say(`not followed: ${printable(link)} is a link to a folder`)
  document.select(targets)
  return withProgress(terminal, options, document, async (watching) => {
    for (const { path, failure } of unreadable) {
      watching.onResult(
        unreadResult(notHeld({ tenant: null, named: path }, options.depth, options.map ?? false), 'failed', failure),
      )
    }
    if (targets.length === 0) return { covered: 0, notCovered: 0, stopped: null }
    if (options.snapshot) return checkCopies(fileRun, targets, watching, terminal.interrupt.signal)
    return withFileRun(fileRun, targets, terminal.interrupt.signal, async (context, signal) => {
      const limits = await limitsFor(context.folder, options.depth, 1, fileRun.checksInParallel, besideLockedFile)
      return runPipeline(targets, context, limits, watching, signal)
    })
  })
}

/**
 * Each live file once, under the first name that leads to it. A second hold of the same file would meet the first one
 * and report it as another program's. Names that lead to no file keep a result each. Private copies are not held: there
 * each name counts.
 */
async function eachOnce(targets: readonly Target[]): Promise<readonly Target[]> {
  const seen = new Set<string>()
  const once: Target[] = []
  for (const target of targets) {
    const real = await realPathOf(target.named)
    if (real !== null && seen.has(real)) continue
    if (real !== null) seen.add(real)
    once.push(target)
  }
  return once
}

/** @throws {Failure} USAGE for options that have no meaning for these files */
function requireFileOptions(
  { keepSnapshot, snapshot, live, ledger, wait, incident, depth }: CheckCommandOptions,
  { length }: readonly Target[],
): void {
  if (live && snapshot)
    throw new Failure('USAGE', '--live is for files that programs have open, and --snapshot for private copies')
  if (keepSnapshot !== undefined && (length !== 1 || snapshot))
    throw new Failure('USAGE', '--keep-snapshot needs exactly one live file')
  if (ledger !== undefined && snapshot)
    throw new Failure(
      'USAGE',
      '--ledger is for live files: holdfast cannot know whether a copy is the one of the last run',
    )
  if (incident !== undefined) throw new Failure('USAGE', '--incident needs --tenant: files belong to no incident')
  if (depth === 'sample' && ledger === undefined)
    throw new Failure('USAGE', '--depth sample needs --tenant or --ledger: it begins where the last one stopped')
  if (wait !== undefined && ledger === undefined)
    throw new Failure('USAGE', '--wait needs --tenant or --ledger: without a ledger no run waits for another')
}

async function checkTenants(
  ids: readonly string[],
  files: readonly string[],
  options: CheckCommandOptions,
  { run, terminal, document }: CheckRun,
): Promise<RunTotals> {
  requireTenantOptions(files, options)
  const settings = applyOverrides(await loadSettings(await findConfiguration(options.config ?? null)), options)
  await document.keepWith(settings)
  const { engine, map = false, showValues = false, depth, sampleShare = null } = options
  const about = { terminal, options, run, document, mode: 'check', isWhole: () => false }
  return withAlarms(settings, about, (alarms) => {
    const incident = options.incident ?? null
    const more = { engine, map, sampleShare, showValues, incident, document, alarms }
    return withServiceRun(settings, serviceRunOptions(terminal, options, run, 'check', more), (service) => {
      const selection = { kind: 'tenants', ids: ids.map(tenantId) } as const
      const work = (watching: SweepObserver) => sweep(service, { selection, depth }, watching)
      return withRecordedEnd(
        service,
        document,
        false,
        () => withProgress(terminal, options, document, work, alarms),
        alarms,
      )
    })
  })
}

/** @throws {Failure} USAGE for files beside tenants, and for options that are about files */
function requireTenantOptions(files: readonly string[], options: CheckCommandOptions): void {
  if (options.live)
    throw new Failure('USAGE', '--live is for files, not for --tenant', {
      hint: 'hold.require: pinned in the configuration does the same for tenants (`holdfast explain hold.require`)',
    })
  if (files.length > 0 || options.snapshot || options.recursive || options.ledger !== undefined)
    throw new Failure(
      'USAGE',
      '--tenant cannot be used with files, --recursive, --snapshot or --ledger: ' +
        'tenants have the ledger of the configuration',
    )
  if (options.snapshots !== undefined || options.keepSnapshot !== undefined)
    throw new Failure('USAGE', '--snapshots and --keep-snapshot are for files', {
      hint: 'tenants have the snapshot folder of the configuration; `holdfast pull ID DIR` keeps a snapshot of one',
    })
}
