/**
 * The pipeline: the next tenant is held while earlier snapshots are being checked. Bounds: tenants that stand still at
 * once, checks at once, snapshots on the disk. One bad tenant never stops the line; what does is decided in
 * stop-the-line.ts.
 */
import PQueue from 'p-queue'
import type { ReadingProgress as PagesDone } from '../check/reading-builder.ts'
import type { HoldBounds } from '../hold/hold.ts'
import { Failure } from '../model/failure.ts'
import type { Result } from '../model/result/report.ts'
import { CheckQueue } from './check-queue.ts'
import { DiskBudget, type Reservation } from './disk-budget.ts'
import { EarlierChecksReader } from './earlier-checks.ts'
import { checkHeld, holdTargets, type Examined, type HeldTarget } from './examine.ts'
import { begin } from './run/begin.ts'
import type { RunContext, RunLimits, Target } from './run/run-context.ts'
import { groupTargets } from './selection/target-groups.ts'
import { StopTheLine } from './stop-the-line.ts'

export interface RunProgress {
  readonly done: number
  readonly total: number
  /** What is being worked on, by name. */
  readonly holding: readonly string[]
  readonly checking: readonly Checking[]
}

export interface Checking {
  readonly name: string
  /** As it is now: whoever shows it reads it again, nobody is told of each page. null until pages are done with. */
  readonly pages: PagesDone | null
}

export interface RunObserver {
  readonly onResult: (result: Result) => void
  readonly onProgress: (progress: RunProgress) => void
}

export interface RunTotals {
  readonly covered: number
  readonly notCovered: number
  /** Why the line was stopped; null when it ran to its end. */
  readonly stopped: Failure | null
}

interface Checked {
  readonly examined: Examined
  /** Why the snapshot could not be kept where somebody wants it: that stops the line. */
  readonly unkept: Failure | null
}

/**
 * Works through the targets in their order, all files of a tenant in one hold. Keeps no results: their number has no
 * bound, so each goes to `onResult`. Does not throw for what one tenant meets; a Bug ends it.
 */
export async function workThrough(
  targets: readonly Target[],
  crew: RunContext,
  limits: RunLimits,
  watching: RunObserver,
  interrupt: AbortSignal,
): Promise<RunTotals> {
  const line = new StopTheLine(interrupt)
  const pauses = new PQueue({ concurrency: limits.maxPaused })
  const checks = new CheckQueue(limits.checksAtOnce)
  const room = new DiskBudget(limits)
  const at = new ProgressTracker(targets.length, watching)

  const finish = async ({ examined, unkept }: Checked, target: Target): Promise<void> => {
    const { result, lastGood } = examined
    at.finished(target)
    watching.onResult(result)
    line.look(examined)
    await Promise.all([
      target.tenant === null ? null : crew.ledger?.appendSoon({ kind: 'checked', tenant: target.tenant, result }),
      lastGood === null ? null : crew.ledger?.keep(lastGood),
    ])
    if (unkept !== null) throw unkept
  }
  const check = async (heldTarget: HeldTarget): Promise<Checked> => {
    const { target, held } = heldTarget
    try {
      return await checks.add(held.kind === 'snapshot' ? held.snapshot.bytes : 0, async () => {
        at.checking(target)
        const unkept = await keep(heldTarget)
        // A tenant that was not seen serving has stopped the line; what its snapshot holds is wanted all the more.
        const signal = held.kind === 'snapshot' && held.unproven?.code === 'RESUME_FAILED' ? interrupt : line.signal
        return { examined: await checkHeld(heldTarget, crew, limits.depth, at.pagesOf(target), signal), unkept }
      })
    } finally {
      // Its place in the queue is free by now: the next check need not wait for the snapshot to be deleted, nor its
      // room on the disk for the ledger.
      if (held.kind === 'snapshot') await held.snapshot[Symbol.asyncDispose]()
    }
  }
  /**
   * Before the check, which changes the snapshot.
   * @returns why it could not be kept: somebody stood still for what it says, so it is checked first
   */
  const keep = async ({ target, held }: HeldTarget): Promise<Failure | null> => {
    if (held.kind !== 'snapshot' || crew.keep === null) return null
    try {
      await crew.keep(target, held)
      return null
    } catch (error) {
      if (error instanceof Failure) return error
      throw error
    }
  }
  const holds = new PQueue({ concurrency: limits.maxPaused + limits.besidePaused })
  const endings = new Set<Promise<unknown>>()
  const groups = groupTargets(targets)
  const recollection = new EarlierChecksReader(crew.ledger, groups.flat())
  const boundsAt = (place: Reservation): HoldBounds => ({
    othersBytes: () => place.othersBytes,
    reserve: (bytes) => place.reserve(bytes, line.signal),
    inPause: (work) => pauses.add(() => line.guardPause(work())),
  })
  let begun = 0
  for (const group of groups) {
    const from = begun
    begun += group.length
    if (from === limits.leading) await holds.onIdle()
    const place = await line.guard(room.enter(line.signal, group.length))
    if (place === null) break
    await begin(holds, async () => {
      group.forEach((target) => at.holding(target))
      const held = await line.guard(
        recollection.of(group, from).then((files) => holdTargets(files, crew, boundsAt(place), line.signal)),
      )
      if (!held) return place.leave()
      place.fill(held.reduce((sum, file) => sum + bytesOnDisk(file), 0))
      for (const heldTarget of held) {
        const checked = check(heldTarget).finally(() => place.release(bytesOnDisk(heldTarget)))
        const ending = line
          .guard(checked.then((it) => finish(it, heldTarget.target)))
          .finally(() => endings.delete(ending))
        endings.add(ending)
      }
    })
  }
  await holds.onIdle()
  await Promise.all(endings)
  line.throwBug()
  const notCovered = targets.length - at.done
  return { covered: at.done, notCovered, stopped: line.stopped(notCovered) }
}

/** What of a hold takes room on the disk until its check is over. Shared blocks take none. */
function bytesOnDisk({ held }: HeldTarget): number {
  if (held.kind !== 'snapshot') return 0
  return held.record.evidence.snapshot?.method === 'reflink' ? 0 : held.snapshot.bytesOnDisk
}

/** Where each target stands, for the progress line. */
export class ProgressTracker {
  readonly #total: number
  readonly #watching: Pick<RunObserver, 'onProgress'>
  readonly #holding = new Set<Target>()
  readonly #checking = new Map<Target, { readonly name: string; pages: PagesDone | null }>()
  #done = 0

  get done(): number {
    return this.#done
  }

  constructor(total: number, watching: Pick<RunObserver, 'onProgress'>) {
    this.#total = total
    this.#watching = watching
  }

  holding(target: Target): void {
    this.#holding.add(target)
    this.#tell()
  }

  checking(target: Target): void {
    this.#holding.delete(target)
    this.#checking.set(target, { name: nameOf(target), pages: null })
    this.#tell()
  }

  /** To be told of the pages of a target that is being checked. */
  pagesOf(target: Target): (pages: PagesDone) => void {
    const checking = this.#checking.get(target)
    return (pages) => {
      if (checking) checking.pages = pages
    }
  }

  finished(target: Target): void {
    this.#checking.delete(target)
    this.#done++
    this.#tell()
  }

  #tell(): void {
    this.#watching.onProgress({
      done: this.#done,
      total: this.#total,
      holding: [...new Set([...this.#holding].map(nameOf))],
      checking: [...this.#checking.values()],
    })
  }
}

const nameOf = ({ tenant, named }: Target): string => tenant ?? named
