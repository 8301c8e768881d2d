/** The content of a row, as it goes into the digest of its table. */

import type { Columns } from '../record/columns.ts'
import type { Fingerprint } from '../record/fingerprint.ts'
import type { TableTerms } from './expected-entries.ts'

/** The key of content fingerprints. The same in every run: digests of different runs are compared. */
export const contentKey: readonly [number, number] = [0x686f6c64, 0x66617374]

/** Takes the fingerprint of all columns of a row. A row that is older than a column has the column's default. */
export function fingerprintRow(terms: TableTerms, row: Columns, print: Fingerprint): void {
  print.begin()
  for (let i = 0; i < terms.max; i++) print.column(i < row.count ? row : terms.absent, i)
  print.end()
}
