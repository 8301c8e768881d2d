/**
 * The name of the way in which content digests are made. Digests are only compared if their names are equal.
 *
 * The name is the digest of a row with a value of every kind. So a change of how values are decoded, normalised or
 * mixed changes the name too.
 */

import type { ColumnValue } from '../sqlite/column-value.ts'
import { Columns } from './record/columns.ts'
import { Fingerprint } from './record/fingerprint.ts'
import { contentKey } from './scan/row-content.ts'

/**
 * Raise it if digests change in a way that the row below does not show. That is which rows and columns go into a
 * digest, and how rows are added.
 */
const revision = 1

const sample: readonly ColumnValue[] = [
  { kind: 'null' },
  { kind: 'integer', value: 7n },
  { kind: 'integer', value: -(2n ** 30n) },
  { kind: 'integer', value: 2n ** 53n + 1n },
  { kind: 'real', value: 3 },
  { kind: 'real', value: 0.1 },
  { kind: 'real', value: -0 },
  { kind: 'text', bytes: new TextEncoder().encode('content digest') },
  { kind: 'blob', bytes: Uint8Array.of(0, 1, 254, 255, 0) },
]

export function contentFormat(): string {
  const columns = new Columns(sample.length)
  columns.take(sample)
  const print = new Fingerprint(contentKey)
  print.begin()
  print.rowid(1, 0)
  for (let i = 0; i < sample.length; i++) print.column(columns, i)
  print.end()
  const word = (half: number): string => (half >>> 0).toString(16).padStart(8, '0')
  return `${revision}-${word(print.low)}${word(print.high)}`
}
