/** Parent side of child/salvage-child.ts: its answers, in pieces. */
import type { ChildLimits } from '../../check/confined-child.ts'
import type { User } from '../../check/confinement.ts'
import { programBeside } from '../../host/process/program-beside.ts'
import { invariant } from '../../model/bug.ts'
import { Failure } from '../../model/failure.ts'
import type { LostRange } from '../../model/result/account.ts'
import { WorkingChild, type WorkingProgram } from '../worker/working-child.ts'
import type { FactsEntry, FactsKey, FactsTable, SalvageSlice, SalvageSteps } from './protocol.ts'

/** Keys of one answer. */
const keysMax = 5_000
/** How often the child reports. */
const sliceMs = 250

const program: WorkingProgram = {
  path: programBeside(import.meta.url, 'child/salvage-child'),
  name: 'salvage-child',
  process: 'the process that salvages',
  file: 'the new file',
  spaceHint: null,
  crashCode: 'READ_FAILED',
  refusal: (why) => new Failure('READ_FAILED', `the rows of this file could not be written into a new one: ${why}`),
}

export class SalvageProcess implements AsyncDisposable {
  readonly #child: WorkingChild<SalvageSteps>

  private constructor(child: WorkingChild<SalvageSteps>) {
    this.#child = child
  }

  /** @param limits `timeoutMs`: for all questions together @throws {Failure} as `WorkingChild.start` */
  static async start(
    folder: string,
    user: User | null,
    limits: ChildLimits & { readonly timeoutMs: number },
    signal: AbortSignal,
  ): Promise<SalvageProcess> {
    return new SalvageProcess(await WorkingChild.start<SalvageSteps>(program, folder, user, limits, signal))
  }

  /** Limits the length of each file that the process writes. */
  async limitFileSize(fileBytesMax: number): Promise<void> {
    await this.#child.ask<'limitFileSize'>({ step: 'limitFileSize', fileBytesMax })
  }

  /** Salvages for a moment. @throws {Failure} as `WorkingChild.ask` @throws signal.reason if it was aborted */
  async goOn(options: Omit<SalvageSteps['salvage']['ask'], 'ms'>): Promise<SalvageSlice> {
    return (await this.#child.ask<'salvage'>({ step: 'salvage', ms: sliceMs, ...options })).slice
  }

  async tables(): Promise<readonly FactsTable[]> {
    return (await this.#child.ask<'tables'>({ step: 'tables' })).tables
  }

  /** All keys of a table, in pieces. */
  async *keysOf(table: number): AsyncGenerator<readonly FactsKey[]> {
    for (let after = 0; ;) {
      const { keys } = await this.#child.ask<'keys'>({ step: 'keys', table, after, keysMax })
      const last = keys.at(-1)
      if (last === undefined) return
      invariant(last.number > after, 'keys are read in the order of their numbers')
      yield keys
      after = last.number
    }
  }

  /** All entries that no row of the new file agrees with, in pieces. */
  async *dropped(): AsyncGenerator<readonly FactsEntry[]> {
    for (let after = 0; ;) {
      const { entries } = await this.#child.ask<'dropped'>({ step: 'dropped', after })
      const last = entries.at(-1)
      if (last === undefined) return
      invariant(last.number > after, 'entries are read in the order of their numbers')
      yield entries
      after = last.number
    }
  }

  /** All pages of a table that could not be read, in pieces. */
  async *pagesOf(table: number): AsyncGenerator<readonly number[]> {
    for (let after = 0; ;) {
      const { pages } = await this.#child.ask<'pages'>({ step: 'pages', table, after, pagesMax: keysMax })
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
      const { ranges, isLast } = await this.#child.ask<'lostRanges'>({ step: 'lostRanges', table })
      yield ranges
      isEnd = isLast
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#child[Symbol.asyncDispose]()
  }
}
