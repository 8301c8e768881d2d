/**
 * Examines the chunks that the database gives out, one at a time, and puts their results into the outbox. A chunk ends
 * when its results are stored, so that it is not given out again.
 */

import type { Settings } from '../../config/settings.ts'
import { monotonicMs, sleep } from '../../host/clock.ts'
import type { LedgerReader } from '../../ledger/ledger.ts'
import { newRunId } from '../../ledger/run-lock/run-id.ts'
import type { TenantId } from '../../model/brand.ts'
import { Bug } from '../../model/bug.ts'
import { Failure } from '../../model/failure.ts'
import type { Result } from '../../model/result/report.ts'
import { isWithoutAnswer } from '../../runs/begin/unanswered-row.ts'
import { printableSentence } from '../../text/printable.ts'
import { answersFrom, type QuestionsOfRun } from '../compare/rows/question-table.ts'
import type { Chunk } from '../jobs/chunk.ts'
import type { Lane } from '../jobs/jobs.ts'
import type { SlotSource } from '../pause/slot-permit.ts'
import type { ResultDelivery } from '../results/delivery.ts'
import { doneKey } from '../results/done-key.ts'
import type { BegunChunk, Outbox } from '../results/outbox.ts'
import { outgoingResult } from '../results/outgoing-result.ts'
import { isExamined, recoverChunk, recoverTenants, nextAttempt } from '../results/recovered-results.ts'
import { storedPath } from '../results/stored-path.ts'
import { asError, silenceOf, type ChunkFailure, type FromChunk } from './chunk-messages.ts'
import { ChunkProcess, type ChunkObserver } from './chunk-process.ts'
import { ChunkTurns } from './chunk-turns.ts'

export interface ChunkRunnerOptions {
  readonly settings: Settings
  readonly windowMs: number
  readonly version: string
  readonly outbox: Outbox
  readonly delivery: ResultDelivery
  readonly slots: SlotSource
  readonly readLedger: () => Promise<LedgerReader>
  /** See `fleet/results/done-files.ts`. */
  readonly doneFiles: (chunk: Chunk) => Promise<ReadonlySet<string>>
  /** The questions of a comparison by key. */
  readonly questionsOf: (run: string) => QuestionsOfRun
  /** True while the outbox takes no more. */
  readonly isFull: () => boolean
  /** Called with the run lock in the hands of a chunk, and the holds of earlier runs ended. */
  readonly onRunLock: () => Promise<void>
  /** Whether the service of this host answers now. */
  readonly serviceAnswers: () => Promise<boolean>
  readonly say: (sentence: string) => void
}

/** How often it is looked whether the outbox has room again. */
const fullMs = 5_000
/** How often it is asked whether a tenant may be paused, or whether the service answers again. */
const askAgainMs = 5_000
/** A service that is silent for longer has its tenants reported as failed. */
const silentMsMax = 30 * 60_000

/**
 * What the rest of a chunk waits for, without a process and without the run lock. It is an incident that came first,
 * a slot to pause a tenant, or a service that does not answer. `done`: there is no rest.
 */
type TurnEnd = 'done' | 'incident' | 'slot' | 'service'

/** How often a file is tried again in one attempt of a chunk, after its service gave no answer about it. */
const triesAgainMax = 2

/** Disposing leaves the process of a chunk alone: it ends what is under way, and its results are in the ledger. */
export class ChunkRunner implements Disposable {
  readonly #with: ChunkRunnerOptions
  readonly #turns = new ChunkTurns()
  #current: string | null = null
  #process: ChunkProcess | null = null
  #silentSinceMs: number | null = null

  constructor(options: ChunkRunnerOptions) {
    this.#with = options
  }

