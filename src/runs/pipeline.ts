/**
 * The pipeline: the next tenant is held while earlier snapshots are checked. Each tenant takes these steps:
 *
 * 1. Reserve its number of snapshots in the disk budget. They are released one by one, in step 6.
 * 2. Wait for a hold slot. It is released after step 4. If the run may begin no other tenant when the slot comes,
 *    release the reservation.
 * 3. Read the earlier checks of its files from the ledger.
 * 4. Hold it: reserve the bytes of its snapshots in the disk budget, take a pause slot, pause, copy, resume, hash. The
 *    pause slot is released when the tenant was resumed. If the failure of a pause stops the line, that happens before
 *    its pause slot is released. Level `pinned` takes no pause slot.
 * 5. For each snapshot: wait for a place in the check queue. Copy the snapshot if the user wants to keep it, then check
 *    it. At level `pinned` damage is checked on a second snapshot, which reserves nothing. Try a remedy on copies, if
 *    the disk budget has room for them. Wait until the end of the hold is in the ledger. Release the place. Only then
 *    keep a sound snapshot as a backup, and the damaged pages of a damaged one for the bundle.
 * 6. Delete the snapshot. Then release its place and its bytes in the disk budget.
 * 7. Give the result to the observer, to the line, and to the ledger.
 *
 * A tenant begins when the one before it has its hold slot. The first `leadingTargets` targets serve again before any
 * other tenant is held. Steps 5 to 7 run beside the holds of later tenants. If no snapshot comes out of step 4, steps 5
 * to 7 still give each file its result. Step 3 may fail, or another tenant may stop the line during step 3 or 4. Then
 * the whole reservation is released and the tenant has no result. The tenant whose own pause stopped the line has one.
 *
 * I1.8: before the next tenant, and after the last one, some that were found sound may be examined again
 * (`harm/harm-watch.ts`). They take the same steps, are counted once, and have a new result only if they are damaged
 * now.
 *
 * The failure of one tenant is its result. `stop-the-line.ts` decides which failures end the run: then no other tenant
 * begins, and every hold and check that is under way is interrupted.
 */

import PQueue from 'p-queue'
import { damagedPagesOf } from '../hold/copies/damaged-pages.ts'
import type { HoldResult, HoldBounds } from '../hold/hold.ts'
import { Failure } from '../model/failure.ts'
import type { Result } from '../model/result/report.ts'
import type { RunContext, RunLimits } from './begin/run-context.ts'
import { startInTurn } from './begin/start-in-turn.ts'
import type { Target } from './begin/target.ts'
import { CheckQueue } from './check-queue.ts'
import { examineHeld } from './confirm/examine-held.ts'
import { DiskBudget, type Reservation } from './disk-budget.ts'
import { addEarlierChecks, EarlierChecksReader } from './earlier-checks.ts'
import type { Examination } from './examine.ts'
import { failureFields } from './file-result.ts'
import { holdTargets, type HeldTarget } from './hold-targets.ts'
import { ProgressTracker, type ProgressObserver } from './progress-tracker.ts'
import { groupTargets, type TargetGroup } from './selection/target-groups.ts'
import { StopTheLine } from './stop-the-line.ts'

export interface RunObserver extends ProgressObserver {
  readonly onResult: (result: Result) => void
  /** Called with a result that takes the place of one that was reported before. */
  readonly onRevised: (result: Result, before: Pick<Result, 'verdict' | 'failure'>) => void
}

export interface RunTotals {
  readonly covered: number
  readonly notCovered: number
  /** Why the line was stopped; null if it ran to its end. */
  readonly stopped: Failure | null
}

/** What the steps share. */
interface Pipeline {
  readonly context: RunContext
  readonly depth: RunLimits['depth']
  readonly observer: RunObserver
  readonly progress: ProgressTracker
  /** Its signal aborts when the line is stopped. */
  readonly line: StopTheLine
  /** Aborts when a person interrupts the run, or when the run lock is lost. */
  readonly interrupt: AbortSignal
  readonly earlierChecks: EarlierChecksReader
  readonly pauseSlots: PQueue
  readonly checkQueue: CheckQueue
}

/**
 * Works through the targets in their order; all files of a tenant are held together. Keeps no result, because their
 * number has no bound: each goes to `observer.onResult`. Throws for a defect in holdfast only.
 */
