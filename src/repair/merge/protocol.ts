/** Questions to the child that merges (repair/merge/child/merger.ts) in the order of a merge, and its answers. */

import type { AccountedKind, ConflictRule, LostRange } from '../../model/result/account.ts'
import type { RowKey } from '../../model/result/finding.ts'
import type { TableLoss } from '../../model/result/remedy.ts'
import type { TableTotals } from '../account/open-table.ts'
import type { FirstSteps } from '../worker/steps.ts'
import type { UnmergedTable } from './unmerged-table.ts'

/** Names of the files in the sandbox. `result` is at first a copy of the backup. */
export const mergeFiles = { result: 'result.db', newer: 'newer.db', facts: 'facts.db', work: 'work.db' } as const

export interface MergeSteps extends FirstSteps {
  /** Opens the files and decides about the tables. `tables`: as reports call them. */
  open: {
    readonly ask: { readonly prefer: ConflictRule; readonly schemaIsWhole: boolean }
    readonly answer: { readonly tables: readonly string[] }
  }
  /** Decides about the rows of a table. `table`: its place in `tables`. */
  compare: { readonly ask: { readonly table: number }; readonly answer: object }
  write: { readonly ask: { readonly table: number }; readonly answer: object }
  /** Foreign keys, full-text indexes, views and triggers, settings. */
  complete: { readonly ask: object; readonly answer: { readonly unmerged: readonly UnmergedTable[] } }
  totals: {
    readonly ask: { readonly table: number }
    readonly answer: {
      readonly totals: TableTotals
      readonly loss: TableLoss | null
      readonly pages: readonly number[]
    }
  }
  /** The next keys of this kind. The last answer has `isLast`. */
  keys: {
    readonly ask: { readonly table: number; readonly kind: AccountedKind }
    readonly answer: { readonly keys: readonly RowKey[]; readonly isLast: boolean }
  }
  /** The next ranges of keys that nothing knows on the newer side. The last answer has `isLast`. */
  lostRanges: {
    readonly ask: { readonly table: number }
    readonly answer: { readonly ranges: readonly LostRange[]; readonly isLast: boolean }
  }
  /** Closes the result, which is then one plain file in the journal mode DELETE. */
  close: { readonly ask: object; readonly answer: object }
}
