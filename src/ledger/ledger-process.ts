/**
 * Our side of the ledger's process. It is asked one question at a time, appends that wait are committed together, and a
 * process that dies is replaced.
 */

import { randomInt } from 'node:crypto'
import { failureOfEnd } from '../host/process/child-start.ts'
import { ChildEndError, startChild } from '../host/process/child.ts'
import type { Child } from '../host/process/child.ts'
import { programBeside } from '../host/process/program-beside.ts'
import type { RunId } from '../model/brand.ts'
import { invariant } from '../model/bug.ts'
import type { Event } from '../model/event.ts'
import { Failure } from '../model/failure.ts'
import type { KnownFile, LastGood } from '../model/result/last-good.ts'
import type { SampleRound } from '../model/result/sample.ts'
import type { ServiceWay } from '../model/service-way.ts'
import { count } from '../text/count.ts'
import { LedgerQuestions } from './ledger-questions.ts'
import type { Ledger, NewestCheck } from './ledger.ts'
import {
  fileName,
  lastGoodRow,
  lineRow,
  roundRow,
  type LastGoodRow,
  type LineRow,
  type RoundRow,
} from './lines/rows.ts'
import type { LedgerAnswer, LedgerMode, LedgerQuestion } from './protocol.ts'

/** The limit for one question: to open a ledger may mean to check the whole file on a slow disk. */
const askMs = 60_000
/** So often in a row the process may die during one question. */
const attemptsMax = 3
/** Appends in one commit, at most. */
const waitingPerCommitMax = 1000
/** `appendSoon` waits so long for other appends: a commit costs a millisecond and two messages between processes. */
const soonMs = 50

const program = 'ledger-child'

interface PendingAppend {
  readonly lines: readonly LineRow[]
  readonly lastGood: readonly LastGoodRow[]
  readonly rounds: readonly RoundRow[]
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

export class LedgerProcess extends LedgerQuestions implements Ledger {
  readonly #dir: string
  readonly #mode: LedgerMode
  readonly #run: RunId | null
  readonly #way: ServiceWay | null
  #child: Child<LedgerQuestion, LedgerAnswer> | null = null
  /** Questions are asked one after the other: each waits for the end of this. */
  #turn: Promise<unknown> = Promise.resolve()
  #waiting: PendingAppend[] = []
  #commitIsDue = false
  #soon: NodeJS.Timeout | null = null
  #closed = false
  /** Lines are numbered from a random start: two ledgers of one run never share a number. */
  #number = randomInt(2 ** 47)
  readonly #notices: string[] = []
  #holdsLost = false

  constructor(dir: string, mode: LedgerMode, run: RunId | null, way: ServiceWay | null) {
    super()
    this.#way = way
    this.#dir = dir
    this.#mode = mode
    this.#run = run
  }

  protected addNotice(notice: string): void {
    if (!this.#notices.includes(notice)) this.#notices.push(notice)
  }

  get holdsLost(): boolean {
    return this.#holdsLost
  }

  get #service(): string | null {
    return this.#way?.service ?? null
  }

  get notice(): string | null {
    return this.#notices.length === 0 ? null : this.#notices.join('; ')
  }

  /** Starts the process. @throws {Failure} LEDGER_UNUSABLE */
  async open(): Promise<void> {
    await this.#inTurn(() => this.#persist(() => this.#start()))
  }

  append(event: Event): Promise<void> {
    const written = this.appendSoon(event)
    this.#commitSoon()
    return written
  }

