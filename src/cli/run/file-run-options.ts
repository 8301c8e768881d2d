/** How a command opens a run over bare files, without a service. */
import { availableParallelism } from 'node:os'
import { doubtfulEntries } from '../../config/accepted-limits.ts'
import { defaultCheckSettings, defaultHoldSettings, defaultLiveSettings } from '../../config/defaults.ts'
import { requiredLevel } from '../../config/levels/required-level.ts'
import { findConfiguration, loadSettings } from '../../config/load.ts'
import type { RunId } from '../../model/brand.ts'
import type { CheckDepth, Engine } from '../../model/result/reading.ts'
import type { FileRunOptions } from '../../runs/begin/file-run.ts'
import type { MapChoice } from '../../runs/begin/run-context.ts'
import { checkLimits } from '../../runs/begin/run-limits.ts'
import { keepSnapshotsIn } from '../../runs/keep-snapshot.ts'
import { printable } from '../../text/printable.ts'
import { logSteps } from '../log/log.ts'
import type { CommonOptions } from '../options.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { reportNotice } from './report-holds.ts'
import { runWaitOf, type WaitOptions } from './wait-option.ts'

export interface FileOptions extends CommonOptions, WaitOptions {
  readonly depth: CheckDepth
  readonly sampleShare?: number | null
  readonly engine: Engine
  readonly workers?: number
  readonly timeout?: number
  readonly snapshots?: string
  readonly keepSnapshot?: string
  readonly map?: MapChoice
  /** True: programs may have the files open, and none is asked to stand still. */
  readonly live?: boolean
  readonly ledger?: string
  readonly showValues?: boolean
  /** False: the command reports no remedy of a check. */
  readonly rehearse?: boolean
}

/** A configuration counts for bare files only if `--config` names it, because it may allow a weaker seal. */
export async function fileRunOptions(options: FileOptions, terminal: Terminal, run: RunId): Promise<FileRunOptions> {
  const settings = options.config === undefined ? null : await loadSettings(await findConfiguration(options.config))
  for (const doubtful of doubtfulEntries(settings?.check.accept ?? []))
    terminal.say(`holdfast: configuration: ${doubtful}`)
  const hold = settings?.hold ?? defaultHoldSettings
  const check = settings?.check ?? defaultCheckSettings
  const limits = checkLimits({ check })
  return {
    run,
    ledger: options.ledger ?? null,
    waiting: runWaitOf(terminal, options),
    snapshots: options.snapshots ?? null,
    accept: check.accept,
    invariants: options.rehearse === true ? check.invariants : [],
    depth: options.depth,
    sampleShare: options.sampleShare ?? null,
    rehearse: options.rehearse === true && check.rehearse !== false,
    engine: options.engine,
    map: options.map ?? false,
    showValues: options.showValues ?? false,
    keepSnapshot:
      options.keepSnapshot === undefined
        ? null
        : await keepSnapshotsIn(options.keepSnapshot, terminal.version, reportKept('kept in', terminal, options)),
    backups: null,
    settings: {
      ...hold,
      live: settings?.live ?? defaultLiveSettings,
      trustMounts: settings?.tenants.trustMounts ?? [],
    },
    level: options.live === true ? 'pinned' : requiredLevel(hold.require, null),
    check: { ...limits, timeoutMs: options.timeout ?? limits.timeoutMs },
    checksInParallel: options.workers ?? (check.workers === 'auto' ? availableParallelism() : check.workers),
    onStep: logSteps(terminal, run, options.logLevel),
    onNotice: reportNotice(terminal),
  }
}

/** Reports where a snapshot was put, except with `--quiet`: the command line names the folder. */
export const reportKept =
  (where: string, terminal: Terminal, { quiet }: Pick<CommonOptions, 'quiet'>) =>
  (database: string): void => {
    if (!quiet) terminal.say(`${where} ${printable(database)}`)
  }
