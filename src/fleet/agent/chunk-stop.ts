/**
 * How a chunk ends early. Tenants that are paused or being checked come to their end. Tenants whose hold is only
 * prepared, or waits for a slot, are let go: no one has paused them.
 */

import type { PausePermit } from '../../hold/pause/pause-permit.ts'
import type { HoldStep } from '../../hold/record.ts'
import { monotonicMs } from '../../host/clock.ts'
import { Failure } from '../../model/failure.ts'
import type { Target } from '../../runs/begin/target.ts'
import type { RunProgress } from '../../runs/progress-tracker.ts'
import type { SlotSource } from '../pause/slot-permit.ts'

/** A restart of the database takes less. The run lock keeps every other run on the service waiting. */
const noSlotMsMax = 30_000

export class ChunkStop {
  readonly #interrupt = new AbortController()
  readonly #waiting = new AbortController()
  /** Tenants that were paused, and not all of whose files have a result yet. */
  readonly #underWay = new Set<string>()
  #why: string | null = null
  #noSlotSinceMs: number | null = null

  /** Ends all work, after a tenant that is paused was resumed. */
  get interruptSignal(): AbortSignal {
    return this.#interrupt.signal
  }

  /** Aborts as soon as no other tenant may begin: for a wait before the first tenant. */
  get waitSignal(): AbortSignal {
    return this.#waiting.signal
  }

  get hasBegun(): boolean {
    return this.#why !== null
  }

  begin(why: string): void {
    if (this.#why !== null) return
    this.#why = why
    this.#waiting.abort(new Failure('INTERRUPTED', why))
    this.#endIfQuiet()
  }

  interrupt(failure: Failure): void {
    this.begin(failure.message)
    this.#interrupt.abort(failure)
  }

  /** To be called at each step of a hold. A hold that is tried again begins with `preflight`: no one is paused then. */
  considerStep({ tenant, named }: Target, step: HoldStep): void {
    const name = tenant ?? named
    if (step === 'asked') this.#underWay.add(name)
    else if (step === 'preflight' && this.#underWay.delete(name)) this.#endIfQuiet()
  }

  /** To be called when a tenant moves on. */
  considerProgress({ holding, paused = [], checking }: RunProgress): void {
    if (this.#underWay.size === 0) return
    const active = new Set([...holding, ...[...paused, ...checking].map(({ name }) => name)])
    for (const name of this.#underWay) if (!active.has(name)) this.#underWay.delete(name)
    this.#endIfQuiet()
  }

  /** Permits no pause as soon as no other tenant may begin, also not in a slot that was taken before. */
  limitPermit(permit: PausePermit): PausePermit {
    return {
      takeSlot: (signal) => (this.hasBegun ? untilAborted(signal) : permit.takeSlot(signal)),
      waitForSlot: (signal) => (this.hasBegun ? untilAborted(signal) : permit.waitForSlot(signal)),
    }
  }

  /**
   * Ends the chunk if pauses are stopped, or the database is away: a person's check of a tenant does not wait for that.
   * A fleet that is only full gives a slot soon.
   */
  watchSlots(slots: SlotSource): SlotSource {
    return {
      take: async () => {
        const answer = await slots.take()
        if ('rows' in answer || answer.refused === 'full') this.#noSlotSinceMs = null
        else {
          this.#noSlotSinceMs ??= monotonicMs()
          if (monotonicMs() - this.#noSlotSinceMs > noSlotMsMax) this.begin(answer.why)
        }
        return answer
      },
      release: (slot) => slots.release(slot),
    }
  }

  #endIfQuiet(): void {
    if (this.#why !== null && this.#underWay.size === 0) this.#interrupt.abort(new Failure('INTERRUPTED', this.#why))
  }
}

const untilAborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    const abort = (): void => reject(signal.reason as Error)
    signal.addEventListener('abort', abort, { once: true })
    if (signal.aborted) abort()
  })