  /**
   * @param signal ends the chunk after the tenants that are under way
   * @throws {Failure} if not all tenants were examined, or their results are not stored; the signal's reason
   */
  async examine(chunk: Chunk, lane: Lane, signal: AbortSignal): Promise<void> {
    const { outbox, delivery } = this.#with
    if (chunk.kind === 'resend') {
      const newest = await this.#resend(chunk)
      return delivery.until(() => outbox.waitsUpTo(newest), signal)
    }
    const unanswered = new Map<string, number>()
    for (;;) {
      const end = await this.#takeTurn(chunk, lane, signal, unanswered)
      if (end === 'done') break
      while (!(await this.#mayGoOn(end))) await sleep(askAgainMs, signal)
    }
    await delivery.until(() => outbox.waitsFor(chunk), signal)
  }

  async #takeTurn(chunk: Chunk, lane: Lane, signal: AbortSignal, unanswered: Map<string, number>): Promise<TurnEnd> {
    while (this.#with.isFull()) await sleep(fullMs, signal)
    using turn = await this.#turns.take(lane, signal)
    const end = await this.#work(chunk, AbortSignal.any([signal, turn.yielding]), unanswered)
    signal.throwIfAborted()
    return end
  }

  async #mayGoOn(end: TurnEnd): Promise<boolean> {
    const { slots, serviceAnswers } = this.#with
    if (end === 'service') {
      if (this.#isSilentTooLong) return true
      if (!(await serviceAnswers())) return false
      this.#silentSinceMs = null // It gave no answer about one tenant. That is no silence of the service.
      return true
    }
    if (end !== 'slot') return true
    const answer = await slots.take()
    if ('rows' in answer) slots.release(answer)
    return 'rows' in answer || answer.refused === 'full'
  }

  get #isSilentTooLong(): boolean {
    return this.#silentSinceMs !== null && monotonicMs() - this.#silentSinceMs > silentMsMax
  }

  /** @returns the number of the newest result in the outbox */
  async #resend({ run, week, chunk, tenants }: Chunk): Promise<number> {
    const { outbox, readLedger, delivery } = this.#with
    const begun = outbox.beginChunk({ local: newRunId(), run, week, chunk })
    await using ledger = await readLedger()
    await recoverTenants(ledger, outbox, tenants, begun)
    outbox.endChunk(begun.local)
    delivery.wake()
    return outbox.newest
  }

  /** @throws {Failure} */
  async #work(chunk: Chunk, stopping: AbortSignal, unanswered: Map<string, number>): Promise<TurnEnd> {
    const { settings, windowMs, version, outbox } = this.#with
    const local = newRunId()
    const begun = outbox.beginChunk({ local, run: chunk.run, week: chunk.week, chunk: chunk.chunk })
    const { run, week, chunk: number, attempt } = begun
    const part = { run, week, chunk: number, attempt }
    const order = {
      settings,
      local,
      part,
      version,
      tenants: chunk.tenants,
      depth: chunk.depth,
      windowMs,
      rows: chunk.kind === 'compare',
    }
    const receiver = new ResultReceiver(begun, this.#with, unanswered)
    this.#current = local
    try {
      const process = await ChunkProcess.start(
        order,
        this.#observer(chunk, begun, receiver, () => process.stop()),
      )
      this.#process = process
      const stop = (): void => process.stop()
      stopping.addEventListener('abort', stop, { once: true })
      if (stopping.aborted) stop()
      const end = await process.ended
      stopping.removeEventListener('abort', stop)
      if (end.kind === 'died' || receiver.failure !== null) await this.#recover(begun)
      outbox.endChunk(local)
      this.#with.delivery.wake()
      if (isAway(receiver.failure)) return 'slot'
      if (receiver.failure !== null) throw receiver.failure
      if (end.kind === 'died') throw end.failure
      return this.#endOf(end, receiver.unanswered, stopping.aborted)
    } finally {
      this.#current = null
      this.#process = null
    }
  }

