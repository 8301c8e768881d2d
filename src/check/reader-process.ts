/** Parent side of reader/reader-child.ts: one child process in one sandbox, from its start to its death. */
import type { Child } from '../host/process/child.ts'
import { programBeside } from '../host/process/program-beside.ts'
import { invariant } from '../model/bug.ts'
import type { Wall } from '../model/result/reading.ts'
import { startConfinedChild } from './confined-child.ts'
import type { ChildLimits } from './confined-child.ts'
import type { User } from './confinement.ts'
import type { ReaderAnswer, AnswerOf, ReaderQuestion, QuestionOf, ReaderStep } from './protocol.ts'

const program = 'reader-child'

export class ReaderProcess implements AsyncDisposable {
  readonly sqliteVersion: string
  readonly walls: readonly Wall[]
  /** Greatest length of a file that the process may write; null until it is limited. */
  fileBytesMax: number | null = null
  /** Snapshots that this process has been given. */
  snapshots = 0
  readonly #child: Child<ReaderQuestion, ReaderAnswer>

  constructor(child: Child<ReaderQuestion, ReaderAnswer>, sqliteVersion: string, walls: readonly Wall[]) {
    this.#child = child
    this.sqliteVersion = sqliteVersion
    this.walls = walls
  }

  /**
   * Starts a child and confines it to the folder of its sandbox, as `user` if there is one.
   * @throws {Failure} as `startConfinedChild`
   */
  static async start(folder: string, user: User | null, limits: ChildLimits): Promise<ReaderProcess> {
    const { child, sqliteVersion, walls } = await startConfinedChild<ReaderQuestion, ReaderAnswer>(
      {
        path: programBeside(import.meta.url, `reader/${program}`),
        name: program,
        env: {},
        confine: (starting, timeoutMs) => ask(starting, { step: 'confine', folder, user }, timeoutMs),
      },
      limits,
    )
    return new ReaderProcess(child, sqliteVersion, walls)
  }

  get isRunning(): boolean {
    return this.#child.isRunning
  }

  /** Call it once: a limit cannot be raised again. */
  async limitFileSize(fileBytesMax: number, timeoutMs: number): Promise<void> {
    await this.ask<'limitFileSize'>({ step: 'limitFileSize', fileBytesMax }, timeoutMs)
    this.fileBytesMax = fileBytesMax
  }

  /** @throws {ChildEndError} if the process dies over the question @throws the error that it answers with */
  ask<S extends ReaderStep>(question: QuestionOf<S>, timeoutMs: number): Promise<AnswerOf<S>> {
    return ask(this.#child, question, timeoutMs)
  }

  kill(): void {
    this.#child.kill()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#child[Symbol.asyncDispose]() as Promise<void>
  }
}

async function ask<S extends ReaderStep>(
  child: Child<ReaderQuestion, ReaderAnswer>,
  question: QuestionOf<S>,
  timeoutMs: number,
): Promise<AnswerOf<S>> {
  const answer = await child.ask(question as ReaderQuestion, { timeoutMs })
  invariant(
    answer.step === question.step,
    `a reading child was asked to ${question.step} and answered to ${answer.step}`,
  )
  return answer as unknown as AnswerOf<S>
}
