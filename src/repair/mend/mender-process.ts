/** Parent side of child/mender-child.ts: one child process in one sandbox, from its start to its death. */

import { startConfinedChild } from '../../check/confined-child.ts'
import type { ChildLimits } from '../../check/confined-child.ts'
import type { User } from '../../check/confinement.ts'
import { monotonicMs } from '../../host/clock.ts'
import { failureOfEnd } from '../../host/process/child-start.ts'
import { ChildEnded } from '../../host/process/child.ts'
import type { Child } from '../../host/process/child.ts'
import { programBeside } from '../../host/process/program-beside.ts'
import { invariant } from '../../model/bug.ts'
import { Failure } from '../../model/failure.ts'
import type { MenderAnswer, MenderAnswerOf, MenderQuestion, MenderQuestionOf, MenderStep, NotDone } from './protocol.ts'

const program = 'mender-child'

export class MenderProcess implements AsyncDisposable {
  readonly #child: Child<MenderQuestion, MenderAnswer>
  readonly #timeoutMs: number
  readonly #endsAtMs: number
  readonly #signal: AbortSignal
  readonly #stop = (): void => this.#child.kill()

  private constructor(child: Child<MenderQuestion, MenderAnswer>, timeoutMs: number, signal: AbortSignal) {
    this.#child = child
    this.#timeoutMs = timeoutMs
    this.#endsAtMs = monotonicMs() + timeoutMs
    this.#signal = signal
    signal.addEventListener('abort', this.#stop)
  }

  /** @param limits `timeoutMs`: for all questions together @throws {Failure} as `startConfinedChild` */
  static async start(
    folder: string,
    user: User | null,
    limits: ChildLimits & { readonly timeoutMs: number },
    signal: AbortSignal,
  ): Promise<MenderProcess> {
    const { child } = await startConfinedChild<MenderQuestion, MenderAnswer>(
      {
        path: programBeside(import.meta.url, `child/${program}`),
        name: program,
        // For temporary files of SQLite. In a sandbox of its own root the path leads nowhere, and SQLite uses the root.
        env: { SQLITE_TMPDIR: folder },
        confine: (starting, timeoutMs) => askChild(starting, { step: 'confine', folder, user }, timeoutMs),
      },
      limits,
    )
    return new MenderProcess(child, limits.timeoutMs, signal)
  }

  /**
   * @throws {Failure} NO_SPACE, READ_FAILED for a shortage of the machine; REMEDY_REFUSED if the process crashed over
   * the file @throws signal.reason if it was aborted
   */
  async ask<S extends MenderStep>(question: MenderQuestionOf<S>): Promise<MenderAnswerOf<S>> {
    this.#signal.throwIfAborted()
    const leftMs = Math.max(1, this.#endsAtMs - monotonicMs())
    try {
      const answer = await askChild(this.#child, question, leftMs)
      for (const part of Object.values(answer)) requireNoShortage(part)
      return answer
    } catch (error) {
      this.#signal.throwIfAborted()
      throw error instanceof ChildEnded ? failureOf(error, this.#timeoutMs) : error
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#signal.removeEventListener('abort', this.#stop)
    return this.#child[Symbol.asyncDispose]() as Promise<void>
  }
}

async function askChild<S extends MenderStep>(
  child: Child<MenderQuestion, MenderAnswer>,
  question: MenderQuestionOf<S>,
  timeoutMs: number,
): Promise<MenderAnswerOf<S>> {
  const answer = await child.ask(question as MenderQuestion, { timeoutMs })
  invariant(
    answer.step === question.step,
    `a mending child was asked to ${question.step} and answered to ${answer.step}`,
  )
  return answer as unknown as MenderAnswerOf<S>
}

/** A crash is the file's doing; any other end says nothing about it. */
function failureOf(error: ChildEnded, timeoutMs: number): Failure {
  const { how, signal, code } = error.ended
  if (how === 'killed-timeout' || how === 'killed-memory' || signal === 'SIGKILL')
    return failureOfEnd(program, error.ended, timeoutMs, error)
  return new Failure(
    'REMEDY_REFUSED',
    `SQLite crashed while it mended a copy (${signal === null ? `exit code ${code}` : `signal ${signal}`})`,
    { cause: error },
  )
}

const failures = {
  space: (why: string) =>
    new Failure('NO_SPACE', `the copy that is mended does not fit on the disk: ${why}`, {
      hint: 'name a folder on another disk in snapshots.dir (for files: `--snapshots DIR`, or TMPDIR)',
    }),
  memory: (why: string) =>
    new Failure('READ_FAILED', `the process that mends a copy ran out of memory: ${why}`, {
      hint: 'raise check.memory',
    }),
  disk: (why: string) => new Failure('READ_FAILED', `the copy that is mended could not be read or written: ${why}`),
} as const

/** @throws {Failure} for an answer that says nothing about the file */
function requireNoShortage(part: unknown): void {
  if (typeof part !== 'object' || part === null || !('kind' in part) || part.kind !== 'not-done') return
  const { reason, why } = part as NotDone
  if (reason === 'space' || reason === 'memory' || reason === 'disk') throw failures[reason](why)
}
