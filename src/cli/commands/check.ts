import { availableParallelism } from 'node:os'
import type { Command } from 'commander'
import { defaultCheckSettings, defaultHoldSettings } from '../../config/defaults.ts'
import { findConfiguration, loadSettings } from '../../config/load.ts'
import { notHeld, unreadResult } from '../../fleet/file-result.ts'
import { keepSnapshotsIn } from '../../fleet/keep-snapshot.ts'
import { workThrough, type RunTotals } from '../../fleet/pipeline.ts'
import { checkCopies, withFileRun, type FileRunOptions } from '../../fleet/run/file-run.ts'
import type { Target } from '../../fleet/run/run-context.ts'
import { besideLockedFile, checkLimits, limitsFor, withServiceRun } from '../../fleet/run/service-run.ts'
import { sweep, type SweepObserver } from '../../fleet/sweep.ts'
import { realPathOf } from '../../host/files/path-kind.ts'
import { newRunId } from '../../ledger/run-lock/run-id.ts'
import { tenantId, type RunId } from '../../model/brand.ts'
import type { ExitCode } from '../../model/exit-code.ts'
import { Failure } from '../../model/failure.ts'
import type { Engine } from '../../model/result/reading.ts'
import { printable } from '../../text/printable.ts'
import { databasesOf } from '../database-files.ts'
import { logSteps } from '../log.ts'
import type { Act } from '../main.ts'
import {
  depthOption,
  durationOption,
  engineOption,
  positiveNumber,
  waitOption,
  withReport,
  type ReportOptions,
} from '../options.ts'
import { showProgress } from '../progress/progress.ts'
import { ReportRun } from '../report-run/report-run.ts'
import { untilFinished } from '../run/finishing.ts'
import { overridden } from '../run/overrides.ts'
import { noticeTo, openingOf } from '../run/run-options.ts'
import { waitingOf } from '../run/waiting.ts'
import type { Terminal } from '../terminal/terminal.ts'

interface CheckOptions extends ReportOptions {
  readonly snapshot?: boolean
  readonly recursive?: boolean
  readonly tenant?: readonly string[]
  readonly depth: 'quick' | 'full'
  readonly engine: Engine
  readonly map?: boolean
  readonly workers?: number
  readonly timeout?: number
  readonly snapshots?: string
  readonly keepSnapshot?: string
  readonly ledger?: string
  readonly showValues?: boolean
  readonly wait?: number
}

export function addCheck(program: Command, face: Terminal, act: Act): void {
  withReport(
    program.command('check').description('check files that nobody has open, private copies, or tenants of the service'),
  )
    .argument('[files...]', 'database files, or folders of them')
    .option('--snapshot', 'the files are private copies: nothing is locked, nothing proven')
    .option('--recursive', 'also check the databases in all folders below')
    .option('--tenant <id...>', 'hold and check these tenants of the configured service')
    .addOption(depthOption())
    .addOption(engineOption())
    .option('--map', 'draw the pages of each file: whose they are, and where the damage lies')
    .option('--workers <n>', 'files that are checked at the same time', positiveNumber)
    .option('--timeout <duration>', 'longest time that one check may take', durationOption)
    .option('--snapshots <dir>', 'private folder for the snapshots (default: one under TMPDIR)')
    .option('--keep-snapshot <dir>', 'keep the snapshot of a single file there, with its manifest')
    .option('--show-values', 'show the values that indexes still hold of rows that their table may have lost')
    .option(
      '--ledger <dir>',
      'remember there what files hold; later runs report bytes that changed although nothing wrote',
    )
    .addOption(waitOption())
    .addHelpText(
      'after',
      `
Examples:
  holdfast check app.db                 refused (75) while anybody has it open
  holdfast check /srv/notes             every database in the folder
  holdfast check --recursive /srv       and in all folders below; links to
                                        folders are named, and not followed
  holdfast check --snapshot copy.db     you say that nobody writes it
  holdfast check --map app.db           and draw where the damage lies
  holdfast check --tenant acme bolt     the whole hold against the service

Exit codes: 0 sound, 1 failed, 2 damaged, 3 inconclusive,
  4 a tenant may be paused, 64 usage, 70 bug, 75 in use (try later),
  78 configuration, 129/130/131/143 ended by a signal`,
    )
    .action((files: readonly string[], options: CheckOptions) => act(() => check(files, options, face)))
}

async function check(files: readonly string[], options: CheckOptions, face: Terminal): Promise<ExitCode> {
  const run = newRunId()
  const copied = options.snapshot === true || options.keepSnapshot !== undefined
  using outcome = new ReportRun(
    face,
    { ...options, copied },
    { id: run, mode: 'check', registry: options.tenant ? 'live' : 'none' },
  )
  return await outcome.of(async () => {
    if (options.showValues && options.redactKeys)
      throw new Failure('USAGE', '--show-values shows what --redact-keys hides')
    return options.tenant
      ? checkTenants(options.tenant, files, options, { run, face, outcome })
      : checkFiles(files, options, { run, face, outcome })
  })
}

interface Running {
  readonly run: RunId
  readonly face: Terminal
  readonly outcome: ReportRun
}

