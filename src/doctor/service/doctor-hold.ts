/**
 * A hold of the doctor. It is announced to the ledger and to the guardian first, and ends only when the tenant was seen
 * serving.
 */

import type { Settings } from '../../config/settings.ts'
import type { GuardedHold } from '../../hold/pause/guarded-hold.ts'
import { PauseIntent } from '../../hold/pause/intent.ts'
import { resumeUntilSeen, type ResumeOutcome } from '../../hold/pause/resume.ts'
import type { Guardian } from '../../hold/seal/guardian.ts'
import { monotonicMs } from '../../host/clock.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import type { TenantId } from '../../model/brand.ts'
import { Failure } from '../../model/failure.ts'
import type { Wire } from '../../service/client/wire.ts'
import type { QuiesceAnswer, Service } from '../../service/port.ts'
import { attempt } from '../steps.ts'

export interface ContractTrial {
  readonly service: Service
  readonly ledger: Ledger
  readonly guardian: Guardian
  readonly tenant: TenantId
  readonly settings: Settings
  readonly signal: AbortSignal
}

/** A trial of a service with an admin API, whose calls are made one by one. */
export interface ApiTrial extends ContractTrial {
  readonly wire: Wire
  /** The tenant's files in the service's list, read before the pause. */
  readonly files: readonly string[]
}

/** The first hold, for the phases after it. */
export interface FirstHold {
  /** How long the service took to quiesce, in ms. */
  readonly tookMs: number
  readonly quiesced: QuiesceAnswer
}

export type DoctorLease = { readonly leaseId: string; readonly fence: number | null }

export class DoctorHold {
  readonly #trial: ContractTrial
  readonly holder: string
  readonly #endsByMs: number
  /** Until it is disposed of, the guardian resumes the tenant if this process dies. */
  readonly #guarded: Disposable

  private constructor(trial: ContractTrial, { tenant, holder, endsByMs }: GuardedHold) {
    this.#trial = trial
    this.holder = holder
    this.#endsByMs = endsByMs
    this.#guarded = trial.guardian.guard({ tenant, holder, endsByMs })
  }

  /**
   * @param ttlMs the longest lease that will be asked for, with its renewals
   * @throws {Failure} LEDGER_UNUSABLE, GUARDIAN_LOST
   */
  static async announce(trial: ContractTrial, ttlMs: number): Promise<DoctorHold> {
    const {
      service,
      ledger,
      guardian,
      tenant,
      settings: { hold },
    } = trial
    const longestMs = service.quiesceMsMax(hold.drainTimeoutMs) + ttlMs
    await using announced = new PauseIntent({ tenant, ledger, longestMs })
    await announced.write()
    const held = new DoctorHold(trial, { tenant, holder: announced.holder, endsByMs: monotonicMs() + longestMs })
    try {
      await guardian.ready() // Now it knows the hold.
    } catch (error) {
      held.#guarded[Symbol.dispose]() // The service was not asked for a pause.
      throw error
    }
    announced.handOver()
    return held
  }

  /** Writes the end of a hold whose tenant was seen serving already, or was never paused. */
  async recordEnd(how: ResumeOutcome['how'], heldMs: number | null): Promise<void> {
    const { ledger, tenant } = this.#trial
    this.#guarded[Symbol.dispose]()
    await ledger.append({ kind: 'hold-ended', tenant, holder: this.holder, how, heldMs })
  }

  /**
   * Resumes the tenant, also if it was resumed before, and waits until it is seen serving.
   * @param lease null if it is not known: it is then found by its holder
   * @returns null if the tenant was seen serving
   */
  async end(lease: DoctorLease | null): Promise<Failure | null> {
    const { service, ledger, tenant } = this.#trial
    const { holder } = this
    const outcome = await attempt(() =>
      resumeUntilSeen({
        service,
        tenant,
        holder,
        answer: lease,
        endsByMs: this.#endsByMs,
        wasHealthy: false,
        resumed: null,
        onRetry: () => undefined, // The doctor reports the outcome of each step.
      }),
    )
    this.#guarded[Symbol.dispose]()
    // If the ledger fails too, that must not hide that the tenant may still be paused.
    if (outcome instanceof Failure)
      await ledger.append({ kind: 'resume-failed', tenant, holder, code: outcome.code }).catch(() => undefined)
    else await this.recordEnd(outcome.how, outcome.resumed?.heldMs ?? null)
    return outcome instanceof Failure ? outcome : null
  }
}
