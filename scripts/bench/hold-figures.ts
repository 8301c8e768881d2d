/** Collects what is measured of the holds of one tenant. */
import type { HoldResult } from '../../src/hold/hold.ts'
import type { HoldStep } from '../../src/hold/record.ts'
import { spreadOf, type Spread } from './units.ts'

export interface HoldFigures {
  /** How the snapshots were copied. */
  readonly method: string
  /** From quiesced to active, by the service's clock. */
  readonly heldMs: Spread
  /** From our request to active, by our clock: includes draining and closing. */
  readonly pauseMs: Spread
  readonly predictedMs: Spread
  /** heldMs divided by the prediction of the same hold. */
  readonly heldByPredicted: Spread
  readonly warmMs: Spread
  readonly tailBytes: Spread
  /** Milliseconds of each step. */
  readonly steps: readonly { readonly step: HoldStep; readonly ms: Spread }[]
  readonly failures: readonly string[]
}

export class HoldMeasurements {
  readonly #heldMs: number[] = []
  readonly #pauseMs: number[] = []
  readonly #predictedMs: number[] = []
  readonly #heldByPredicted: number[] = []
  readonly #warmMs: number[] = []
  readonly #tailBytes: number[] = []
  readonly #steps = new Map<HoldStep, number[]>()
  readonly #failures: string[] = []
  #method = ''

  /** @returns what must be called after each step of one hold */
  startHold(): (step: HoldStep) => void {
    let last = performance.now()
    return (step) => {
      const now = performance.now()
      this.#steps.set(step, [...(this.#steps.get(step) ?? []), now - last])
      last = now
    }
  }

  endHold(held: HoldResult): void {
    if (held.kind !== 'snapshot') {
      this.#failures.push(`${held.failure.code}: ${held.failure.message}`)
      return
    }
    const { evidence, timings } = held.record
    const heldMs = evidence.quiesce?.heldMs
    this.#method = evidence.snapshot?.method ?? ''
    push(this.#heldMs, heldMs)
    push(this.#pauseMs, timings.pauseMs)
    push(this.#predictedMs, timings.predictedPauseMs)
    push(this.#warmMs, timings.warmMs)
    push(this.#tailBytes, evidence.snapshot?.tailBytes)
    if (timings.predictedPauseMs !== null && typeof heldMs === 'number')
      this.#heldByPredicted.push(heldMs / timings.predictedPauseMs)
  }

  figures(): HoldFigures {
    return {
      method: this.#method,
      heldMs: spreadOf(this.#heldMs),
      pauseMs: spreadOf(this.#pauseMs),
      predictedMs: spreadOf(this.#predictedMs),
      heldByPredicted: spreadOf(this.#heldByPredicted),
      warmMs: spreadOf(this.#warmMs),
      tailBytes: spreadOf(this.#tailBytes),
      steps: [...this.#steps].map(([step, ms]) => ({ step, ms: spreadOf(ms) })),
      failures: this.#failures,
    }
  }
}

function push(values: number[], value: number | null | undefined): void {
  if (typeof value === 'number') values.push(value)
}
