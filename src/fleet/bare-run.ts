/** A run over bare files: no service, no configuration, no ledger. The seal alone decides. */
import PQueue from 'p-queue'
import { openChecker, type CheckLimits } from '../check/check.ts'
import { startCompanions } from '../hold/companions.ts'
import type { HoldSettings } from '../hold/hold.ts'
import { openSnapshotFolder } from '../hold/snapshot-folder.ts'
import type { Engine } from '../model/reading.ts'
import type { Result } from '../model/report.ts'
import type { Crew, Target } from './crew.ts'
import { Stations, type Watching, type Worked } from './pipeline.ts'
import { StopTheLine } from './stop-the-line.ts'
import { takeCopy } from './take.ts'

export interface BareRun {
  /** Folder from the command line; null: see `openSnapshotFolder`. */
  readonly snapshots: string | null
  readonly settings: HoldSettings
  readonly accept: readonly 'unknown-collation'[]
  readonly map: boolean
  readonly check: CheckLimits
  readonly checksAtOnce: number
  /** What compares rows with index entries. */
  readonly engine: Engine
  readonly depth: 'quick' | 'full'
  readonly onStep: Crew['onStep']
  readonly keep: Crew['keep']
}

/** @param targets at least one @throws {Failure} PLATFORM_UNSUPPORTED, GUARDIAN_LOST, SNAPSHOT_UNSAFE, NO_SPACE */
export async function withBareRun<Value>(run: BareRun, targets: readonly Target[], work: (crew: Crew) => Promise<Value>): Promise<Value> {
  await using companions = await startCompanions()
  await using folder = await openSnapshotFolder(run.snapshots, targets[0]?.named ?? null)
  await using checker = await openChecker({ ...run.check, engine: run.engine, folder: folder.path, parallel: run.checksAtOnce })
  return await work({
    companions, checker, folder: folder.path, ledger: null, roots: null, settings: run.settings, accept: run.accept, map: run.map, onStep: run.onStep, keep: run.keep,
    keeperOf: () => ({ kind: 'nobody' }),
  })
}

/** `check --snapshot`: the caller vouches for the files; nothing is held, locked or proven. Works on any platform. */
export async function checkCopies(run: BareRun, targets: readonly Target[], watching: Watching, interrupt: AbortSignal): Promise<Worked> {
  const line = new StopTheLine(interrupt)
  await using folder = await openSnapshotFolder(run.snapshots, null)
  await using checker = await openChecker({ ...run.check, engine: run.engine, folder: folder.path, parallel: run.checksAtOnce })
  const checks = new PQueue({ concurrency: run.checksAtOnce })
  const at = new Stations(targets.length, watching)
  let copies = 0
  for (const target of targets) {
    await checks.onSizeLessThan(1)
    if (line.signal.aborted) break
    void checks.add(() => line.guard(examine(target, `copy-${copies++}`)))
  }
  await checks.onIdle()
  line.throwBug()
  return { covered: at.done, notCovered: targets.length - at.done, stopped: line.reason }

  async function examine(target: Target, name: string): Promise<void> {
    at.checking(target)
    const result = await checkCopy(target, name)
    at.finished(target)
    watching.onResult(result)
  }

  async function checkCopy(target: Target, name: string): Promise<Result> {
    await using taken = await takeCopy(target, { checker, accept: run.accept, folder: folder.path, map: run.map }, name, run.depth, line.signal)
    return await taken.check(at.pagesOf(target))
  }
}