export async function runPipeline(
  targets: readonly Target[],
  context: RunContext,
  limits: RunLimits,
  observer: RunObserver,
  interrupt: AbortSignal,
): Promise<RunTotals> {
  const groups = groupTargets(targets)
  const pipeline = makePipeline(groups.flat(), context, limits, observer, interrupt)
  const { line, progress } = pipeline
  const diskBudget = new DiskBudget(limits)
  const holdSlots = new PQueue({ concurrency: limits.maxPaused + limits.besidePaused })
  const checksUnderWay = new Set<Promise<void>>()
  const settle = async (): Promise<void> => {
    await holdSlots.onIdle()
    await Promise.all(checksUnderWay)
  }
  /**
   * @param first position of the group's first target; null if the group is examined again
   * @returns false if the line was stopped
   */
  const take = async (group: TargetGroup, first: number | null): Promise<boolean> => {
    const again = first === null
    const reservation = await line.guard(diskBudget.reserveSnapshots(group.length, line.signal))
    if (reservation === null) return false // It failed, and so the line was stopped.
    await startInTurn(holdSlots, async () => {
      if (!again && !limits.mayBegin()) return reservation.releaseAll() // It has waited for its slot.
      for (const held of await holdGroup(group, first, reservation, pipeline)) {
        const check = checkAndReport({ ...held, again }, reservation, pipeline).finally(() =>
          checksUnderWay.delete(check),
        )
        checksUnderWay.add(check)
      }
    })
    return true
  }
  const takeAgain = async (): Promise<boolean> => {
    for (const group of groupTargets(context.harm?.takeDue() ?? [])) if (!(await take(group, null))) return false
    return true
  }
  let position = 0
  for (const group of groups) {
    const first = position
    position += group.length
    // The leading targets serve again before any other tenant is held.
    if (first === limits.leadingTargets) await holdSlots.onIdle()
    if (!limits.mayBegin() || !(await takeAgain()) || !(await take(group, first))) break
  }
  await settle()
  await takeAgain() // The last results may have shown that it is necessary.
  await settle()
  line.throwBug()
  const notCovered = targets.length - progress.done
  return { covered: progress.done, notCovered, stopped: line.whyStopped(notCovered) }
}

function makePipeline(
  targets: readonly Target[],
  context: RunContext,
  limits: RunLimits,
  observer: RunObserver,
  interrupt: AbortSignal,
): Pipeline {
  return {
    context,
    depth: limits.depth,
    observer,
    progress: new ProgressTracker(targets.length, observer),
    line: new StopTheLine(interrupt),
    interrupt,
    earlierChecks: new EarlierChecksReader(context.ledger, targets),
    pauseSlots: new PQueue({ concurrency: limits.maxPaused }),
    checkQueue: new CheckQueue(limits.checksInParallel),
  }
}

/**
 * Steps 3 and 4.
 * @param first position of the group's first target among all targets; null if they are examined again
 * @returns one for each file, also if its own pause stopped the line. None if step 3 failed, or if the line was stopped
 * for another reason: then nothing is reserved any more.
 */
async function holdGroup(
  group: TargetGroup,
  first: number | null,
  reservation: Reservation,
  pipeline: Pipeline,
): Promise<readonly HeldTarget[]> {
  const { context, earlierChecks, line, progress } = pipeline
  for (const target of group) progress.beginHold(target)
  const known = first === null ? addEarlierChecks(context.ledger, group) : earlierChecks.of(group, first)
  const held = await line.guard(
    known.then((files) => holdTargets(files, context, boundsFor(group, reservation, pipeline), line.signal)),
  )
  if (held === null) {
    reservation.releaseAll()
    return []
  }
  reservation.setBytes(held.reduce((sum, file) => sum + bytesOnDisk(file), 0))
  return held
}

const boundsFor = (
  [target]: TargetGroup,
  reservation: Reservation,
  { line, pauseSlots, progress }: Pipeline,
): HoldBounds => ({
  othersBytes: () => reservation.othersBytes,
  reserve: (bytes) => reservation.reserveBytes(bytes, line.signal),
  // A pause whose failure stops the line does so inside of its slot: no other tenant is paused in between.
  inPauseSlot: (pause) => pauseSlots.add(() => line.guardPause(progress.trackPause(target, pause()))),
})

/** `again`: the file has a result already, and was found sound. */
type TakenTarget = HeldTarget & { readonly again: boolean }

/** Steps 5 to 7 for one file. Does not throw: what goes wrong stops the line. */
async function checkAndReport(held: TakenTarget, reservation: Reservation, pipeline: Pipeline): Promise<void> {
  const checked = checkAndDelete(held, reservation, pipeline).finally(() =>
    reservation.releaseSnapshot(bytesOnDisk(held)),
  )
  await pipeline.line.guard(checked.then((outcome) => report(outcome, held, pipeline)))
}

interface CheckEnd {
  readonly examined: Examination
  /** Why the snapshot could not be kept for the user; null if it was kept, or if no copy is wanted. */
  readonly keepFailure: Failure | null
}

