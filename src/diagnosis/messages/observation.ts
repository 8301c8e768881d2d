/** What one fact of a reading says, before equal ones are gathered into findings. */
import type { FoundObject, RowKey, Rule } from '../../model/result/finding.ts'

/**
 * `damage`, `leak`: as the severities of a finding. `content`: what an application may have put there itself.
 * `unread`: the fact speaks of our reading (an I/O error, a dead child) and never of the data: it cannot make a file damaged.
 */
export type Bearing = 'damage' | 'leak' | 'content' | 'unread'

export interface Observation {
  readonly rule: Rule
  readonly bearing: Bearing
  readonly object: FoundObject
  readonly page: number | null
  /** The page that a wrong pointer or a second reference leads to. */
  readonly target: number | null
  /** Keys of the rows concerned, where they are known. */
  readonly rows: readonly RowKey[]
  /**
   * SQLite's `row N`: the position in its scan of the table, for every kind of table (the counter is register 7 of the
   * check's program). Good for telling whether two indexes miss the same row; never shown, because everybody would read
   * it as a rowid.
   */
  readonly ordinal: number | null
  /** How many rows, entries or faults this stands for. */
  readonly count: number
  /** What was said, for the finding's sentence: a clause, or the name of a column. */
  readonly detail: string
}

/** An observation of damage to `object`, of count one, about no page: the rest is overridden. */
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

/** A rowid as it goes into reports: a number, beyond 2^53 a decimal string. */
export function rowKey(text: string): RowKey {
  const value = Number(text)
  return Number.isSafeInteger(value) ? value : text
}
