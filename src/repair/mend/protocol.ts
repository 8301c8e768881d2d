/** The questions to the child process that mends a copy, and its answers. `mend.ts` has their order. */

import type { FirstSteps, FailedStep } from '../worker/steps.ts'

/** Names inside the sandbox, beside the copy itself (`recoveredName`). */
export const rewrittenName = 'rewritten'
export const droppedName = 'dropped'

/** Bytes of one line of the file `droppedName`. An entry that needs more cannot be listed. */
export const droppedLineBytesMax = 32_000_000

export type StepCompletion = { readonly kind: 'done' } | FailedStep

export interface MenderSteps extends FirstSteps {
  /** Writes all entries of these indexes that their tables lack into the file `droppedName`. */
  listDropped: {
    readonly ask: { readonly indexes: readonly string[]; readonly memoryBytesMax: number }
    readonly answer: { readonly listed: { readonly kind: 'listed'; readonly total: number } | FailedStep }
  }
  /** Opens the copy. */
  open: { readonly ask: object; readonly answer: { readonly opened: StepCompletion } }
  /**
   * Copies all tables into the file `rewrittenName`, and opens that. The trees of `emptied`, and those of the indexes
   * of the full-text tables `emptiedTexts`, are not read: they are empty afterwards.
   */
  rewrite: {
    readonly ask: { readonly emptied: readonly string[]; readonly emptiedTexts: readonly string[] }
    readonly answer: { readonly rewritten: StepCompletion }
  }
  reindex: { readonly ask: { readonly index: string }; readonly answer: { readonly rebuilt: StepCompletion } }
  /** `source`: the table or view that the text was taken from. */
  rebuildText: {
    readonly ask: { readonly table: string }
    readonly answer: { readonly rebuilt: { readonly kind: 'done'; readonly source: string } | FailedStep }
  }
  /** Closes the file, in the journal mode that the copy had. */
  close: { readonly ask: object; readonly answer: { readonly closed: StepCompletion } }
}
