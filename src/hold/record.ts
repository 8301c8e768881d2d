/** What a hold has seen so far. It becomes the evidence of the report, however far the hold came. */
import { noEvidence, type Evidence } from '../model/result/evidence.ts'

export interface HoldTimings {
  readonly warmMs: number | null
  readonly pauseMs: number | null
  readonly predictedPauseMs: number | null
  /** How long the tenant had stood still when its copy was given up for taking too long. */
  readonly ranOutMs?: number
}

/** The steps of a hold, each named when it is done. */
export type HoldStep =
  | 'preflight'
  | 'warm'
  | 'asked'
  | 'quiesced'
  | 'locked'
  | 'probed'
  | 'sealed'
  | 'proven'
  | 'copied'
  | 'proven-again'
  | 'probed-again'
  | 'released'
  | 'resumed'
  | 'kept'

export class HoldRecord {
  readonly #onStep: (step: HoldStep) => void
  #evidence: Evidence = noEvidence
  #timings: HoldTimings = { warmMs: null, pauseMs: null, predictedPauseMs: null }
  /**
   * From the first step on that stands the tenant still (or seals a bare file), a hold that fails is undecided, not
   * refused.
   */
  begun = false
  /** The service went on by itself while we held the tenant; null when it did not, or is not known to have done. */
  endedBySelf: 'service-restarted' | 'expired' | null = null

  constructor(onStep: (step: HoldStep) => void) {
    this.#onStep = onStep
  }

  /** A step is done. */
  step(step: HoldStep, seen: Partial<Evidence> = {}): void {
    this.add(seen)
    this.#onStep(step)
  }

  get evidence(): Evidence {
    return this.#evidence
  }

  get timings(): HoldTimings {
    return this.#timings
  }

  /** An attempt starts from nothing: what an earlier one saw proves nothing now. */
  startAttempt(): void {
    this.endedBySelf = null
    this.#evidence = { ...noEvidence, attempts: this.#evidence.attempts + 1 }
  }

  add(seen: Partial<Evidence>): void {
    this.#evidence = { ...this.#evidence, ...seen }
  }

  time(measured: Partial<HoldTimings>): void {
    this.#timings = { ...this.#timings, ...measured }
  }
}
