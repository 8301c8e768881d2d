import type { ConflictRule } from '../../model/result/account.ts'

/** A table that is in the result as one side has it. */
export interface UnmergedTable {
  readonly table: string
  readonly stays: ConflictRule
  /** Holds the rows of the damaged file, if the result has them too; null if not. */
  readonly besides: string | null
  /** One sentence. */
  readonly why: string
}
