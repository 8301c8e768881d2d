/**
 * What stops a run (operations.md): a resume that failed, locks that are not honoured, a guardian or ledger that is lost, readers that
 * cannot be confined, leases that keep expiring under us, and the person who interrupts. Everything else is one tenant's result.
 */
import { unforeseenFailure } from '../config/system-failure.ts'
import { gravestOf } from '../hold/hold-failure.ts'
import { Bug } from '../model/bug.ts'
import { count } from '../model/count.ts'
import { Failure, type FailureCode } from '../model/failure.ts'
import type { Result } from '../model/report.ts'

const leasesLostMax = 3
const stopping = new Set<FailureCode>(['RESUME_FAILED', 'LOCK_NOT_HONOURED', 'GUARDIAN_LOST', 'LEDGER_UNUSABLE', 'CANNOT_CONFINE', 'INTERRUPTED'])

export class StopTheLine {
  readonly #controller = new AbortController()
  #reason: Failure | null = null
  readonly #defects: unknown[] = []
  /** By lease: all files of a tenant lose the same one. */
  readonly #leasesLost = new Set<string>()

  constructor(interrupt: AbortSignal) {
    interrupt.addEventListener('abort', () => this.#stop(asFailure(interrupt.reason)), { once: true })
    if (interrupt.aborted) this.#stop(asFailure(interrupt.reason))
  }

  /** Aborts when the line is stopped: nothing new is begun, and what is held is resumed. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** The first reason, null while the line runs. An interruption after a graver reason does not hide it. */
  get reason(): Failure | null {
    return this.#reason
  }

  /** Looks at a result for what must stop the line. */
  look({ failure, evidence, path }: Result): void {
    if (!failure) return
    if (failure.code === 'LEASE_LOST' && this.#leasesLost.add(evidence.quiesce?.leaseId ?? path).size > leasesLostMax) {
      this.#stop(new Failure('LEASE_LOST', `${count(this.#leasesLost.size, 'lease')} ended before holdfast ended the pauses: the service does not keep its promise to stand still`))
    }
    if (stopping.has(failure.code)) this.#stop(new Failure(failure.code, failure.message, { hint: failure.hint, tenant: failure.tenantState }))
  }

  /**
   * Passes on what a pause comes to. What must stop the line stops it here, before another tenant stands still in its place: its result is told only later.
   * @throws what the pause throws
   */
  async guardPause<Value>(pause: Promise<Value>): Promise<Value> {
    try {
      return await pause
    } catch (error) {
      const gravest = failureIn(error)
      if (gravest === null) this.#stopForDefect(error)
      else if (stopping.has(gravest.code)) this.#stop(gravest)
      throw error
    }
  }

  /** Passes a value on. A failure stops the line and becomes null; anything else is kept as a bug, and stops the line too. */
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
    if (defect !== undefined) throw defect instanceof Error ? defect : new Bug(`something that is no error was thrown: ${JSON.stringify(defect)}`)
  }

  #stopForDefect(error: unknown): void {
    if (!this.signal.aborted) this.#defects.push(error)
    this.#stop(new Failure('INTERRUPTED', 'a defect in holdfast ended the run', { cause: error }))
  }

  #stop(reason: Failure): void {
    if (this.#reason) return
    this.#reason = reason
    // To the tenants under way it is an interruption: one tenant's failure must not be told of another.
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

const asFailure = (reason: unknown): Failure => (reason instanceof Failure ? reason : new Failure('INTERRUPTED', 'the run was interrupted', { cause: reason }))
