/** What one fact of a reading says. Equal observations become one finding. */

import type { FoundObject, RowKey, Rule } from '../../model/result/finding.ts'

/**
 * `damage`, `leak`: as the severities of a finding. `content`: the application may have written it. `unread`: the fact
 * is about our reading (an I/O error, a dead child), so it never makes a file damaged.
 */
export type Bearing = 'damage' | 'leak' | 'content' | 'unread'

export interface Observation {
  readonly rule: Rule
  readonly bearing: Bearing
  readonly object: FoundObject
  readonly page: number | null
  /** The page that a wrong pointer or a second reference leads to. */
  readonly target: number | null
  /** Keys of the rows, if they are known. */
  readonly rows: readonly RowKey[]
  /**
   * `row N` of SQLite: the position in its scan, for every kind of table (register 7 of the program of the check). It
   * shows whether two indexes miss the same row. It is never printed, because it would be read as a rowid.
   */
  readonly ordinal: number | null
  /** The number of rows, entries or faults. */
  readonly count: number
  /** A clause or the name of a column, for the sentence of the finding. */
  readonly detail: string
}

/** One observation of damage to `object`, about no page, with `more` in place of the defaults. */
export function observe(rule: Rule, object: FoundObject, more: Partial<Observation> = {}): Observation {
  return {
    rule,
    bearing: 'damage',
    object,
    page: null,
    target: null,
    rows: [],
    ordinal: null,
    count: 1,
    detail: '',
    ...more,
  }
}

/** A rowid for reports: a number, or a decimal string beyond 2^53. */
export function rowKey(text: string): RowKey {
  const value = Number(text)
  return Number.isSafeInteger(value) ? value : text
}
