/**
 * The permit of a run in a fleet: takes slots from a source and gives them back. It uses each for one tenant after the
 * other within its window. It runs in the process that holds the tenants. From the quiesce to the resume it asks for
 * nothing.
 *
 * - The window is counted on the monotonic clock from before the slot was asked for. So an answer that was late or
 *   frozen on its way makes it shorter, never longer.
 * - A slot that comes too late is given back. One that no tenant uses is kept for the next tenant for 100 ms. For a
 *   hold that is being prepared it is kept until its window ends. A slot whose tenant may be paused is left alone: a
 *   coordinator that watches it frees it (README.md).
 */
import type { PausePermit, PermitSlot } from '../../hold/pause/pause-permit.ts'
import { monotonicMs, sleep } from '../../host/clock.ts'
import { Failure } from '../../model/failure.ts'

/** One row for each scope of the limit: the fleet, the service, the failure domain. */
export interface SlotRow {
  readonly scope: string
  readonly slot: number
  /** Decimal. */
  readonly fence: string
}

/** Fences are compared within one epoch and generation only. */
export interface TakenSlot {
  readonly epoch: string
  readonly generation: number
  readonly rows: readonly SlotRow[]
}

/**
 * Why there is no slot. `full`: the limit of the fleet, the service or the failure domain is reached. `stopped`: pauses
 * are stopped, and only a person lets them go on. `away`: the database does not answer, or must be watched first.
 */
export interface SlotRefusal {
  readonly refused: 'full' | 'stopped' | 'away'
  /** One sentence without a period. */
  readonly why: string
  /** `full` only: the longest wait in ms if it is above 1,000. The first wait is at most half of it. */
  readonly againMs?: number
}

export interface SlotSource {
  /** Asks once. Does not throw, and answers within some seconds. */
  take(): Promise<TakenSlot | SlotRefusal>
  /** Gives a slot back, by its fences. Not awaited: if it gets lost, a coordinator frees the slot. */
  release(slot: TakenSlot): void
}

/** How long a slot without a tenant is kept for the next one. In a sweep the next tenant is prepared already. */
const idleMsMax = 100
/** How long what was prepared for a pause waits. It may keep a WAL from being written back. */
const slotWaitMsMax = 15_000
/**
 * The longest waits between two questions, in ms, by the answer. Each wait is twice as long as the one before, until a
 * slot comes in time. If many hosts may ask, the answer sets the first wait. A slot that comes too late was work for
 * the database all the same. Hosts that asked again soon would keep a busy one from ever being in time.
 */
const waitMsMax = { full: 1_000, other: 5_000, late: 30_000 } as const
const firstWaitMs = 50
/** A hold that waits looks so often whether another one has left a slot, or has got one in time. */
const lookEveryMs = idleMsMax / 2

/** Of the last question since a slot came in time. All that wait in this process share it; one of them asks again. */
interface LastRefusal {
  readonly why: string
  /** 0: there was none, and whoever needs a slot asks. */
  readonly waitMs: number
  readonly asksAtMs: number
  mayAsk: boolean
}

interface HeldSlot {
  readonly taken: TakenSlot
  readonly beginsByMs: number
}

interface IdleSlot extends HeldSlot {
  readonly timer: NodeJS.Timeout
}

export class SlotPermit implements PausePermit, Disposable {
  readonly #source: SlotSource
  readonly #windowMs: number
  readonly #idle: IdleSlot[] = []
  #disposed = false
  #lastRefusal = noRefusal()
  /** The wait for a slot that several share. */
  #getting: Promise<void> | null = null

  constructor(source: SlotSource, windowMs: number) {
    this.#source = source
    this.#windowMs = windowMs
  }

  async takeSlot(signal: AbortSignal): Promise<PermitSlot> {
    return this.#slotOf(this.#takeIdle() ?? (await this.#wait(slotWaitMsMax, signal)))
  }