  appendSoon(event: Event): Promise<void> {
    invariant(!this.#closed, 'nothing is appended to a ledger that was closed')
    invariant(this.#run !== null, 'a ledger that was opened for reading is not written to')
    this.#number += 1
    return this.#enqueue({ lines: [lineRow(Date.now(), this.#run, this.#number, event)], lastGood: [], rounds: [] })
  }

  storeLastGood(lastGood: Omit<LastGood, 'run'>): Promise<void> {
    invariant(!this.#closed && this.#run !== null, 'nothing is kept in a ledger that was closed, or opened for reading')
    return this.#enqueue({
      lines: [],
      lastGood: [lastGoodRow(this.#service, { ...lastGood, run: this.#run })],
      rounds: [],
    })
  }

  async lastGood(files: readonly KnownFile[]): Promise<readonly (LastGood | null)[]> {
    const names = new Set(files.map((file) => fileName(this.#service, file)))
    // Appends that wait go on waiting unless they are about these files: a question must not cost a commit each time.
    if (this.#waiting.some((waiting) => waiting.lastGood.some(({ file }) => names.has(file)))) this.#commitSoon()
    return (await this.#askMeanwhile({ ask: 'last-good', files }, 'last-good')).lastGood
  }

  storeRound(round: SampleRound): Promise<void> {
    invariant(!this.#closed && this.#run !== null, 'nothing is kept in a ledger that was closed, or opened for reading')
    return this.#enqueue({ lines: [], lastGood: [], rounds: [roundRow(this.#service, round, Date.now())] })
  }

  async newestChecks(files: readonly KnownFile[]): Promise<readonly (NewestCheck | null)[]> {
    return (await this.#askMeanwhile({ ask: 'newest-checks', files }, 'newest-checks')).checks
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#commitSoon()
    // After all earlier questions.
    await this.#inTurn(async () => {
      const child = this.#child
      this.#child = null
      if (child === null) return
      await using _ended = child
      try {
        await child.ask({ ask: 'close' }, { timeoutMs: askMs })
      } catch (error) {
        // All lines are on the disk. The next run clears up the rest.
        if (!(error instanceof ChildEndError)) throw error
      }
    })
  }

  /** Waits for the next commit. */
  #enqueue(what: Pick<PendingAppend, 'lines' | 'lastGood' | 'rounds'>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...what, resolve, reject })
      this.#soon ??= setTimeout(() => this.#commitSoon(), soonMs)
    })
  }

  /** After the questions before it. */
  #commitSoon(): void {
    if (this.#soon) clearTimeout(this.#soon)
    this.#soon = null
    if (this.#commitIsDue || this.#waiting.length === 0) return
    this.#commitIsDue = true
    void this.#inTurn(() => this.#commit())
  }

  /** Writes all appends that wait in one transaction. Those that come meanwhile wait for the next one. */
  async #commit(): Promise<void> {
    const batch = this.#waiting.splice(0, waitingPerCommitMax)
    this.#commitIsDue = this.#waiting.length > 0
    if (this.#commitIsDue) void this.#inTurn(() => this.#commit())
    try {
      await this.#answer({
        ask: 'append',
        lines: batch.flatMap(({ lines }) => lines),
        lastGood: batch.flatMap(({ lastGood }) => lastGood),
        rounds: batch.flatMap(({ rounds }) => rounds),
      })
      for (const { resolve } of batch) resolve()
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
  }

  protected async ask<Kind extends LedgerAnswer['kind']>(
    question: LedgerQuestion,
    kind: Kind,
  ): Promise<Extract<LedgerAnswer, { kind: Kind }>> {
    this.#commitSoon()
    return this.#askMeanwhile(question, kind)
  }

  async #askMeanwhile<Kind extends LedgerAnswer['kind']>(
    question: LedgerQuestion,
    kind: Kind,
  ): Promise<Extract<LedgerAnswer, { kind: Kind }>> {
    invariant(!this.#closed, 'nothing is asked of a ledger that was closed')
    const answer = await this.#inTurn(() => this.#answer(question))
    invariant(answer.kind === kind, `the ledger answers ${kind}, not ${answer.kind}`)
    return answer as Extract<LedgerAnswer, { kind: Kind }>
  }

  #answer(question: LedgerQuestion): Promise<LedgerAnswer> {
    return this.#persist(async () => {
      const child = this.#child ?? (await this.#start())
      return this.#heard(await child.ask(question, { timeoutMs: askMs }))
    })
  }

  /** A process that dies is replaced and asked again. The numbers of the lines prevent that one is written twice. */
  async #persist<Value>(attempt: () => Promise<Value>): Promise<Value> {
    for (let attempts = 1; ; attempts += 1) {
      try {
        return await attempt()
      } catch (error) {
        if (!(error instanceof ChildEndError)) throw error
        await this.#child?.[Symbol.asyncDispose]()
        this.#child = null
        if (attempts >= attemptsMax) {
          const { message, hint } = failureOfEnd(program, error.ended, askMs, error)
          throw new Failure(
            'LEDGER_UNUSABLE',
            `the ledger's process died ${count(attempts, 'time')} in a row: ${message}`,
            { hint, cause: error },
          )
        }
      }
    }
  }

  async #start(): Promise<Child<LedgerQuestion, LedgerAnswer>> {
    // In a session of its own: Ctrl-C must not end it, because the run still has lines to write.
    const child = await startChild<LedgerQuestion, LedgerAnswer>(programBeside(import.meta.url, `process/${program}`), {
      ownSession: true,
      niceness: 0,
      memoryBytesMax: null,
      env: {},
    }).catch((error: unknown) => {
      throw error instanceof Failure ? error.withCode('LEDGER_UNUSABLE') : error
    })
    this.#child = child
    try {
      this.#heard(
        await child.ask({ ask: 'open', dir: this.#dir, mode: this.#mode, way: this.#way }, { timeoutMs: askMs }),
      )
      return child
    } catch (error) {
      this.#child = null
      await child[Symbol.asyncDispose]()
      throw error
    }
  }

  #heard(answer: LedgerAnswer): LedgerAnswer {
    this.#holdsLost ||= answer.holdsLost
    for (const notice of answer.notices) this.addNotice(notice)
    if (answer.kind === 'unusable')
      throw new Failure('LEDGER_UNUSABLE', answer.message, answer.hint === null ? {} : { hint: answer.hint })
    return answer
  }

  #inTurn<Value>(work: () => Promise<Value>): Promise<Value> {
    const result = this.#turn.then(work)
    this.#turn = result.catch(() => {})
    return result
  }
}
