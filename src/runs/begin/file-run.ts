/** A run over bare files: no service, no configuration, and a ledger only if `--ledger` names one. */

import PQueue from 'p-queue'
import { openChecker, type Checker, type CheckLimits } from '../../check/check.ts'
import type { InvariantRule } from '../../config/invariants.ts'
import { startHoldProcesses } from '../../hold/hold-processes.ts'
import { openSnapshotFolder } from '../../hold/snapshot/temporary-folder.ts'
import { bareFiles } from '../../ledger/folder.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import { openLedger } from '../../ledger/open-ledger.ts'
import { waitForRun, type RunWait } from '../../ledger/run-lock/wait-for-run.ts'
import type { RunId } from '../../model/brand.ts'
import type { SealLevel } from '../../model/result/evidence.ts'
import type { CheckDepth } from '../../model/result/reading.ts'
import type { Engine } from '../../model/result/reading.ts'
import type { AcceptedLimit } from '../../model/result/verdict.ts'
import { openRehearsals } from '../../repair/rehearse/rehearse.ts'
import { acquireCopy } from '../acquire-file.ts'
import type { Examination } from '../examine.ts'
import type { RunObserver, RunTotals } from '../pipeline.ts'
import { ProgressTracker } from '../progress-tracker.ts'
import { StopTheLine } from '../stop-the-line.ts'
import type { HoldTerms, RunContext } from './run-context.ts'
import { reportNotices } from './service-run.ts'
import { startInTurn } from './start-in-turn.ts'
import type { Target } from './target.ts'

export interface FileRunOptions {
  readonly run: RunId
  /** Folder of the ledger from the command line; null: nothing is recorded. */
  readonly ledger: string | null
  /** How to wait if another run uses this ledger; null: do not wait. */
  readonly waiting: RunWait | null
  /** Folder from the command line; null: see `openSnapshotFolder`. */
  readonly snapshots: string | null
  readonly settings: HoldTerms
  /** The weakest seal that is accepted. */
  readonly level: SealLevel
  readonly accept: readonly AcceptedLimit[]
  readonly invariants: readonly InvariantRule[]
  /** How large a part of the pages a check at depth `sample` reads; null at another depth. */
  readonly sampleShare: number | null
  readonly map: RunContext['map']
  readonly check: CheckLimits
  readonly checksInParallel: number
  /** What compares rows with index entries. */
  readonly engine: Engine
  /** True if findings show what index entries hold beside keys. */
  readonly showValues: boolean
  readonly depth: CheckDepth
  /** True if rebuilds are tried on a copy. */
  readonly rehearse: boolean
  readonly onStep: RunContext['onStep']
  /** Called with sentences about the ledger itself. */
  readonly onNotice: (notice: string) => void
  readonly keepSnapshot: RunContext['keepSnapshot']
  readonly backups: RunContext['backups']
}

/**
 * @param targets at least one
 * @param work its signal aborts when the person interrupts, or when the run lock of the ledger is lost
 * @throws {Failure} PLATFORM_UNSUPPORTED, GUARDIAN_LOST, SNAPSHOT_UNSAFE, NO_SPACE, RUN_ACTIVE, LEDGER_UNUSABLE
 */
export async function withFileRun<Value>(
  options: FileRunOptions,
  targets: readonly Target[],
  interrupt: AbortSignal,
  work: (context: RunContext, signal: AbortSignal) => Promise<Value>,
): Promise<Value> {
  if (options.ledger === null) return withContext(options, targets, null, (context) => work(context, interrupt))
  // Imported here, with its libraries: most runs over bare files have no ledger.
  const { takeRunLock } = await import('../../ledger/run-lock/run-lock.ts')
  const { ledger: dir } = options
  await using lock = await waitForRun(() => takeRunLock(dir, bareFiles, options.run), options.waiting)
  await using ledger = await openLedger(options.ledger, options.run)
  using _notices = reportNotices(ledger, options.onNotice)
  const signal = AbortSignal.any([interrupt, lock.compromised])
  return await withContext(options, targets, ledger, (context) => work(context, signal))
}

async function withContext<Value>(
  options: FileRunOptions,
  targets: readonly Target[],
  ledger: Ledger | null,
  work: (context: RunContext) => Promise<Value>,
): Promise<Value> {
  await using holdProcesses = await startHoldProcesses()
  await using folder = await openSnapshotFolder(options.snapshots, targets[0]?.named ?? null)
  await using checker = await openFileChecker(options, folder.path)
  return await work({
    holdProcesses,
    checker,
    folder: folder.path,
    ledger,
    harm: null,
    roots: null,
    settings: options.settings,
    levelFor: () => options.level,
    accept: options.accept,
    invariants: options.invariants,
    sampleShare: options.sampleShare,
    map: options.map,
    onStep: options.onStep,
    keepSnapshot: options.keepSnapshot,
    backups: options.backups,
    rehearsing: await rehearsalTermsOf(options, checker, folder.path),
    listsDatabases: false,
    connectionOf: () => null,
  })
}

const openFileChecker = (options: FileRunOptions, folder: string): Promise<Checker> =>
  openChecker({
    ...options.check,
    engine: options.engine,
    showValues: options.showValues,
    folder,
    parallel: options.checksInParallel,
  })

async function rehearsalTermsOf(
  { rehearse, check }: FileRunOptions,
  checker: Checker,
  folder: string,
): Promise<RunContext['rehearsing']> {
  return rehearse ? { rehearsals: await openRehearsals({ checker, folder, limits: check }), bytesMax: null } : null
}

/** `check --snapshot`: the user says that no program writes the files. Nothing is held or locked. Any platform. */
export async function checkCopies(
  options: FileRunOptions,
  targets: readonly Target[],
  observer: RunObserver,
  interrupt: AbortSignal,
): Promise<RunTotals> {
  const line = new StopTheLine(interrupt)
  await using folder = await openSnapshotFolder(options.snapshots, null)
  await using checker = await openFileChecker(options, folder.path)
  const { accept, invariants, map } = options
  const terms = await rehearsalTermsOf(options, checker, folder.path)
  const context = {
    checker,
    accept,
    invariants,
    sampleShare: null,
    ledger: null,
    backups: null,
    rehearsing: terms,
    folder: folder.path,
    map,
  }
  const checks = new PQueue({ concurrency: options.checksInParallel })
  const progress = new ProgressTracker(targets.length, observer)
  let copies = 0
  for (const target of targets) {
    if (line.signal.aborted) break
    await startInTurn(checks, () => line.guard(checkAndReport(target, `copy-${copies++}`)))
  }
  await checks.onIdle()
  line.throwBug()
  const notCovered = targets.length - progress.done
  return { covered: progress.done, notCovered, stopped: line.whyStopped(notCovered) }

  async function checkAndReport(target: Target, name: string): Promise<void> {
    progress.beginCheck(target)
    const examined = await check(target, name)
    progress.finish(target)
    observer.onResult(examined.result)
    line.consider(examined)
  }

  async function check(target: Target, name: string): Promise<Examination> {
    await using copy = await acquireCopy(target, context, name, options.depth, line.signal)
    return await copy.check(progress.pagesOf(target))
  }
}
