/**
 * Delivers results from the outbox to the fleet's database: in the order in which they were made, each exactly once.
 * A batch is deleted only after the database has said that it is stored. If that answer is lost, the batch is sent
 * again, and the database leaves out what it has.
 */

import { sleep } from '../../host/clock.ts'
import { Failure } from '../../model/failure.ts'
import type { FleetDatabase } from '../database/database.ts'
import { deliverStatement } from './deliver-statement.ts'
import type { Outbox, WaitingResult } from './outbox.ts'

const batchMax = 100
/** After a failure the next batch is half as long: a slow database may take less, and would never take all of it. */
const batchMin = 1
/** The text of one batch. Its results may have long reports. */
const batchBytesMax = 8_000_000
/** The time between two attempts while the database cannot be reached, in ms. */
const retryMs = { first: 1_000, most: 15_000 } as const

export interface ResultDeliveryOptions {
  readonly database: FleetDatabase
  readonly outbox: Outbox
  readonly host: string
  readonly service: string
  /** ms since 1970. */
  readonly now: () => number
  /** Called when deliveries begin to fail, with the reason, and with null when they work again. */
  readonly onFailure: (failure: Failure | null) => void
  /** Called with a sentence about a result that the database does not take. */
  readonly onNotice: (notice: string) => void
}

export class ResultDelivery implements AsyncDisposable {
  readonly #with: ResultDeliveryOptions
  readonly #stop = new AbortController()
  readonly #loop: Promise<void>
  /** Ends the rest of the loop; null while it works. */
  #wake: (() => void) | null = null
  /** Called when results were stored, and when the loop has ended. */
  readonly #waiting = new Set<() => void>()
  #isOver = false
  #failure: Failure | null = null
  #retryMs: number = retryMs.first
  #batchMost = batchMax

  constructor(options: ResultDeliveryOptions) {
    this.#with = options
    this.#loop = this.#deliverAll().finally(() => {
      this.#isOver = true
      this.#callWaiting()
    })
    this.#loop.catch(() => undefined) // `until` and the disposal throw it.
  }

  /** Why nothing is delivered now; null if nothing is wrong. */
  get failure(): Failure | null {
    return this.#failure
  }

  /** To be called when the outbox has new results. */
  wake(): void {
    this.#wake?.()
  }

  /**
   * Resolves when `waits` is false: the results that it looks for are stored, or the database has refused them.
   * @throws the signal's reason; {Failure} INTERRUPTED if the delivery ends; LEDGER_UNUSABLE
   */
  async until(waits: () => boolean, signal: AbortSignal): Promise<void> {
    while (waits()) {
      signal.throwIfAborted()
      if (this.#isOver) {
        await this.#loop
        this.#stop.signal.throwIfAborted()
      }
      await this.#nextStored(signal)
    }
  }

  /** Tries once more, then ends. What is not stored stays in the outbox. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Failure('INTERRUPTED', 'the agent ends'))
    await this.#loop
  }

  async #deliverAll(): Promise<void> {
    const { signal } = this.#stop
    signal.addEventListener('abort', () => this.#wake?.(), { once: true })
    for (;;) {
      const batch = this.#nextBatch()
      if (batch.length > 0) {
        if (!(await this.#tryBatch(batch)) && !(await this.#sleeps())) return
      } else if (signal.aborted) return
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
    }
  }

  /** Resolves also when the signal aborts, or when the loop ends. */
  async #nextStored(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.add(resolve)
    const onAbort = (): void => resolve()
    signal.addEventListener('abort', onAbort, { once: true })
    await promise
    this.#waiting.delete(resolve)
    signal.removeEventListener('abort', onAbort)
  }

  #callWaiting(): void {
    for (const call of this.#waiting) call()
  }

  #nextBatch(): readonly WaitingResult[] {
    const batch: WaitingResult[] = []
    let bytes = 0
    for (const waiting of this.#with.outbox.next(this.#batchMost)) {
      bytes += waiting.body.length
      if (batch.length > 0 && bytes > batchBytesMax) break
      batch.push(waiting)
    }
    return batch
  }

  /** @returns false if the database could not be reached */
  async #tryBatch(batch: readonly WaitingResult[]): Promise<boolean> {
    try {
      await this.#deliver(batch)
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      if (error.code === 'LEDGER_UNUSABLE') throw error
      if (!isAboutData(error)) return this.#fail(error)
      // One result may keep the others from being stored, so each is tried by itself.
      if (batch.length > 1) {
        for (const waiting of batch) if (!(await this.#tryBatch([waiting]))) return false
        return true
      }
      for (const waiting of batch) this.#refuse(waiting, error)
    }
    this.#retryMs = retryMs.first
    this.#batchMost = Math.min(batchMax, 2 * this.#batchMost)
    if (this.#failure !== null) this.#with.onFailure((this.#failure = null))
    this.#callWaiting()
    return true
  }

  async #deliver(batch: readonly WaitingResult[]): Promise<void> {
    const { database, outbox, host, service, now } = this.#with
    // Each time: a database that was restored may lack the week of the batch before.
    for (const week of new Set(batch.map(({ week }) => week)))
      await database.query('select holdfast.result_week($1::date)', [week])
    await database.query(deliverStatement, [`[${batch.map(({ body }) => body).join()}]`, host, service, now()])
    outbox.delete(batch)
  }

  #refuse(waiting: WaitingResult, { message }: Failure): void {
    this.#with.outbox.setRefused(waiting, message)
    this.#with.onNotice(`the fleet's database does not take a result, which stays in the outbox: ${message}`)
  }

  #fail(failure: Failure): false {
    this.#batchMost = Math.max(batchMin, Math.floor(this.#batchMost / 2))
    if (this.#failure === null) this.#with.onFailure((this.#failure = failure))
    return false
  }

  /** @returns false if the agent ends */
  async #sleeps(): Promise<boolean> {
    const ms = this.#retryMs
    this.#retryMs = Math.min(2 * ms, retryMs.most)
    try {
      await sleep(ms, this.#stop.signal)
      return true
    } catch {
      return false
    }
  }
}

/** Classes of SQLSTATE that say that a value is at fault; HF002: no week of results begins on that day. */
function isAboutData({ code, cause }: Failure): boolean {
  const state = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  return code === 'FLEET_STATEMENT_FAILED' && /^(?:22...|23...|54000|HF002)$/.test(state)
}
