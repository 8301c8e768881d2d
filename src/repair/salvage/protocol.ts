/** The questions to the child process that salvages, and its answers. */
import type { DroppedEntry, LostRange } from '../../model/result/account.ts'
import type { RowKey } from '../../model/result/finding.ts'
import type { FirstSteps } from '../worker/steps.ts'
import type { KeyKind } from './facts.ts'
import type { SalvageResult } from './salvage-result.ts'

/** Names inside the sandbox. The damaged file has the name of every snapshot (`recoveredName`). */
export const names = { result: 'new', facts: 'facts', schema: 'schema' } as const

export interface SalvageProgress {
  /** `trees`: pages are given to their tables. `rows`: rows are written. `indexes`: they are built anew. */
  readonly step: 'trees' | 'rows' | 'indexes'
  readonly done: number
  readonly total: number
}

export type SalvageSlice =
  | {
      readonly kind: 'going-on'
      readonly progress: SalvageProgress['step']
      readonly done: number
      readonly total: number
    }
  | { readonly kind: 'ended'; readonly salvaged: Omit<SalvageResult, 'file' | 'facts' | 'ms'> }
  | { readonly kind: 'not-possible'; readonly why: string }

export interface SalvageSteps extends FirstSteps {
  /**
   * Begins, or goes on for about `ms`. `hasSchema`: a sound database lies in the sandbox. `listDropped`: the facts get
   * the entries of indexes that no row of the new file agrees with.
   */
  salvage: {
    readonly ask: {
      readonly ms: number
      readonly memoryBytesMax: number
      readonly hasSchema: boolean
      readonly listDropped: boolean
    }
    readonly answer: { readonly slice: SalvageSlice }
  }
  /** The tables of the facts. Only after the end. */
  tables: { readonly ask: object; readonly answer: { readonly tables: readonly FactsTable[] } }
  /** The next keys of a table, behind number `after`. */
  keys: {
    readonly ask: { readonly table: number; readonly after: number; readonly keysMax: number }
    readonly answer: { readonly keys: readonly FactsKey[] }
  }
  /** The next entries that no row agrees with, behind number `after`. */
  dropped: { readonly ask: { readonly after: number }; readonly answer: { readonly entries: readonly FactsEntry[] } }
  /** The next pages of a table. */
  pages: {
    readonly ask: { readonly table: number; readonly after: number; readonly pagesMax: number }
    readonly answer: { readonly pages: readonly number[] }
  }
  /** The next ranges of keys that nothing knows. The last answer has `isLast`; no other question comes before it. */
  lostRanges: {
    readonly ask: { readonly table: number }
    readonly answer: { readonly ranges: readonly LostRange[]; readonly isLast: boolean }
  }
}

export interface FactsTable {
  readonly id: number
  readonly name: string
  readonly rows: number
}

export interface FactsEntry {
  readonly number: number
  readonly entry: DroppedEntry
}

export interface FactsKey {
  readonly number: number
  readonly kind: KeyKind
  readonly key: RowKey
}