  /** Several that wait share one slot: the first that is prepared uses it. */
  async waitForSlot(signal: AbortSignal): Promise<void> {
    while (this.#idle.length === 0) {
      signal.throwIfAborted()
      this.#getting ??= this.#wait(Infinity, signal)
        .then((held) => this.#keep(held, this.#windowMs))
        .finally(() => (this.#getting = null))
      await this.#getting.catch(() => undefined) // The hold that began it was interrupted: the next begins it again.
    }
  }

  /** @throws {Failure} PAUSE_NOT_GRANTED; the signal's reason */
  async #wait(forMs: number, signal: AbortSignal): Promise<HeldSlot> {
    const untilMs = monotonicMs() + forMs
    for (;;) {
      signal.throwIfAborted()
      const idle = this.#lastRefusal.waitMs > 0 ? await this.#untilNextQuestion(untilMs, signal) : null
      if (idle !== null) return idle
      const refusal = this.#lastRefusal
      refusal.mayAsk = refusal.waitMs === 0
      try {
        const held = await this.#askOnce(forMs, signal)
        if (held !== null) return held
      } finally {
        refusal.mayAsk = true // If it is still the last one: this question was given up.
      }
    }
  }

  /** @returns null if the answer was no slot, or one that comes too late. @throws {Failure} PAUSE_NOT_GRANTED */
  async #askOnce(forMs: number, signal: AbortSignal): Promise<HeldSlot | null> {
    const askedAtMs = monotonicMs()
    const answer = await this.#ask(signal)
    if ('rows' in answer) {
      const held = { taken: answer, beginsByMs: askedAtMs + this.#windowMs }
      if (this.#isUseful(held)) {
        this.#lastRefusal = noRefusal()
        return held
      }
      this.#source.release(answer)
      this.#asksAgain('the database answers too slowly', waitMsMax.late)
    } else {
      const { refused, why, againMs = 0 } = answer
      if (refused !== 'full' && forMs !== Infinity) throw notGranted(why)
      if (refused === 'full') this.#asksAgain(why, Math.max(waitMsMax.full, againMs), againMs / 2)
      else this.#asksAgain(why, waitMsMax.other)
    }
    return null
  }

  /** Hosts that ask at the same time drift apart. */
  #asksAgain(why: string, mostMs: number, leastMs = 0): void {
    const waitMs = Math.min(Math.max(firstWaitMs, leastMs, 2 * this.#lastRefusal.waitMs), mostMs)
    const restMs = waitMs * (0.5 + Math.random() / 2)
    const refusal = { why, waitMs, asksAtMs: monotonicMs() + restMs, mayAsk: false }
    this.#lastRefusal = refusal
    setTimeout(() => (refusal.mayAsk = true), restMs).unref()
  }

  /**
   * @returns a slot that another hold has left meanwhile; null when this one is to ask
   * @throws {Failure} PAUSE_NOT_GRANTED if that is too late; the signal's reason
   */
  async #untilNextQuestion(untilMs: number, signal: AbortSignal): Promise<HeldSlot | null> {
    for (;;) {
      const { why, asksAtMs, mayAsk } = this.#lastRefusal
      if (mayAsk) return null
      if (Math.max(asksAtMs, monotonicMs()) > untilMs) throw notGranted(why)
      await sleep(lookEveryMs, signal)
      const idle = this.#takeIdle()
      if (idle !== null) return idle
    }
  }

  /** If the signal aborts first, the slot that is granted afterwards goes back unused. */
  async #ask(signal: AbortSignal): Promise<TakenSlot | SlotRefusal> {
    const asked = this.#source.take()
    const aborted = Promise.withResolvers<never>()
    const abort = (): void => aborted.reject(signal.reason as Error)
    signal.addEventListener('abort', abort, { once: true })
    try {
      return await Promise.race([asked, aborted.promise])
    } catch (error) {
      void asked.then((late) => 'rows' in late && this.#source.release(late))
      throw error
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }

  #slotOf(held: HeldSlot): PermitSlot {
    let inDoubt = false
    let over = false
    return {
      beginsByMs: held.beginsByMs,
      markAsked: () => {
        inDoubt = true
      },
      markAnswered: () => {
        inDoubt = false
      },
      [Symbol.dispose]: () => {
        if (!over && !inDoubt) this.#keep(held, idleMsMax)
        over = true
      },
    }
  }

  /** The ledger and the guardian hear of a hold before the service is asked, so a rest of the window is too short. */
  #isUseful({ beginsByMs }: HeldSlot): boolean {
    return beginsByMs - monotonicMs() > this.#windowMs / 4
  }

  #takeIdle(): HeldSlot | null {
    for (let idle = this.#idle.pop(); idle; idle = this.#idle.pop()) {
      clearTimeout(idle.timer)
      if (this.#isUseful(idle)) return idle
      this.#source.release(idle.taken)
    }
    return null
  }

  #keep(held: HeldSlot, forMs: number): void {
    const leftMs = Math.min(forMs, held.beginsByMs - monotonicMs())
    if (leftMs <= 0 || this.#disposed) return this.#source.release(held.taken)
    const idle: IdleSlot = { ...held, timer: setTimeout(() => this.#giveBack(idle), leftMs) }
    this.#idle.push(idle)
  }

  #giveBack(idle: IdleSlot): void {
    this.#idle.splice(this.#idle.indexOf(idle), 1)
    this.#source.release(idle.taken)
  }

  /** Gives back what no tenant uses. */
  [Symbol.dispose](): void {
    this.#disposed = true
    for (const idle of this.#idle.splice(0)) {
      clearTimeout(idle.timer)
      this.#source.release(idle.taken)
    }
  }
}

const noRefusal = (): LastRefusal => ({ why: '', waitMs: 0, asksAtMs: 0, mayAsk: true })

const notGranted = (why: string): Failure => new Failure('PAUSE_NOT_GRANTED', `no tenant may be paused now: ${why}`)
