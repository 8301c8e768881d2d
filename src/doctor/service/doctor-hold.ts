/**
 * The holds of the doctor. Each is announced in the ledger and to the guardian first, and over only when the tenant was
 * seen serving.
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
import type { Quiesced, Service } from '../../service/port.ts'
import { attempt } from '../steps.ts'

export interface ContractTrial {
  readonly service: Service
  readonly ledger: Ledger
  readonly guardian: Guardian
  readonly tenant: TenantId
  readonly settings: Settings
  readonly signal: AbortSignal
}

/** A trial of the admin API, call by call. */
export interface ApiTrial extends ContractTrial {
  readonly wire: Wire
  /** Those of the tenant in the service's list, from before it was paused. */
  readonly files: readonly string[]
}

/** What the first hold showed, for those after it. */
export interface FirstHold {
  /** How long the service took to quiesce, in ms. */
  readonly tookMs: number
  readonly quiesced: Quiesced
}

export type DoctorLease = { readonly leaseId: string; readonly fence: number | null }

export class DoctorHold {
  readonly #trial: ContractTrial
  readonly holder: string
  readonly #endsByMs: number
  /** The guardian resumes the tenant, should we be gone before this is disposed of. */
  readonly #guarded: Disposable

  private constructor(trial: ContractTrial, { tenant, holder, endsByMs }: GuardedHold) {
    this.#trial = trial
    this.holder = holder
    this.#endsByMs = endsByMs
    this.#guarded = trial.guardian.guard({ tenant, holder, endsByMs })
  }

  /**
   * @param ttlMs the longest lease that will be asked for, renewals counted
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
      await guardian.ready() // By then it surely has heard of the hold.
    } catch (error) {
      held.#guarded[Symbol.dispose]() // Nobody was asked.
      throw error
    }
    announced.handOver()
    return held
  }

  /** Tells the ledger how it ended, where the tenant was seen serving without us, or was never paused. */
  async ended(how: ResumeOutcome['how'], heldMs: number | null): Promise<void> {
    const { ledger, tenant } = this.#trial
    this.#guarded[Symbol.dispose]()
    await ledger.append({ kind: 'hold-ended', tenant, holder: this.holder, how, heldMs })
  }

  /**
   * Resumes, however often it was resumed before, and looks.
   * @param lease null where it is not known: it is then sought by its holder
   * @returns null once the tenant was seen serving
   */
  async end(lease: DoctorLease | null): Promise<Failure | null> {
    const { service, ledger, tenant } = this.#trial
    const { holder } = this
    const sight = await attempt(() =>
      resumeUntilSeen({
        service,
        tenant,
        holder,
        answer: lease,
        endsByMs: this.#endsByMs,
        wasHealthy: false,
        resumed: null,
      }),
    )
    this.#guarded[Symbol.dispose]()
    // A ledger that fails too must not hide that the tenant may stand still.
    if (sight instanceof Failure)
      await ledger.append({ kind: 'resume-failed', tenant, holder, code: sight.code }).catch(() => undefined)
    else await this.ended(sight.how, sight.resumed?.heldMs ?? null)
    return sight instanceof Failure ? sight : null
  }
}
