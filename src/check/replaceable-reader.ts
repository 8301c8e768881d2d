/**
 * A reader that outlives its processes. It has one process at a time (reader-process.ts), and starts it when it is
 * needed. It replaces it by a fresh one as soon as a file may have harmed it.
 */
import { ChildEndError } from '../host/process/child.ts'
import type { ProcessEnd } from '../host/process/child.ts'
import { Bug } from '../model/bug.ts'
import type { ChildLimits } from './confined-child.ts'
import type { User } from './confinement.ts'
import type { AnswerOf, MissingAnswer, QuestionOf, ReaderStep } from './protocol.ts'
import { ReaderProcess } from './reader-process.ts'

export class ReplaceableReader implements AsyncDisposable {
  readonly #folder: string
  readonly #user: User | null
  readonly #limits: ChildLimits
  #process: Promise<ReaderProcess> | null = null
  #fileBytesMax = 0
  #killed = false

  /** @param folder of the sandbox */
  constructor(folder: string, user: User | null, limits: ChildLimits) {
    this.#folder = folder
    this.#user = user
    this.#limits = limits
  }

  /**
   * Starts the process if there is none, or if its limit is too low for the next snapshot.
   * @throws {Failure} CANNOT_CONFINE, READ_FAILED
   */
  async ready(): Promise<ReaderProcess> {
    this.#killed = false
    const process = await (this.#process ??= this.#start())
    if (process.fileBytesMax === null || process.fileBytesMax >= this.#fileBytesMax) return process
    await this.end()
    this.#process = this.#start()
    return this.#process
  }

  #start(): Promise<ReaderProcess> {
    return ReaderProcess.start(this.#folder, this.#user, this.#limits)
  }

  /**
   * As `ready`. Also replaces a process that died between two snapshots, which says nothing about the next one. Only
   * for the beginning of a snapshot: a fresh process knows nothing of earlier questions.
   */
  async readyForSnapshot(): Promise<ReaderProcess> {
    const process = await this.ready()
    if (process.isRunning) return process
    await this.end()
    return this.ready()
  }

  /** For the next snapshot: the process may make no file longer than this. */
  limitFileSize(fileBytesMax: number): void {
    this.#fileBytesMax = fileBytesMax
  }

  /** Starts the process without waiting for it. If that fails, the next `ready` or `ask` throws. */
  begin(): void {
    this.ready().catch(() => undefined)
  }

  /**
   * @returns why there is no answer, if the process dies over the question or cannot do it; the next question then
   * starts a fresh process
   * @throws {Failure} as `ready`, if a process has to be started first
   * @throws signal.reason if it was aborted
   */
  async ask<S extends ReaderStep>(
    question: QuestionOf<S>,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<AnswerOf<S> | MissingAnswer> {
    signal.throwIfAborted()
    const process = await this.ready()
    try {
      if (process.fileBytesMax === null) await process.limitFileSize(this.#fileBytesMax, timeoutMs)
      // `kill` may have been called while the process started.
      if (this.#killed) process.kill()
      return await process.ask<S>(question, timeoutMs)
    } catch (error) {
      // The process is dead, or in a state that is not known.
      await this.end()
      signal.throwIfAborted()
      if (error instanceof ChildEndError) return deathOf(error.ended)
      if (error instanceof Bug) throw error
      return { step: 'not-answered', how: 'failed', detail: error instanceof Error ? error.message : String(error) }
    }
  }

  /** Kills the process immediately; a question that is open then ends. */
  kill(): void {
    this.#killed = true
    this.#process?.then(
      (process) => process.kill(),
      () => undefined,
    )
  }

  /** Ends the process, if there is one. */
  async end(): Promise<void> {
    const process = this.#process
    this.#process = null
    if (process === null) return
    const started = await process.catch(() => null)
    await started?.[Symbol.asyncDispose]()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.end()
  }
}

function deathOf({ how, code, signal }: ProcessEnd): MissingAnswer {
  const step = 'not-answered'
  if (how === 'killed-timeout') return { step, how: 'timeout', detail: 'it took longer than it may' }
  if (how === 'killed-memory') return { step, how: 'memory', detail: 'it took more memory than it may' }
  if (signal === 'SIGKILL')
    return { step, how: 'killed', detail: 'signal SIGKILL; the kernel\u2019s memory killer may have done it' }
  return { step, how: 'crashed', detail: signal === null ? `exit code ${code}` : `signal ${signal}` }
}
