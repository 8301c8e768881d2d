/**
 * A run over bare files: no service and no configuration, and a ledger only where one is named. The seal alone decides.
 */
import PQueue from 'p-queue'
import { openChecker, type CheckLimits } from '../../check/check.ts'
import { startHoldProcesses } from '../../hold/hold-processes.ts'
import type { HoldSettings } from '../../hold/hold.ts'
import { openSnapshotFolder } from '../../hold/snapshot/temporary-folder.ts'
import { bareFiles } from '../../ledger/folder.ts'
import { openLedger, type Ledger } from '../../ledger/ledger.ts'
import { waitForRun, type Waiting } from '../../ledger/run-lock/wait-for-run.ts'
import type { RunId } from '../../model/brand.ts'
import type { Engine } from '../../model/result/reading.ts'
import { acquireCopy } from '../acquire-file.ts'
import type { Examined } from '../examine.ts'
import { ProgressTracker, type RunObserver, type RunTotals } from '../pipeline.ts'
import { StopTheLine } from '../stop-the-line.ts'
import { begin } from './begin.ts'
import type { RunContext, Target } from './run-context.ts'
import { tellingNotices } from './service-run.ts'

export interface FileRunOptions {
  readonly run: RunId
  /** Folder of the ledger from the command line; null: nothing is remembered. */
  readonly ledger: string | null
  /** For another run with that ledger to end; null: not at all. */
  readonly waiting: Waiting | null
  /** Folder from the command line; null: see `openSnapshotFolder`. */
  readonly snapshots: string | null
  readonly settings: HoldSettings
  readonly accept: readonly 'unknown-collation'[]
  readonly map: boolean
  readonly check: CheckLimits
  readonly checksAtOnce: number
  /** What compares rows with index entries. */
  readonly engine: Engine
  /** Whether findings tell what index entries hold beside keys. */
  readonly showValues: boolean
  readonly depth: 'quick' | 'full'
  readonly onStep: RunContext['onStep']
  /** Told what has to be said of the ledger itself. */
  readonly onNotice: (notice: string) => void
  readonly keep: RunContext['keep']
}

/**
 * @param targets at least one
 * @param work told of the signal that aborts when the person interrupts, or when the run lock of the ledger is lost
 * @throws {Failure} PLATFORM_UNSUPPORTED, GUARDIAN_LOST, SNAPSHOT_UNSAFE, NO_SPACE, RUN_ACTIVE, LEDGER_UNUSABLE
 */
export async function withFileRun<Value>(
  run: FileRunOptions,
  targets: readonly Target[],
  interrupt: AbortSignal,
  work: (crew: RunContext, signal: AbortSignal) => Promise<Value>,
): Promise<Value> {
  if (run.ledger === null) return withBareCrew(run, targets, null, (crew) => work(crew, interrupt))
  // With its libraries: most runs over bare files remember nothing.
  const { takeRunLock } = await import('../../ledger/run-lock/run-lock.ts')
  const { ledger: dir } = run
  await using lock = await waitForRun(() => takeRunLock(dir, bareFiles, run.run), run.waiting)
  await using ledger = await openLedger(run.ledger, run.run)
  using _notices = tellingNotices(ledger, run.onNotice)
  return await withBareCrew(run, targets, ledger, (crew) => work(crew, AbortSignal.any([interrupt, lock.compromised])))
}

async function withBareCrew<Value>(
  run: FileRunOptions,
  targets: readonly Target[],
  ledger: Ledger | null,
  work: (crew: RunContext) => Promise<Value>,
): Promise<Value> {
  await using companions = await startHoldProcesses()
  await using folder = await openSnapshotFolder(run.snapshots, targets[0]?.named ?? null)
  await using checker = await openChecker({
    ...run.check,
    engine: run.engine,
    showValues: run.showValues,
    folder: folder.path,
    parallel: run.checksAtOnce,
  })
  return await work({
    companions,
    checker,
    folder: folder.path,
    ledger,
    roots: null,
    settings: run.settings,
    accept: run.accept,
    map: run.map,
    onStep: run.onStep,
    keep: run.keep,
    keeperOf: () => ({ kind: 'nobody' }),
  })
}

/** `check --snapshot`: the caller vouches for the files; nothing is held, locked or proven. Works on any platform. */
export async function checkCopies(
  run: FileRunOptions,
  targets: readonly Target[],
  watching: RunObserver,
  interrupt: AbortSignal,
): Promise<RunTotals> {
  const line = new StopTheLine(interrupt)
  await using folder = await openSnapshotFolder(run.snapshots, null)
  await using checker = await openChecker({
    ...run.check,
    engine: run.engine,
    showValues: run.showValues,
    folder: folder.path,
    parallel: run.checksAtOnce,
  })
  const checks = new PQueue({ concurrency: run.checksAtOnce })
  const at = new ProgressTracker(targets.length, watching)
  let copies = 0
  for (const target of targets) {
    if (line.signal.aborted) break
    await begin(checks, () => line.guard(examine(target, `copy-${copies++}`)))
  }
  await checks.onIdle()
  line.throwBug()
  const notCovered = targets.length - at.done
  return { covered: at.done, notCovered, stopped: line.stopped(notCovered) }

  async function examine(target: Target, name: string): Promise<void> {
    at.checking(target)
    const examined = await checkCopy(target, name)
    at.finished(target)
    watching.onResult(examined.result)
    line.look(examined)
  }

  async function checkCopy(target: Target, name: string): Promise<Examined> {
    await using taken = await acquireCopy(
      target,
      { checker, accept: run.accept, folder: folder.path, map: run.map },
      name,
      run.depth,
      line.signal,
    )
    return await taken.check(at.pagesOf(target))
  }
}
