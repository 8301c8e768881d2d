/** Which targets are held and which are checked right now, for the progress line. */

import type { ReadingProgress as PagesDone } from '../check/reading-builder.ts'
import { monotonicMs } from '../host/clock.ts'
import type { Target } from './begin/target.ts'

export interface RunProgress {
  readonly done: number
  readonly total: number
  /** Names of the targets that are being held. */
  readonly holding: readonly string[]
  /** Tenants that are paused right now, with the beginning on the monotonic clock; left out if there are none. */
  readonly paused?: readonly PauseProgress[]
  readonly checking: readonly CheckProgress[]
  /** Other work that takes long, in words; left out if there is none. */
  readonly working?: string
}

export interface PauseProgress {
  readonly name: string
  readonly sinceMs: number
}

export interface CheckProgress {
  readonly name: string
  /** The present value: nothing is reported for each page, so a display reads it again. null before the first page. */
  readonly pages: PagesDone | null
}

export interface ProgressObserver {
  /** Called when a target moves on. */
  readonly onProgress: (progress: RunProgress) => void
}

export class ProgressTracker {
  readonly #total: number
  readonly #observer: ProgressObserver
  readonly #holding = new Set<Target>()
  readonly #paused = new Map<string, PauseProgress>()
  readonly #checking = new Map<Target, { readonly name: string; pages: PagesDone | null }>()
  #done = 0

  /** Targets whose result is there. */
  get done(): number {
    return this.#done
  }

  constructor(total: number, observer: ProgressObserver) {
    this.#total = total
    this.#observer = observer
  }

  beginHold(target: Target): void {
    this.#holding.add(target)
    this.#report()
  }

  /** Passes on the outcome of a pause, and shows it while it lasts. */
  async trackPause<Value>(target: Target, pause: Promise<Value>): Promise<Value> {
    const name = nameOf(target)
    this.#paused.set(name, { name, sinceMs: monotonicMs() })
    this.#report()
    try {
      return await pause
    } finally {
      this.#paused.delete(name)
      this.#report()
    }
  }

  beginCheck(target: Target): void {
    this.#holding.delete(target)
    this.#checking.set(target, { name: nameOf(target), pages: null })
    this.#report()
  }

  /** @returns what to call with the pages of this target, which is being checked */
  pagesOf(target: Target): (pages: PagesDone) => void {
    const checking = this.#checking.get(target)
    return (pages) => {
      if (checking) checking.pages = pages
    }
  }

  /** @param counts false if the target was finished before, and was only examined again */
  finish(target: Target, counts = true): void {
    this.#checking.delete(target)
    if (counts) this.#done++
    this.#report()
  }

  #report(): void {
    this.#observer.onProgress({
      done: this.#done,
      total: this.#total,
      holding: [...new Set([...this.#holding].map(nameOf))].filter((name) => !this.#paused.has(name)),
      ...(this.#paused.size === 0 ? {} : { paused: [...this.#paused.values()] }),
      checking: [...this.#checking.values()],
    })
  }
}

const nameOf = ({ tenant, named }: Target): string => tenant ?? named
