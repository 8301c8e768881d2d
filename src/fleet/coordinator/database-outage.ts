/**
 * What a coordinator says while the database cannot be used. It is one line when that begins, and one when it is over,
 * however many tasks fail meanwhile. Errors of one task alone are said by that task.
 */
import type { Failure, FailureCode } from '../../model/failure.ts'

/** These concern all tasks, and pg-boss. */
const outages: ReadonlySet<FailureCode> = new Set<FailureCode>(['FLEET_UNREACHABLE', 'FLEET_FULL', 'FLEET_REFUSED'])
/** pg-boss reports only errors. Without one for so long it works. */
const quietMs = 20_000

export interface OutageObserver {
  readonly onBegin: (failure: Failure) => void
  readonly onEnd: () => void
}

export class DatabaseOutage {
  readonly #observer: OutageObserver
  readonly #now: () => number
  readonly #failing = new Set<string>()
  #jobsFailedAtMs = -Infinity
  #isOn = false

  /** @param now a clock in ms that never jumps */
  constructor(observer: OutageObserver, now: () => number) {
    this.#observer = observer
    this.#now = now
  }

  /** @returns whether the task must say it: the failure concerns it alone, and is new */
  fails(task: string, failure: Failure, isFirst: boolean): boolean {
    if (!outages.has(failure.code)) return this.#failing.delete(task) || isFirst
    this.#failing.add(task)
    this.#begin(failure)
    return false
  }

  /** @returns false if the error is no outage */
  jobsFail(failure: Failure): boolean {
    if (!outages.has(failure.code)) return false
    this.#jobsFailedAtMs = this.#now()
    this.#begin(failure)
    return true
  }

  /** To be called each time that a task was done. @returns whether it had failed because of an outage */
  works(task: string): boolean {
    const hadFailed = this.#failing.delete(task)
    if (!this.#isOn || this.#failing.size > 0 || this.#now() - this.#jobsFailedAtMs < quietMs) return hadFailed
    this.#isOn = false
    this.#observer.onEnd()
    return hadFailed
  }

  get isOn(): boolean {
    return this.#isOn
  }

  #begin(failure: Failure): void {
    if (this.#isOn) return
    this.#isOn = true
    this.#observer.onBegin(failure)
  }
}
