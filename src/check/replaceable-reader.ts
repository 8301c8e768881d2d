import { ChildEnded } from '../host/process/child.ts'
/** A seat in a room: one reading child, replaced by a fresh one as soon as it may have been harmed. */
import { Bug } from '../model/bug.ts'
import type { User } from './confinement.ts'
import type { AnswerOf, QuestionOf, ReaderStep } from './protocol.ts'
import { ReaderProcess } from './reader-process.ts'
import type { ChildLimits } from './reader-process.ts'

/** The child could not do a step, for a reason of its own: an error of the disk, memory that was not to be had. */
export class StepFailed extends Error {
  override readonly name = 'StepFailed'
}

export class ReplaceableReader implements AsyncDisposable {
  readonly #folder: string
  readonly #user: User | null
  readonly #limits: ChildLimits
  #child: Promise<ReaderProcess> | null = null
  #fileBytesMax = 0
  #killed = false

  constructor(folder: string, user: User | null, limits: ChildLimits) {
    this.#folder = folder
    this.#user = user
    this.#limits = limits
  }

  /**
   * Starts the child if there is none, or if it may write less than what is read next can need. @throws {Failure}
   * CANNOT_CONFINE, READ_FAILED
   */
  async ready(): Promise<ReaderProcess> {
    this.#killed = false
    const child = await (this.#child ??= this.#start())
    if (child.fileBytesMax === null || child.fileBytesMax >= this.#fileBytesMax) return child
    await this.end()
    this.#child = this.#start()
    return this.#child
  }

  #start(): Promise<ReaderProcess> {
    return ReaderProcess.start(this.#folder, this.#user, this.#limits)
  }

  /**
   * As `ready`, with a fresh child in the place of one that died while nobody asked it: that says nothing of the next
   * file. For whoever begins: in the middle, it would not know what was asked before.
   */
  async alive(): Promise<ReaderProcess> {
    const child = await this.ready()
    if (child.isRunning) return child
    await this.end()
    return this.ready()
  }

  /** What will be read next: the child may make no file longer than this. */
  allow(fileBytesMax: number): void {
    this.#fileBytesMax = fileBytesMax
  }

  /** Starts the child without waiting for it; what goes wrong is told to who asks it. */
  begin(): void {
    this.ready().catch(() => undefined)
  }

  /**
   * @throws {ChildEnded} when the child dies over the question
   * @throws {StepFailed} when it cannot do it
   * @throws {Failure} as `ready`, for one that has to be started first
   * @throws signal.reason when it was aborted
   */
  async ask<S extends ReaderStep>(
    question: QuestionOf<S>,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<AnswerOf<S>> {
    signal.throwIfAborted()
    const child = await this.ready()
    try {
      if (child.fileBytesMax === null) await child.limit(this.#fileBytesMax, timeoutMs)
      // It may have been aborted while the child started.
      if (this.#killed) child.kill()
      return await child.ask<S>(question, timeoutMs)
    } catch (error) {
      // Dead, or in a state that nobody knows: a fresh one takes the next question.
      await this.end()
      signal.throwIfAborted()
      if (error instanceof ChildEnded || error instanceof Bug) throw error
      throw new StepFailed(error instanceof Error ? error.message : String(error), { cause: error })
    }
  }

  /** The child is killed at once; whoever waits for its answer is told. */
  kill(): void {
    this.#killed = true
    this.#child?.then(
      (child) => child.kill(),
      () => undefined,
    )
  }

  /** Ends the child, if there is one. */
  async end(): Promise<void> {
    const child = this.#child
    this.#child = null
    if (child === null) return
    const started = await child.catch(() => null)
    await started?.[Symbol.asyncDispose]()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.end()
  }
}
