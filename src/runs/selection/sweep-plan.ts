/** What a sweep is going to take, and for how long: from the command line, the configuration and the ledger. */

import { monotonicMs } from '../../host/clock.ts'
import { isFullyCovered } from '../../ledger/full-sweep.ts'
import type { Ledger, RecordedSweep } from '../../ledger/ledger.ts'
import { ageOf } from '../../model/age.ts'
import type { SweepScope } from '../../model/event.ts'
import { Failure } from '../../model/failure.ts'
import type { SweepOrder } from './selection.ts'

export interface SweepPlan {
  readonly scope: SweepScope
  readonly order: SweepOrder
  /** null: every file is due. */
  readonly maxAgeMs: number | null
  /** True if this sweep goes on where the last one stopped: what that one checked is not due. */
  readonly continues: boolean
  /** The last sweep, if it ended before it had reached all that it took; else null. */
  readonly unfinished: RecordedSweep | null
  readonly limit: SweepLimit
}

export interface SweepRequest {
  /** Left out if the command line does not say. */
  readonly only?: readonly string[] | undefined
  readonly depth?: SweepScope['depth'] | undefined
  readonly order: SweepOrder
  readonly maxAgeMs: number | null
  readonly continues: boolean
  readonly budgetMs: number | null
  /** ms since 1970. */
  readonly deadlineAt: number | null
}

/** A sweep that stopped longer ago is begun anew: what it found says too little about the files of today. */
const continuedMsMax = 24 * 3_600_000

/** @param now ms since 1970 @throws {Failure} USAGE if the sweep to continue took something else; LEDGER_UNUSABLE */
export async function planSweep(
  ledger: Pick<Ledger, 'lastSweep'>,
  request: SweepRequest,
  now: number,
): Promise<SweepPlan> {
  const last = await ledger.lastSweep()
  const unfinished = last === null || isFullyCovered(last) ? null : last
  const continued = request.continues ? unfinishedToday(unfinished, now) : null
  if (continued !== null) requireSame(request, continued)
  return {
    scope: {
      since: continued?.since ?? now,
      depth: continued?.depth ?? request.depth ?? 'full',
      only: continued === null ? (request.only ?? null) : continued.only,
    },
    order: request.order,
    maxAgeMs: request.maxAgeMs,
    continues: continued !== null,
    unfinished,
    limit: new SweepLimit(request),
  }
}

const unfinishedToday = (sweep: RecordedSweep | null, now: number): RecordedSweep | null =>
  sweep !== null && (ageOf(sweep.since, now) ?? Infinity) <= continuedMsMax ? sweep : null

function requireSame({ only, depth }: SweepRequest, last: RecordedSweep): void {
  const differs =
    (depth !== undefined && depth !== last.depth) ||
    (only !== undefined && JSON.stringify(only) !== JSON.stringify(last.only))
  if (!differs) return
  const took = last.only === null ? 'all tenants' : `--only ${last.only.map((glob) => JSON.stringify(glob)).join(' ')}`
  throw new Failure('USAGE', `the sweep to continue took ${took} with --depth ${last.depth}`, {
    hint: 'leave --only and --depth out to go on with it, or leave --continue out to begin a new sweep',
  })
}

/** When a sweep begins with no other tenant. */
class SweepLimit {
  readonly #startedAtMs = monotonicMs()
  readonly #budgetMs: number
  /** By the clock of the machine, because a monotonic clock stops while the machine sleeps. */
  readonly #deadlineAt: number

  constructor({ budgetMs, deadlineAt }: Pick<SweepRequest, 'budgetMs' | 'deadlineAt'>) {
    this.#budgetMs = budgetMs ?? Infinity
    this.#deadlineAt = deadlineAt ?? Infinity
  }

  get isOver(): boolean {
    return monotonicMs() - this.#startedAtMs >= this.#budgetMs || Date.now() >= this.#deadlineAt
  }
}