/**
 * Each live file once, by the first of the names that lead to it: a second hold of it would meet the first, and call it
 * a stranger's. What leads nowhere keeps a result for each name. Copies stay as they are named: nobody holds them.
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

async function checkFiles(
  files: readonly string[],
  options: CheckOptions,
  { run, face, outcome }: Running,
): Promise<RunTotals> {
  if (files.length === 0)
    throw new Failure('USAGE', 'name the files to check, or tenants with --tenant', {
      hint: '`holdfast check --help` shows examples',
    })
  const { databases, unreadable, links } = await databasesOf(files, options.recursive ?? false)
  const named = databases.map((named) => ({ tenant: null, named }))
  const targets = options.snapshot ? named : await eachOnce(named)
  if (options.keepSnapshot !== undefined && (targets.length !== 1 || options.snapshot))
    throw new Failure('USAGE', '--keep-snapshot goes with a single live file')
  if (options.ledger !== undefined && options.snapshot)
    throw new Failure(
      'USAGE',
      '--ledger goes with live files: of a copy nobody knows whether it is the one of last time',
    )
  if (options.wait !== undefined && options.ledger === undefined)
    throw new Failure('USAGE', '--wait goes with --tenant or --ledger: without a ledger no run waits for another')
  const bare = await bareRun(options, face, run)
  if (!options.quiet) for (const link of links) face.say(`not followed: ${printable(link)} is a link to a folder`)
  outcome.select(targets)
  return withProgress(face, options, outcome, async (watching) => {
    for (const { path, failure } of unreadable) {
      watching.onResult(
        unreadResult(notHeld({ tenant: null, named: path }, options.depth, options.map ?? false), 'failed', failure),
      )
    }
    if (targets.length === 0) return { covered: 0, notCovered: 0, stopped: null }
    if (options.snapshot) return checkCopies(bare, targets, watching, face.interrupt.signal)
    return withFileRun(bare, targets, face.interrupt.signal, async (crew, signal) => {
      const limits = await limitsFor(crew.folder, options.depth, 1, bare.checksInParallel, besideLockedFile)
      return workThrough(targets, crew, limits, watching, signal)
    })
  })
}

export type BareOptions = Pick<
  CheckOptions,
  | 'config'
  | 'depth'
  | 'engine'
  | 'workers'
  | 'timeout'
  | 'snapshots'
  | 'keepSnapshot'
  | 'quiet'
  | 'logLevel'
  | 'map'
  | 'ledger'
  | 'showValues'
  | 'wait'
>

/** A configuration counts for bare files only when it is named: it may allow a weaker seal. */
export async function bareRun(options: BareOptions, face: Terminal, run: RunId): Promise<FileRunOptions> {
  const settings = options.config === undefined ? null : await loadSettings(await findConfiguration(options.config))
  const hold = settings?.hold ?? defaultHoldSettings
  const check = settings?.check ?? defaultCheckSettings
  const limits = checkLimits({ check })
  return {
    run,
    ledger: options.ledger ?? null,
    waiting: waitingOf(face, options),
    snapshots: options.snapshots ?? null,
    accept: check.accept,
    depth: options.depth,
    engine: options.engine,
    map: options.map ?? false,
    showValues: options.showValues ?? false,
    keepSnapshot:
      options.keepSnapshot === undefined
        ? null
        : await keepSnapshotsIn(options.keepSnapshot, face.version, tellKept('kept in', face, options)),
    settings: { ...hold, trustMounts: settings?.tenants.trustMounts ?? [] },
    check: { ...limits, timeoutMs: options.timeout ?? limits.timeoutMs },
    checksInParallel: options.workers ?? (check.workers === 'auto' ? availableParallelism() : check.workers),
    onStep: logSteps(face, run, options.logLevel),
    onNotice: noticeTo(face),
  }
}

/** Says where a snapshot was put, unless no word was asked for: whoever named the folder knows it. */
export const tellKept =
  (where: string, face: Terminal, { quiet }: Pick<ReportOptions, 'quiet'>) =>
  (database: string): void => {
    if (!quiet) face.say(`${where} ${printable(database)}`)
  }

async function checkTenants(
  ids: readonly string[],
  files: readonly string[],
  options: CheckOptions,
  { run, face, outcome }: Running,
): Promise<RunTotals> {
  if (files.length > 0 || options.snapshot || options.recursive || options.ledger !== undefined)
    throw new Failure(
      'USAGE',
      '--tenant goes without files, --recursive, --snapshot and --ledger: tenants have the ledger of the configuration',
    )
  if (options.snapshots !== undefined || options.keepSnapshot !== undefined) {
    throw new Failure('USAGE', '--snapshots and --keep-snapshot go with files', {
      hint: 'tenants have the snapshot folder of the configuration; `holdfast pull ID DIR` keeps a snapshot of one',
    })
  }
  const { workers, timeout } = options
  const settings = overridden(await loadSettings(await findConfiguration(options.config ?? null)), { workers, timeout })
  return withServiceRun(
    settings,
    openingOf(face, options, run, 'check', {
      engine: options.engine,
      map: options.map ?? false,
      showValues: options.showValues ?? false,
      outcome,
    }),
    (service) =>
      untilFinished(service, outcome, false, () =>
        withProgress(face, options, outcome, (watching) =>
          sweep(service, { selection: { kind: 'tenants', ids: ids.map(tenantId) }, depth: options.depth }, watching),
        ),
      ),
  )
}

/** Shows progress while `work` runs, and gathers its results. */
export async function withProgress<Done extends Pick<RunTotals, 'notCovered' | 'stopped'>>(
  face: Terminal,
  options: ReportOptions,
  outcome: ReportRun,
  work: (watching: SweepObserver) => Promise<Done>,
): Promise<Done> {
  using line = await showProgress(face, options.quiet ?? false)
  return await work({
    onSelected: (targets) => outcome.select(targets),
    onResult: (result) => outcome.add(result),
    onProgress: (progress) => line.update(progress),
  })
}
