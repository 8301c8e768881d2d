/** What a hold has observed so far. It becomes the evidence of the report, however far the hold came. */
import { noEvidence, type Evidence } from '../model/result/evidence.ts'

export interface HoldTimings {
  readonly warmMs: number | null
  readonly pauseMs: number | null
  readonly predictedPauseMs: number | null
  /** How long the tenant had been paused when its copy was abandoned because it took too long. */
  readonly ranOutMs?: number
}

/** The steps of a hold. Each is reported when it is done. */
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
  /** The live set was changed, and looked at afterwards. */
  | 'changed'
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
   * True as soon as the tenant may be paused, or the bare file is sealed. A hold that fails before that is refused; one
   * that fails after it is undecided.
   */
  begun = false
  /** How the pause ended by itself while we held the tenant; null if it did not, as far as is known. */
  endedBySelf: 'service-restarted' | 'expired' | null = null

  constructor(onStep: (step: HoldStep) => void) {
    this.#onStep = onStep
  }

  /** Adds what a step observed, and reports that the step is done. */
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

  /** Forgets the evidence of the attempt before: it proves nothing about this one. */
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
