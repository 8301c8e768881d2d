/** What the scans of rows and of index entries share. */

import type { CensusPlan } from '../plan.ts'
import type { Records } from '../record/records.ts'
import type { Separators } from './separators.ts'
import type { CensusTally } from './tally.ts'

/** Takes the fingerprint of each entry that an index must hold (`sign` 1), and of each that it does hold (-1). */
export interface EntrySink {
  add(tree: number, sign: 1 | -1, low: number, high: number, page: number, cell: number): void
}

export interface ScanContext {
  readonly plan: CensusPlan
  readonly records: Records
  readonly separators: Separators
  readonly sink: EntrySink
  readonly tally: CensusTally
  /** True if the content of rows goes into the digest of their table. */
  readonly content: boolean
}
