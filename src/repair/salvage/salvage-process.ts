/** Parent side of child/salvage-child.ts: one child process in one sandbox, from its start to its death. */
import { startConfinedChild, type ChildLimits } from '../../check/confined-child.ts'
import type { User } from '../../check/confinement.ts'
import { monotonicMs } from '../../host/clock.ts'
import { failureOfEnd } from '../../host/process/child-start.ts'
import { ChildEnded, type Child } from '../../host/process/child.ts'
import { programBeside } from '../../host/process/program-beside.ts'
import { invariant } from '../../model/bug.ts'
import { Failure } from '../../model/failure.ts'
import type { LostRange } from '../../model/result/account.ts'
import type {
  FactsKey,
  FactsTable,
  SalvageAnswer,
  SalvageAnswerOf,
  SalvageQuestion,
  SalvageQuestionOf,
  SalvageSlice,
  SalvageStep,
} from './protocol.ts'

/** Keys of one answer. */
const keysMax = 5_000
const program = 'salvage-child'
/** How often the child reports. */
const sliceMs = 250

type LastingSlice = Exclude<SalvageSlice, { readonly kind: 'shortage' | 'refused' }>

export class SalvageProcess implements AsyncDisposable {
  readonly #child: Child<SalvageQuestion, SalvageAnswer>
  readonly #timeoutMs: number
  readonly #endsAtMs: number
  readonly #signal: AbortSignal
  readonly #stop = (): void => this.#child.kill()

  private constructor(child: Child<SalvageQuestion, SalvageAnswer>, timeoutMs: number, signal: AbortSignal) {
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
  ): Promise<SalvageProcess> {
    const { child } = await startConfinedChild<SalvageQuestion, SalvageAnswer>(
      {
        path: programBeside(import.meta.url, `child/${program}`),
        name: program,
        // For temporary files of SQLite. In a sandbox of its own root the path leads nowhere, and SQLite uses the root.
        env: { SQLITE_TMPDIR: folder },
        confine: (starting, timeoutMs) => askChild(starting, { step: 'confine', folder, user }, timeoutMs),
      },
      limits,
    )
    return new SalvageProcess(child, limits.timeoutMs, signal)
  }

  /** Limits the length of each file that the process writes. */
  async limitFileSize(fileBytesMax: number): Promise<void> {
    await this.#ask({ step: 'limitFileSize', fileBytesMax })
  }

  /**
   * Salvages for a moment.
   * @throws {Failure} NO_SPACE, READ_FAILED for a shortage of the machine, and if the file lets SQLite fail or crash
   * @throws signal.reason if it was aborted
   */
  async goOn(memoryBytesMax: number, hasSchema: boolean): Promise<LastingSlice> {
    const { slice } = await this.#ask({ step: 'salvage', ms: sliceMs, memoryBytesMax, hasSchema })
    if (slice.kind === 'shortage') throw shortages[slice.of](slice.why)
    if (slice.kind === 'refused')
      throw new Failure('READ_FAILED', `the rows of this file could not be written into a new one: ${slice.why}`)
    return slice
  }

  async tables(): Promise<readonly FactsTable[]> {
    return (await this.#ask<'tables'>({ step: 'tables' })).tables
  }

  /** All keys of a table, in pieces. */
  async *keysOf(table: number): AsyncGenerator<readonly FactsKey[]> {
    for (let after = 0; ;) {
      const { keys } = await this.#ask<'keys'>({ step: 'keys', table, after, keysMax })
      const last = keys.at(-1)
      if (last === undefined) return
      invariant(last.number > after, 'keys are read in the order of their numbers')
      yield keys
      after = last.number
    }
  }

  /** All pages of a table that could not be read, in pieces. */
  async *pagesOf(table: number): AsyncGenerator<readonly number[]> {
    for (let after = 0; ;) {
      const { pages } = await this.#ask<'pages'>({ step: 'pages', table, after, pagesMax: keysMax })
      const last = pages.at(-1)
      if (last === undefined) return
      invariant(last > after, 'pages are read in their order')
      yield pages
      after = last
    }
  }

  /** All ranges of keys of a table that nothing knows, in pieces. */
  async *lostRangesOf(table: number): AsyncGenerator<readonly LostRange[]> {
    for (let isEnd = false; !isEnd;) {
      const { ranges, isLast } = await this.#ask<'lostRanges'>({ step: 'lostRanges', table })
      yield ranges
      isEnd = isLast
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#signal.removeEventListener('abort', this.#stop)
    return this.#child[Symbol.asyncDispose]() as Promise<void>
  }

  async #ask<S extends SalvageStep>(question: SalvageQuestionOf<S>): Promise<SalvageAnswerOf<S>> {
    this.#signal.throwIfAborted()
    try {
      return await askChild(this.#child, question, Math.max(1, this.#endsAtMs - monotonicMs()))
    } catch (error) {
      this.#signal.throwIfAborted()
      throw error instanceof ChildEnded ? failureOf(error, this.#timeoutMs) : error
    }
  }
}

async function askChild<S extends SalvageStep>(
  child: Child<SalvageQuestion, SalvageAnswer>,
  question: SalvageQuestionOf<S>,
  timeoutMs: number,
): Promise<SalvageAnswerOf<S>> {
  const answer = await child.ask(question as SalvageQuestion, { timeoutMs })
  invariant(
    answer.step === question.step,
    `a salvaging child was asked to ${question.step} and answered to ${answer.step}`,
  )
  return answer as unknown as SalvageAnswerOf<S>
}

/** A crash is the file's doing; any other end says nothing about it. */
function failureOf(error: ChildEnded, timeoutMs: number): Failure {
  const { how, signal, code } = error.ended
  if (how === 'killed-timeout' || how === 'killed-memory' || signal === 'SIGKILL')
    return failureOfEnd(program, error.ended, timeoutMs, error)
  return new Failure(
    'READ_FAILED',
    `the process that salvages crashed over this file (${signal === null ? `exit code ${code}` : `signal ${signal}`})`,
    { cause: error },
  )
}

const shortages = {
  space: (why: string) =>
    new Failure('NO_SPACE', `the new file does not fit on the disk, or is longer than four times the old one: ${why}`),
  memory: (why: string) =>
    new Failure('READ_FAILED', `the process that salvages ran out of memory: ${why}`, { hint: 'raise check.memory' }),
  disk: (why: string) => new Failure('READ_FAILED', `the new file could not be written: ${why}`),
} as const
