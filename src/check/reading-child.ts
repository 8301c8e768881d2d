/** Parent side of reader-child.ts: one child in one room. */
import { invariant } from '../model/bug.ts'
import { startChild } from '../host/child.ts'
import { programBeside } from '../host/program-beside.ts'
import type { Child } from '../host/child.ts'
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
  /** Snapshots that it was given. */
  snapshots = 0
  readonly #child: Child<Question, Answer>

  private constructor(child: Child<Question, Answer>, sqliteVersion: string) {
    this.#child = child
    this.sqliteVersion = sqliteVersion
  }

  /** Starts a child and locks it into the room, under another user where there is one. */
  static async start(folder: string, user: User | null, limits: ChildLimits): Promise<ReadingChild> {
    const child = startChild<Question, Answer>(programBeside(import.meta.url, 'reader-child'), { ownSession: true, niceness: limits.niceness, memoryBytesMax: limits.memoryBytesMax, env: {}, youngMegabytesMax: 2 })
    try {
      const { sqliteVersion } = await ask(child, { step: 'enter', folder, user }, startMsMax)
      return new ReadingChild(child, sqliteVersion)
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
