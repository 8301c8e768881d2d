/** Parent side of repair/merge/child/merge-child.ts: one child process in one sandbox, from its start to its death. */

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
import type { NotDone } from '../mend/protocol.ts'
import type { MergeAnswer, MergeAnswerOf, MergeQuestion, MergeQuestionOf, MergeStep } from './protocol.ts'

const program = 'merge-child'

export class MergeProcess implements AsyncDisposable {
  readonly #child: Child<MergeQuestion, MergeAnswer>
  readonly #timeoutMs: number
  readonly #endsAtMs: number
  readonly #signal: AbortSignal
  readonly #stop = (): void => this.#child.kill()

  private constructor(child: Child<MergeQuestion, MergeAnswer>, timeoutMs: number, signal: AbortSignal) {
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
  ): Promise<MergeProcess> {
    const { child } = await startConfinedChild<MergeQuestion, MergeAnswer>(
      {
        path: programBeside(import.meta.url, `child/${program}`),
        name: program,
        // For temporary files of SQLite. In a sandbox of its own root the path leads nowhere, and SQLite uses the root.
        env: { SQLITE_TMPDIR: folder },
        confine: async (starting, timeoutMs) => {
          const answer = await starting.ask({ step: 'confine', folder, user }, { timeoutMs })
          invariant(answer.step === 'confine', 'a merging child confines itself when it is asked to')
          return answer
        },
      },
      limits,
    )
    return new MergeProcess(child, limits.timeoutMs, signal)
  }

  /**
   * @throws {Failure} REMEDY_REFUSED if the files cannot be merged; NO_SPACE, READ_FAILED for a shortage of the machine
   * @throws signal.reason if it was aborted
   */
  async ask<S extends MergeStep>(question: MergeQuestionOf<S>): Promise<MergeAnswerOf<S>> {
    this.#signal.throwIfAborted()
    const leftMs = Math.max(1, this.#endsAtMs - monotonicMs())
    try {
      const answer = await this.#child.ask(question as MergeQuestion, { timeoutMs: leftMs })
      if (answer.step === 'not-done') throw failureOf(answer)
      invariant(answer.step === question.step, `a merging child was asked to ${question.step}, not to ${answer.step}`)
      return answer as unknown as MergeAnswerOf<S>
    } catch (error) {
      this.#signal.throwIfAborted()
      throw error instanceof ChildEnded ? this.#failureOfEnd(error) : error
    }
  }

  /** A crash is the doing of the files; any other end says nothing about them. */
  #failureOfEnd(error: ChildEnded): Failure {
    const { how, signal, code } = error.ended
    if (how === 'killed-timeout' || how === 'killed-memory' || signal === 'SIGKILL')
      return failureOfEnd(program, error.ended, this.#timeoutMs, error)
    const end = signal === null ? `exit code ${code}` : `signal ${signal}`
    return new Failure('REMEDY_REFUSED', `SQLite crashed while it merged two files (${end})`, { cause: error })
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#signal.removeEventListener('abort', this.#stop)
    return this.#child[Symbol.asyncDispose]() as Promise<void>
  }
}

function failureOf({ reason, why }: NotDone): Failure {
  switch (reason) {
    case 'space':
      return new Failure('NO_SPACE', `the merged file does not fit on the disk: ${why}`, {
        hint: 'name a folder on another disk in snapshots.dir (for files: `--snapshots DIR`, or TMPDIR)',
      })
    case 'memory':
      return new Failure('READ_FAILED', `the process that merges ran out of memory: ${why}`, {
        hint: 'raise check.memory',
      })
    case 'disk':
      return new Failure('READ_FAILED', `the merged file could not be read or written: ${why}`)
    case 'corrupt':
    case 'not-unique':
    case 'other':
      return new Failure('REMEDY_REFUSED', `the backup and the damaged file cannot be merged: ${why}`, {
        hint: 'leave --merge-newer out to restore the backup alone; `holdfast salvage` writes the newer rows to a file',
      })
  }
}
