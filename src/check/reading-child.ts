/** Parent side of reader-child.ts: one child in one room. */
import { invariant } from '../model/bug.ts'
import { startChild } from '../host/child.ts'
import { programBeside } from '../host/program-beside.ts'
import type { Child } from '../host/child.ts'
import type { Wall } from '../model/reading.ts'
import { cannotConfine } from './confinement.ts'
import type { User } from './confinement.ts'
import type { Answer, AnswerOf, Question, QuestionOf, Step } from './questions.ts'

/** Loading SQLite and confining take well under a second on an idle machine. */
const startMsMax = 30_000

export interface ChildLimits {
  readonly memoryBytesMax: number
  readonly niceness: number
}

export class ReadingChild implements AsyncDisposable {
  readonly sqliteVersion: string
  readonly walls: readonly Wall[]
  /** Bytes that a file may have which it writes; null until it was limited. */
  fileBytesMax: number | null = null
  /** Snapshots that it was given. */
  snapshots = 0
  readonly #child: Child<Question, Answer>

  private constructor(child: Child<Question, Answer>, sqliteVersion: string, walls: readonly Wall[]) {
    this.#child = child
    this.sqliteVersion = sqliteVersion
    this.walls = walls
  }

  /**
   * Starts a child and confines it to the room, under another user where there is one. @throws {Failure}
   * CANNOT_CONFINE
   */
  static async start(folder: string, user: User | null, limits: ChildLimits): Promise<ReadingChild> {
    const child = startChild<Question, Answer>(programBeside(import.meta.url, 'reader-child'), { ownSession: true, niceness: limits.niceness, memoryBytesMax: limits.memoryBytesMax, env: {}, youngMegabytesMax: 2 })
    try {
      const { sqliteVersion, confinement } = await ask(child, { step: 'enter', folder, user }, startMsMax)
      if (confinement.kind === 'refused') throw cannotConfine(confinement.why)
      return new ReadingChild(child, sqliteVersion, confinement.walls)
    } catch (error) {
      await child[Symbol.asyncDispose]()
      throw error
    }
  }

  get pid(): number {
    return this.#child.pid
  }

  get isRunning(): boolean {
    return this.#child.isRunning
  }

  /** Once in its life: a limit is never raised again. */
  async limit(fileBytesMax: number, timeoutMs: number): Promise<void> {
    await this.ask<'limit'>({ step: 'limit', fileBytesMax }, timeoutMs)
    this.fileBytesMax = fileBytesMax
  }

  /** @throws {ChildEnded} when it dies over the question */
  ask<S extends Step>(question: QuestionOf<S>, timeoutMs: number): Promise<AnswerOf<S>> {
    return ask(this.#child, question, timeoutMs)
  }

  kill(): void {
    this.#child.kill()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#child[Symbol.asyncDispose]() as Promise<void>
  }
}

async function ask<S extends Step>(child: Child<Question, Answer>, question: QuestionOf<S>, timeoutMs: number): Promise<AnswerOf<S>> {
  const answer = await child.ask(question as Question, { timeoutMs })
  invariant(answer.step === question.step, `a reading child was asked to ${question.step} and answered to ${answer.step}`)
  return answer as unknown as AnswerOf<S>
}
