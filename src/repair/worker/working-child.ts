/** Parent side: one confined child process that works in one sandbox, from its start to its death. */

import { startConfinedChild, type ChildLimits } from '../../check/confined-child.ts'
import type { User } from '../../check/confinement.ts'
import { monotonicMs } from '../../host/clock.ts'
import { failureOfEnd } from '../../host/process/child-start.ts'
import { ChildEndError, type Child } from '../../host/process/child.ts'
import { invariant } from '../../model/bug.ts'
import { Failure } from '../../model/failure.ts'
import type { Answer, FailedStep, Question, StepAnswer, StepQuestion, StepsOf } from './steps.ts'

export interface WorkingProgram {
  /** Path of the program. */
  readonly path: string
  readonly name: string
  /** Begins sentences, as in "the process that merges". */
  readonly process: string
  /** What it writes, as in "the merged file". */
  readonly file: string
  /** What helps if that does not fit on the disk; null if the next step is plain. */
  readonly spaceHint: string | null
  /** For a crash, which is the doing of the files. Any other end of the process says nothing about them. */
  readonly crashCode: 'READ_FAILED' | 'REMEDY_REFUSED'
  /** For what SQLite refused, in the words of SQLite. */
  readonly refusal: (why: string) => Failure
}

export class WorkingChild<All extends StepsOf<All>> implements AsyncDisposable {
  readonly #program: WorkingProgram
  readonly #child: Child<Question<All>, Answer<All>>
  readonly #timeoutMs: number
  readonly #endsAtMs: number
  readonly #signal: AbortSignal
  readonly #stop = (): void => this.#child.kill()

  private constructor(
    program: WorkingProgram,
    child: Child<Question<All>, Answer<All>>,
    timeoutMs: number,
    signal: AbortSignal,
  ) {
    this.#program = program
    this.#child = child
    this.#timeoutMs = timeoutMs
    this.#endsAtMs = monotonicMs() + timeoutMs
    this.#signal = signal
    signal.addEventListener('abort', this.#stop)
  }

  /**
   * Starts it and confines it to the folder of its sandbox, as `user` if there is one.
   * @param limits `timeoutMs`: for all questions together @throws {Failure} as `startConfinedChild`
   */
  static async start<All extends StepsOf<All>>(
    program: WorkingProgram,
    folder: string,
    user: User | null,
    limits: ChildLimits & { readonly timeoutMs: number },
    signal: AbortSignal,
  ): Promise<WorkingChild<All>> {
    const { path, name } = program
    const { child } = await startConfinedChild<Question<All>, Answer<All>>(
      {
        path,
        name,
        // For temporary files of SQLite. In a sandbox of its own root the path leads nowhere, and SQLite uses the root.
        env: { SQLITE_TMPDIR: folder },
        confine: (starting, timeoutMs) =>
          askChild<All, 'confine'>(program, starting, { step: 'confine', folder, user }, timeoutMs),
      },
      limits,
    )
    return new WorkingChild<All>(program, child, limits.timeoutMs, signal)
  }

  /**
   * @throws {Failure} NO_SPACE, READ_FAILED for a shortage of the machine. As the program says, if SQLite refused, or
   * if the process crashed over its files. @throws signal.reason if it was aborted
   */
  async ask<S extends keyof All>(question: StepQuestion<All, S>): Promise<StepAnswer<All, S>> {
    this.#signal.throwIfAborted()
    const leftMs = Math.max(1, this.#endsAtMs - monotonicMs())
    try {
      return await askChild<All, S>(this.#program, this.#child, question, leftMs)
    } catch (error) {
      this.#signal.throwIfAborted()
      throw error instanceof ChildEndError ? this.#failureOf(error) : error
    }
  }

  #failureOf(error: ChildEndError): Failure {
    const { how, signal, code } = error.ended
    const { name, process, crashCode } = this.#program
    if (how === 'killed-timeout' || how === 'killed-memory' || signal === 'SIGKILL')
      return failureOfEnd(name, error.ended, this.#timeoutMs, error)
    const end = signal === null ? `exit code ${code}` : `signal ${signal}`
    return new Failure(crashCode, `${process} crashed over its files (${end})`, { cause: error })
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#signal.removeEventListener('abort', this.#stop)
    return this.#child[Symbol.asyncDispose]() as Promise<void>
  }
}

async function askChild<All extends StepsOf<All>, S extends keyof All>(
  program: WorkingProgram,
  child: Child<Question<All>, Answer<All>>,
  question: StepQuestion<All, S>,
  timeoutMs: number,
): Promise<StepAnswer<All, S>> {
  const answer: { readonly step: unknown } = await child.ask(question, { timeoutMs })
  if (answer.step === 'not-done') throw failureOf(program, answer as unknown as FailedStep)
  invariant(
    answer.step === question.step,
    `${program.process} was asked to ${String(question.step)} and answered to ${String(answer.step)}`,
  )
  return answer as StepAnswer<All, S>
}

function failureOf({ process, file, spaceHint, refusal }: WorkingProgram, { reason, why }: FailedStep): Failure {
  switch (reason) {
    case 'space':
      return new Failure(
        'NO_SPACE',
        `${file} does not fit on the disk, or has become longer than it may: ${why}`,
        spaceHint === null ? {} : { hint: spaceHint },
      )
    case 'memory':
      return new Failure('READ_FAILED', `${process} ran out of memory: ${why}`, { hint: 'raise check.memory' })
    case 'disk':
      return new Failure('READ_FAILED', `${file} could not be read or written: ${why}`)
    case 'corrupt':
    case 'not-unique':
    case 'other':
      return refusal(why)
  }
}
