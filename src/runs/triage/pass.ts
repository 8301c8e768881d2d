/**
 * One pass of a triage over files in the order of suspicion. A few tenants go through the pipeline at a time. So a
 * culprit is known soon, and a tenant that a restart of the service has met is tried again soon.
 */

import { sleep } from '../../host/clock.ts'
import type { FailureCode } from '../../model/failure.ts'
import { Failure } from '../../model/failure.ts'
import type { Result } from '../../model/result/report.ts'
import type { RunContext, RunLimits } from '../begin/run-context.ts'
import type { Target } from '../begin/target.ts'
import { runPipeline, type RunObserver } from '../pipeline.ts'
import { groupTargets, type TargetGroup } from '../selection/target-groups.ts'

export interface PassTerms {
  readonly limits: RunLimits
  readonly meansNow: () => Promise<PassTools>
  readonly waitBudget: WaitBudget
  /** Aborts when a person interrupts, or when the run lock is lost. */
  readonly signal: AbortSignal
}

/** What the next tenants are examined with. */
export interface PassTools {
  /** While the service does not answer, files are held without it. */
  readonly context: RunContext
  /** False if another attempt would meet the same, as with a service that hangs and has its files open. */
  readonly mayRecover: boolean
}

export interface PassObserver extends RunObserver {
  /** @returns true if no further tenant is to be examined */
  readonly enough: () => boolean
}

export interface PassEnd {
  readonly covered: number
  readonly stopped: Failure | null
}

/** Tenants that go through the pipeline together: first few, so that the likeliest culprit is known soon. */
const together = { first: 2, most: 8 } as const
/** A tenant that a restart of the service has met is tried so often in one pass. */
const attemptsMax = 4

/** What another attempt may settle: the service was down, was starting, or was restarted in a pause. */
const worthAnotherTry: ReadonlySet<FailureCode> = new Set<FailureCode>([
  'ADMIN_UNREACHABLE',
  'SERVICE_BUSY',
  'QUIESCE_TIMEOUT',
  'LEASE_LOST',
  // In a hold without the service: it was started meanwhile.
  'IN_USE',
  'LOCK_BUSY',
  'WRITER_SEEN',
  'COPY_CHANGED',
])

/** How long a run waits for a service between attempts, all waits together. */
export class WaitBudget {
  #leftMs: number
  #nextMs = 100

  constructor(leftMs: number) {
    this.#leftMs = leftMs
  }

  get isExhausted(): boolean {
    return this.#leftMs <= 0
  }

  /** Waits a little, and longer each time. */
  async wait(signal: AbortSignal): Promise<void> {
    const ms = Math.min(this.#nextMs, this.#leftMs)
    this.#leftMs -= ms
    this.#nextMs = Math.min(this.#nextMs * 2, 2_000)
    await sleep(ms, signal)
  }

  /** The service works again: the next wait is short. */
  calm(): void {
    this.#nextMs = 100
  }
}

/** @throws what the pipeline throws: defects only */
export async function examineInOrder(
  targets: readonly Target[],
  { limits, meansNow, waitBudget, signal }: PassTerms,
  observer: PassObserver,
): Promise<PassEnd> {
  const waiting = [...groupTargets(targets)]
  const attempts = new Map<TargetGroup, number>()
  let size: number = together.first
  let covered = 0
  let stopped: Failure | null = null
  while (waiting.length > 0 && stopped === null && !observer.enough()) {
    if (signal.aborted) return { covered, stopped: reasonOf(signal) }
    const groups = waiting.splice(0, size)
    const results = new Map<Target, Result>()
    const chunk = groups.flat()
    const { context, mayRecover } = await meansNow()
    const totals = await runPipeline(
      chunk,
      context,
      limits,
      {
        onResult: (result) => {
          const target = chunk.find(({ tenant, named }) => tenant === result.tenant && named === result.path)
          if (target !== undefined) results.set(target, result)
        },
        onRevised: (result, before) => observer.onRevised(result, before),
        onProgress: (progress) =>
          observer.onProgress({ ...progress, done: covered + progress.done, total: targets.length }),
      },
      signal,
    )
    stopped = totals.stopped !== null && isRestart(totals.stopped, waitBudget) ? null : totals.stopped
    const again: TargetGroup[] = []
    for (const group of groups) {
      const found = group.flatMap((target) => results.get(target) ?? [])
      const tried = (attempts.get(group) ?? 0) + 1
      attempts.set(group, tried)
      const mayTryAgain = stopped === null && mayRecover && tried < attemptsMax && !waitBudget.isExhausted
      if (mayTryAgain && mayBeSettled(found, group.length)) {
        again.push(group)
        continue
      }
      for (const result of found) observer.onResult(result)
      covered += found.length
    }
    if (again.length === 0) {
      waitBudget.calm()
      size = Math.min(size * 2, together.most)
      continue
    }
    waiting.unshift(...again)
    size = together.first
    await waitBudget.wait(signal).catch(() => undefined) // The signal is looked at above.
  }
  return { covered, stopped }
}

/** Damage is never put off. A group without all of its results was interrupted by a restart that stopped the line. */
const mayBeSettled = (found: readonly Result[], files: number): boolean =>
  !found.some(({ verdict }) => verdict === 'damaged') &&
  (found.length < files || found.some(({ failure }) => failure !== undefined && worthAnotherTry.has(failure.code)))

/** In a crash loop leases end with the process, which breaks no promise of the service. */
const isRestart = ({ code }: Failure, waitBudget: WaitBudget): boolean =>
  code === 'LEASE_LOST' && !waitBudget.isExhausted

const reasonOf = ({ reason }: AbortSignal): Failure =>
  reason instanceof Failure ? reason : new Failure('INTERRUPTED', 'the run was interrupted', { cause: reason })