async function checkAndDelete(heldTarget: HeldTarget, reservation: Reservation, pipeline: Pipeline): Promise<CheckEnd> {
  const { held } = heldTarget
  try {
    const bytes = held.kind === 'snapshot' ? held.snapshot.bytes : 0
    const checked = await pipeline.checkQueue.add(bytes, () => keepAndCheck(heldTarget, reservation, pipeline))
    // Outside of the queue: the next check does not wait for it, and its tenant serves already.
    await keepBackup(heldTarget, checked.examined, pipeline)
    keepDamagedPages(heldTarget, checked.examined, pipeline)
    return checked
  } finally {
    // The check has left the queue already: the next check does not wait for the deletion.
    if (held.kind === 'snapshot') await held.snapshot[Symbol.asyncDispose]()
  }
}

/** A pause that the service did not confirm makes no backup, whatever was found. */
async function keepBackup({ target, held }: HeldTarget, examined: Examination, pipeline: Pipeline): Promise<void> {
  const { context, line } = pipeline
  if (held.kind !== 'snapshot' || held.unconfirmed !== null || examined.failure !== null) return
  await context.backups?.keep(target, held.snapshot.path, examined.result, line.signal)
}

function keepDamagedPages({ held }: HeldTarget, { result }: Examination, { context }: Pipeline): void {
  if (held.kind !== 'snapshot' || result.verdict !== 'damaged' || context.onDamagedPages === undefined) return
  context.onDamagedPages(damagedPagesOf(result, held.snapshot.path))
}

async function keepAndCheck(heldTarget: HeldTarget, reservation: Reservation, pipeline: Pipeline): Promise<CheckEnd> {
  const { depth, progress } = pipeline
  const { rehearsing } = pipeline.context
  const reserve = (bytes: number): Disposable | null => reservation.addBytes(bytes)
  const context = { ...pipeline.context, rehearsing: rehearsing && { ...rehearsing, reserve } }
  const { target, held } = heldTarget
  progress.beginCheck(target)
  const keepFailure = await keepCopy(heldTarget, context) // First: the check changes the snapshot.
  const signal = signalForCheck(held, pipeline)
  return { examined: await examineHeld(heldTarget, context, depth, progress.pagesOf(target), signal), keepFailure }
}

/** @returns why the copy could not be kept. The tenant was paused for this snapshot, so it is checked all the same. */
async function keepCopy({ target, held }: HeldTarget, { keepSnapshot }: RunContext): Promise<Failure | null> {
  if (held.kind !== 'snapshot' || keepSnapshot === null) return null
  try {
    await keepSnapshot(target, held)
    return null
  } catch (error) {
    if (error instanceof Failure) return error
    throw error
  }
}

/**
 * A tenant that was not seen serving has stopped the line. Its snapshot is needed all the more, so only an interruption
 * ends this check.
 */
const signalForCheck = (held: HoldResult, { line, interrupt }: Pipeline): AbortSignal =>
  held.kind === 'snapshot' && held.unconfirmed?.code === 'RESUME_FAILED' ? interrupt : line.signal

/** Step 7. @throws {Failure} `keepFailure`, LEDGER_UNUSABLE: each stops the line */
async function report(
  { examined: checked, keepFailure }: CheckEnd,
  { target, again }: TakenTarget,
  { context: { ledger, harm }, observer, progress, line }: Pipeline,
): Promise<void> {
  const examined = withHarm(checked, harm === null ? null : await harm.consider(checked.result))
  const { result, lastGood, round } = examined
  progress.finish(target, !again)
  if (!again) observer.onResult(result)
  else if (result.verdict === 'damaged') observer.onRevised(result, { verdict: 'sound' })
  line.consider(examined)
  await Promise.all([
    target.tenant === null ? null : ledger?.appendSoon({ kind: 'checked', tenant: target.tenant, result }),
    lastGood === null ? null : ledger?.storeLastGood(lastGood),
    round === null ? null : ledger?.storeRound(round),
  ])
  if (keepFailure !== null) throw keepFailure
}

/** The report of a tenant that may still be paused says that, because nothing is more urgent. */
const withHarm = (examined: Examination, harm: Failure | null): Examination =>
  harm === null || examined.failure?.tenantState === 'maybe-paused'
    ? examined
    : { ...examined, failure: harm, result: { ...examined.result, failure: failureFields(harm) } }

/** Disk space that the snapshot takes until it is deleted. Blocks that it shares with the original take none. */
function bytesOnDisk({ held }: HeldTarget): number {
  if (held.kind !== 'snapshot') return 0
  return held.record.evidence.snapshot?.method === 'reflink' ? 0 : held.snapshot.bytesOnDisk
}
