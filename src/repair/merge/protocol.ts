/** Questions to the child that merges (repair/merge/child/merger.ts) in the order of a merge, and its answers. */

import type { User } from '../../check/confinement.ts'
import type { Confinement } from '../../check/protocol.ts'
import type { AccountedKind, ConflictRule, LostRange } from '../../model/result/account.ts'
import type { RowKey } from '../../model/result/finding.ts'
import type { TableLoss } from '../../model/result/remedy.ts'
import type { TableTotals } from '../account/open-table.ts'
import type { NotDone } from '../mend/protocol.ts'
import type { UnmergedTable } from './unmerged-table.ts'

/** Names of the files in the sandbox. `result` is at first a copy of the backup. */
export const mergeFiles = { result: 'result.db', newer: 'newer.db', facts: 'facts.db', work: 'work.db' } as const

interface MergeSteps {
  /** As for a reader (check/protocol.ts). */
  confine: {
    question: { readonly folder: string; readonly user: User | null }
    answer: { readonly sqliteVersion: string; readonly confinement: Confinement }
  }
  limitFileSize: { question: { readonly fileBytesMax: number }; answer: object }
  /** Opens the files and decides about the tables. `tables`: as reports call them. */
  open: {
    question: { readonly prefer: ConflictRule; readonly schemaIsWhole: boolean }
    answer: { readonly tables: readonly string[] }
  }
  /** Decides about the rows of a table. `table`: its place in `tables`. */
  compare: { question: { readonly table: number }; answer: object }
  write: { question: { readonly table: number }; answer: object }
  /** Foreign keys, full-text indexes, views and triggers, settings. */
  complete: { question: object; answer: { readonly unmerged: readonly UnmergedTable[] } }
  totals: {
    question: { readonly table: number }
    answer: { readonly totals: TableTotals; readonly loss: TableLoss | null; readonly pages: readonly number[] }
  }
  /** The next keys of this kind. The last answer has `isLast`. */
  keys: {
    question: { readonly table: number; readonly kind: AccountedKind }
    answer: { readonly keys: readonly RowKey[]; readonly isLast: boolean }
  }
  /** The next ranges of keys that nothing knows on the newer side. The last answer has `isLast`. */
  lostRanges: {
    question: { readonly table: number }
    answer: { readonly ranges: readonly LostRange[]; readonly isLast: boolean }
  }
  /** Closes the result, which is then one plain file in the journal mode DELETE. */
  close: { question: object; answer: object }
}

export type MergeStep = keyof MergeSteps
export type MergeQuestionOf<S extends MergeStep> = { readonly step: S } & MergeSteps[S]['question']
export type MergeAnswerOf<S extends MergeStep> = { readonly step: S } & MergeSteps[S]['answer']
export type MergeQuestion = { [S in MergeStep]: MergeQuestionOf<S> }[MergeStep]
/** `not-done`: the files cannot be merged, or SQLite could not do it. */
export type MergeAnswer = { [S in MergeStep]: MergeAnswerOf<S> }[MergeStep] | ({ readonly step: 'not-done' } & NotDone)
