/** Parent side of reader/reader-child.ts: one child process in one sandbox, from its start to its death. */
import { sleep } from '../host/clock.ts'
import { systemFailure } from '../host/failures/system-failure.ts'
import { failureOfEnd } from '../host/process/child-start.ts'
import { ChildEnded, startChild } from '../host/process/child.ts'
import type { Child } from '../host/process/child.ts'
import { programBeside } from '../host/process/program-beside.ts'
import { invariant } from '../model/bug.ts'
import { Failure } from '../model/failure.ts'
import type { Wall } from '../model/result/reading.ts'
import { cannotConfine } from './confinement.ts'
import type { User } from './confinement.ts'
import type { ReaderAnswer, AnswerOf, ReaderQuestion, QuestionOf, ReaderStep } from './protocol.ts'

/** Loading SQLite and confining the process take well under a second on an idle machine. */
const startMsMax = 30_000
const secondStartAfterMs = 100
const program = 'reader-child'

export interface ChildLimits {
  /** For each process. */
  readonly memoryBytesMax: number
  /** 0 to 19. */
  readonly niceness: number
}

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
   * Starts a child and confines it to the folder of its sandbox, as `user` if there is one. A child that dies meanwhile
   * is started once more: the kernel's memory killer prefers our children, and a moment later there may be memory.
   * @throws {Failure} CANNOT_CONFINE; READ_FAILED if it cannot be started, dies again, or takes too long
   */
  static async start(folder: string, user: User | null, limits: ChildLimits): Promise<ReaderProcess> {
    try {
      return await startOnce(folder, user, limits)
    } catch (error) {
      if (!(error instanceof ChildEnded)) throw error
      if (error.ended.how === 'killed-timeout') throw failureOfStart(error)
    }
    await sleep(secondStartAfterMs)
    return startOnce(folder, user, limits).catch((error: unknown) => {
      throw error instanceof ChildEnded ? failureOfStart(error) : error
    })
  }

  get isRunning(): boolean {
    return this.#child.isRunning
  }

  /** Call it once: a limit cannot be raised again. */
  async limitFileSize(fileBytesMax: number, timeoutMs: number): Promise<void> {
    await this.ask<'limitFileSize'>({ step: 'limitFileSize', fileBytesMax }, timeoutMs)
    this.fileBytesMax = fileBytesMax
  }

  /** @throws {ChildEnded} if the process dies over the question @throws the error that it answers with */
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

async function startOnce(folder: string, user: User | null, limits: ChildLimits): Promise<ReaderProcess> {
  const child = await startChild<ReaderQuestion, ReaderAnswer>(programBeside(import.meta.url, `reader/${program}`), {
    ownSession: true,
    niceness: limits.niceness,
    memoryBytesMax: limits.memoryBytesMax,
    env: {},
    youngMegabytesMax: 2,
  })
  try {
    const { sqliteVersion, confinement } = await ask(child, { step: 'confine', folder, user }, startMsMax)
    if (confinement.kind === 'refused') throw cannotConfine(confinement.why)
    return new ReaderProcess(child, sqliteVersion, confinement.walls)
  } catch (error) {
    await child[Symbol.asyncDispose]()
    throw asFailure(error)
  }
}

/** READ_FAILED for a shortage of the machine; CANNOT_CONFINE for what the process may not do here. */
function asFailure(error: unknown): unknown {
  const failure = systemFailure(error, { doing: 'confine a process that reads', path: null, code: 'CANNOT_CONFINE' })
  return failure instanceof Failure && failure.concerns === 'machine' ? failure.withCode('READ_FAILED') : failure
}

const failureOfStart = (error: ChildEnded): Failure => failureOfEnd(program, error.ended, startMsMax, error)

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
