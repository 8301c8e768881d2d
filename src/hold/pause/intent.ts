/**
 * The ledger line before the deed: it is on the disk before the service is asked to keep a tenant still (hold/README.md
 * step 2). It is written while the tenant before still stands still, because the disk takes as long over it as over a
 * third of a pause. Where nothing comes of it, the ledger is told that.
 */
import { randomUUID } from 'node:crypto'
import { monotonicMs } from '../../host/clock.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import type { TenantId } from '../../model/brand.ts'

/** The line may wait so long for the deed. */
const waitMsMax = 1_000

export interface IntentWriter {
  readonly tenant: TenantId
  readonly ledger: Ledger
  /** From the request on: after that no lease of ours can stand. */
  readonly longestMs: number
}

export class PauseIntent implements AsyncDisposable {
  readonly holder = `holdfast-${randomUUID()}`
  readonly #with: IntentWriter
  /** On the monotonic clock; null before anything was written. */
  #requestByMs: number | null = null
  #handedOver = false

  constructor(announcing: IntentWriter) {
    this.#with = announcing
  }

  /**
   * Right before the request once more: what has waited too long is written anew, for it must not say that a lease has
   * ended which still stands.
   * @throws {Failure} LEDGER_UNUSABLE
   */
  async write(): Promise<void> {
    if (this.#requestByMs !== null && monotonicMs() < this.#requestByMs) return
    const { tenant, ledger, longestMs } = this.#with
    this.#requestByMs = monotonicMs() + waitMsMax
    await ledger.append({ kind: 'hold-asked', tenant, holder: this.holder, endsBy: Date.now() + waitMsMax + longestMs })
  }

  /** From here on somebody else tells the ledger how the hold ended. */
  handOver(): void {
    this.#handedOver = true
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { tenant, ledger } = this.#with
    if (this.#requestByMs !== null && !this.#handedOver)
      await ledger.append({ kind: 'hold-ended', tenant, holder: this.holder, how: 'never-began', heldMs: null })
  }
}