  #endOf(
    { failure, stopped }: Pick<EndMessage, 'failure' | 'stopped'>,
    unanswered: ChunkFailure | null,
    isAsked: boolean,
  ): TurnEnd {
    const silent = silenceOf(failure, unanswered)
    if (silent !== null) {
      this.#silentSinceMs ??= monotonicMs()
      if (this.#isSilentTooLong) throw asError(silent)
      this.#with.say(`holdfast: a chunk waits for the service: ${printableSentence(silent.message)}`)
      return 'service'
    }
    this.#silentSinceMs = null
    if (failure !== null) throw asError(failure)
    return stopped ? (isAsked ? 'incident' : 'slot') : 'done'
  }

  [Symbol.dispose](): void {
    this.#process?.detach()
  }

  #observer(chunk: Chunk, begun: BegunChunk, receiver: ResultReceiver, stop: () => void): ChunkObserver {
    const { slots, say } = this.#with
    return {
      slots,
      doneFiles: async () => {
        try {
          await this.recoverOpen(begun.local)
          await this.#with.onRunLock()
          return await this.#with.doneFiles(chunk)
        } catch (error) {
          receiver.failure ??= error instanceof Error ? error : new Bug(String(error))
          throw error
        }
      },
      onResult: (message) => {
        receiver.take(message)
        if (receiver.failure !== null || receiver.unanswered !== null || this.#with.isFull()) stop()
      },
      ...answersFrom(this.#with.questionsOf(begun.run)),
      onNotice: (text) => say(`holdfast: ${printableSentence(text)}`),
    }
  }

  /**
   * Takes over results of chunks whose process or agent died.
   * @param local the run on this machine that has the run lock, so that all others are over; null if that is not known
   * @param isOver whether a run on this machine is over
   * @throws {Failure} LEDGER_UNUSABLE
   */
  async recoverOpen(local: string | null, isOver: (local: string) => boolean = () => true): Promise<void> {
    const open = this.#with.outbox
      .openChunks()
      .filter((chunk) => chunk.local !== local && chunk.local !== this.#current)
    if (open.length === 0) return
    await using ledger = await this.#with.readLedger()
    for (const chunk of open) {
      const isEnded = isOver(chunk.local)
      await recoverChunk(ledger, this.#with.outbox, chunk)
      if (isEnded) this.#with.outbox.endChunk(chunk.local)
    }
    this.#with.delivery.wake()
  }

  async #recover(chunk: BegunChunk): Promise<void> {
    await using ledger = await this.#with.readLedger()
    await recoverChunk(ledger, this.#with.outbox, chunk)
  }
}

/** Puts results into the outbox as they come. */
class ResultReceiver {
  readonly #begun: BegunChunk
  readonly #with: Pick<ChunkRunnerOptions, 'outbox' | 'delivery'>
  readonly #triedAgain: Map<string, number>
  /** Why the outbox could not be read, or did not take a result; null if it worked. The ledger has all results. */
  failure: Error | null = null
  /** Why a file is to be tried again: its service gave no answer. Null if there is none. */
  unanswered: ChunkFailure | null = null

  /** @param triedAgain how often files were tried again before, by `doneKey` */
  constructor(
    begun: BegunChunk,
    { outbox, delivery }: Pick<ChunkRunnerOptions, 'outbox' | 'delivery'>,
    triedAgain: Map<string, number>,
  ) {
    this.#begun = begun
    this.#with = { outbox, delivery }
    this.#triedAgain = triedAgain
  }

  take({ tenant, result, at, revised: isRevised }: Extract<FromChunk, { kind: 'result' }>): void {
    if (!isExamined(result) || this.#mayTryAgain(tenant, result)) return
    const part = isRevised ? nextAttempt(this.#begun) : this.#begun
    try {
      this.#with.outbox.put(this.#begun.local, [outgoingResult(part, tenant, result, at)])
      this.#with.delivery.wake()
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      this.failure = error
    }
  }

  /** A short outage must not be the result of a tenant, and a tenant that hangs must not hold up the rest. */
  #mayTryAgain(tenant: TenantId, { path, failure }: Result): boolean {
    if (failure === undefined || !isWithoutAnswer({ failure })) return false
    const key = doneKey(tenant, storedPath(path))
    const tries = this.#triedAgain.get(key) ?? 0
    if (tries >= triesAgainMax) return false
    this.#triedAgain.set(key, tries + 1)
    this.unanswered ??= failure
    return true
  }
}

/** The database did not say what is done. No tenant was paused, so it is no attempt. */
const isAway = (failure: Error | null): boolean => failure instanceof Failure && failure.code === 'FLEET_UNREACHABLE'

type EndMessage = Extract<FromChunk, { kind: 'ended' }>
