/**
 * What stops a run. A failure that only one tenant meets is that tenant's result, and the line goes on. A failure that
 * every later tenant would meet (`stopsRun` in `model/failures/`) stops the line, as does a defect in holdfast. The
 * other tenants are then reported as not covered.
 */

import { gravestOf } from '../hold/hold-failure.ts'
import { unforeseenFailure } from '../host/failures/system-failure.ts'
import { Bug } from '../model/bug.ts'
import { Failure, failureKinds } from '../model/failure.ts'
import type { Result } from '../model/result/report.ts'
import { count } from '../text/count.ts'
import type { Examination } from './examine.ts'

/** If more leases than this end while their tenant is paused, the service does not keep its promise. */
const leasesLostMax = 3
/**
 * So many results in a row that failed because the machine has no process, descriptor, memory or disk space left
 * (`Failure.concerns`). One shortage may pass; after three, each later tenant would be paused in vain.
 */
const shortagesInARowMax = 3

export class StopTheLine {
  readonly #controller = new AbortController()
  #reason: Failure | null = null
  readonly #defects: unknown[] = []
  /** By lease, because all files of a tenant lose the same one. */
  readonly #leasesLost = new Set<string>()
  #shortagesInARow = 0
  #shortage: Failure | null = null

  constructor(interrupt: AbortSignal) {
    interrupt.addEventListener('abort', () => this.#stop(asFailure(interrupt.reason)), { once: true })
    if (interrupt.aborted) this.#stop(asFailure(interrupt.reason))
  }

  /** Aborts when the line is stopped: no hold begins any more, and a tenant that is paused is resumed. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** The first reason; null while the line runs. A later one, such as an interruption, does not replace it. */
  get reason(): Failure | null {
    return this.#reason
  }

  /**
   * Why the run ended early; null if it did not. A shortage that only the last results met is not a reason: all targets
   * were covered, and these results have their own codes.
   */
  whyStopped(notCovered: number): Failure | null {
    return notCovered === 0 && this.#reason === this.#shortage ? null : this.#reason
  }

  /** Stops the line if the failure of this examination says so. */
  consider({ result, failure }: Pick<Examination, 'result' | 'failure'>): void {
    this.#shortagesInARow = failure?.concerns === 'machine' ? this.#shortagesInARow + 1 : 0
    if (failure === null) return
    if (failure.code === 'LEASE_LOST') this.#considerLease(result)
    else if (failureKinds[failure.code].stopsRun) this.#stop(failure)
    else if (this.#shortagesInARow >= shortagesInARowMax) this.#stop((this.#shortage ??= failure))
  }

  #considerLease({ evidence, path }: Result): void {
    const { size } = this.#leasesLost.add(evidence.quiesce?.leaseId ?? path)
    if (size <= leasesLostMax) return
    this.#stop(
      new Failure(
        'LEASE_LOST',
        `${count(size, 'lease')} ended before holdfast ended the pauses: the ` +
          'service does not keep its promise to leave a quiesced tenant closed',
      ),
    )
  }

  /**
   * Passes on the outcome of a pause. A failure that must stop the line stops it here, before another tenant gets the
   * pause slot: the result is reported only later.
   * @throws what the pause throws
   */
  async guardPause<Value>(pause: Promise<Value>): Promise<Value> {
    try {
      return await pause
    } catch (error) {
      const gravest = failureIn(error)
      if (gravest === null) this.#stopForDefect(error)
      else if (failureKinds[gravest.code].stopsRun) this.#stop(gravest)
      throw error
    }
  }

  /**
   * Passes a value on. A failure stops the line and becomes null. So does any other error. `throwBug` throws the first
   * one at the end, unless the line had stopped before.
   */
  async guard<Value>(work: Promise<Value>): Promise<Value | null> {
    try {
      return await work
    } catch (error) {
      const failure = unforeseenFailure(error)
      if (failure instanceof Failure) this.#stop(failure)
      else this.#stopForDefect(error)
      return null
    }
  }

  /** @throws the defect that stopped the line, if one did */
  throwBug(): void {
    const [defect] = this.#defects
    if (defect !== undefined)
      throw defect instanceof Error
        ? defect
        : new Bug(`something that is no error was thrown: ${JSON.stringify(defect)}`)
  }

  #stopForDefect(error: unknown): void {
    if (!this.signal.aborted) this.#defects.push(error)
    this.#stop(new Failure('INTERRUPTED', 'a defect in holdfast ended the run', { cause: error }))
  }

  #stop(reason: Failure): void {
    if (this.#reason) return
    this.#reason = reason
    // For the tenants under way it is an interruption: the failure of one must not be reported of another.
    this.#controller.abort(new Failure('INTERRUPTED', `the run was stopped: ${reason.message}`))
  }
}

/** null for a defect. */
function failureIn(error: unknown): Failure | null {
  try {
    return gravestOf(error)
  } catch {
    return null
  }
}

const asFailure = (reason: unknown): Failure =>
  reason instanceof Failure ? reason : new Failure('INTERRUPTED', 'the run was interrupted', { cause: reason })
