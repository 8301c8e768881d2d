/**
 * The intent: the ledger line that is on the disk before the service is asked to quiesce a tenant. It is written while
 * the tenant before is still paused, because the disk takes as long for it as a third of a pause. If the service was
 * never asked, the ledger records `never-began`.
 */
import { randomUUID } from 'node:crypto'
import { monotonicMs } from '../../host/clock.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import type { TenantId } from '../../model/brand.ts'

/** The request must follow the line within this time. */
const waitMsMax = 1_000

export interface IntentWriter {
  readonly tenant: TenantId
  readonly ledger: Ledger
  /** Counted from the request: no lease of ours can stand after that. */
  readonly longestMs: number
}

export class PauseIntent implements AsyncDisposable {
  readonly holder = `holdfast-${randomUUID()}`
  readonly #with: IntentWriter
  /** On the monotonic clock; null before anything was written. */
  #requestByMs: number | null = null
  #handedOver = false

  constructor(writer: IntentWriter) {
    this.#with = writer
  }

  /**
   * Writes the line, unless there is one that is not too old. To be called again right before the request: an old line
   * would say that a lease has ended which still stands.
   * @throws {Failure} LEDGER_UNUSABLE
   */
  async write(): Promise<void> {
    if (this.#requestByMs !== null && monotonicMs() < this.#requestByMs) return
    const { tenant, ledger, longestMs } = this.#with
    this.#requestByMs = monotonicMs() + waitMsMax
    await ledger.append({ kind: 'hold-asked', tenant, holder: this.holder, endsBy: Date.now() + waitMsMax + longestMs })
  }

  /** From now on the caller, and not this object, records in the ledger how the hold ended. */
  handOver(): void {
    this.#handedOver = true
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { tenant, ledger } = this.#with
    if (this.#requestByMs !== null && !this.#handedOver)
      await ledger.append({ kind: 'hold-ended', tenant, holder: this.holder, how: 'never-began', heldMs: null })
  }
}
