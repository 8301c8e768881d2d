/** Arbitrary databases for property tests: every feature that the census must get right, small enough to shrink. */

import * as fc from 'fast-check'
import { generatedValue } from './generated-values.ts'
import type { GeneratedValue } from './generated-values.ts'

interface GeneratedIndex {
  readonly columns: readonly {
    readonly column: number
    readonly collation: string
    readonly descending: boolean
    readonly expression: boolean
  }[]
  readonly unique: boolean
  readonly partial: boolean
}

export interface GeneratedDatabase {
  readonly pageSize: number
  readonly encoding: string
  readonly autoVacuum: string
  readonly withoutRowid: boolean
  readonly strict: boolean
  /** What the primary key is made of; `rowid`: there is none. */
  readonly key: 'rowid' | 'integer' | 'integer descending' | 'text' | 'pair'
  readonly keyCollation: string
  readonly columns: readonly { readonly type: string; readonly collation: string }[]
  readonly generated: 'none' | 'stored' | 'virtual'
  readonly indexes: readonly GeneratedIndex[]
  readonly rows: readonly (readonly GeneratedValue[])[]
  readonly added: { readonly type: string; readonly fallback: string } | null
  readonly later: readonly (readonly GeneratedValue[])[]
  readonly deleteEvery: number
  /** True if the table has a UNIQUE constraint. The index of a constraint has no statement of its own. */
  readonly constraint: boolean
  /**
   * True if partial indexes and indexes over expressions have strings in double quotes. Only some builds of SQLite take
   * these for strings.
   */
  readonly quoted: boolean
  /** What the database has before the table. SQLite's check may go wrong over what comes first. */
  readonly beside: readonly (typeof besides)[number][]
}

/** After a view or fts5vocab SQLite's check is silently partial (src/check/README.md, "Why the pragma alone …"). */
const besides = [
  'view',
  'fts5',
  'fts5vocab',
  'r-tree',
  'large values',
  'free pages',
  'nested views',
  'triggers',
  'long names',
] as const

const collation = fc.constantFrom('BINARY', 'BINARY', 'NOCASE', 'RTRIM')
const type = fc.constantFrom('', 'INTEGER', 'REAL', 'TEXT', 'BLOB', 'NUMERIC', 'DOUBLE', 'FLOAT', 'INT')
const index: fc.Arbitrary<GeneratedIndex> = fc.record({
  columns: fc.array(
    fc.record({
      column: fc.nat({ max: 5 }),
      collation,
      descending: fc.boolean(),
      expression: fc.nat({ max: 9 }).map((n) => n === 0),
    }),
    { minLength: 1, maxLength: 3 },
  ),
  unique: fc.nat({ max: 4 }).map((n) => n === 0),
  partial: fc.nat({ max: 5 }).map((n) => n === 0),
})

export const generated: fc.Arbitrary<GeneratedDatabase> = fc.record({
  pageSize: fc.constantFrom(512, 512, 1024, 4096, 65_536),
  encoding: fc.constantFrom('UTF-8', 'UTF-8', 'UTF-16le', 'UTF-16be'),
  autoVacuum: fc.constantFrom('NONE', 'NONE', 'INCREMENTAL'),
  withoutRowid: fc.nat({ max: 2 }).map((n) => n === 0),
  strict: fc.nat({ max: 5 }).map((n) => n === 0),
  key: fc.constantFrom('rowid', 'integer', 'integer descending', 'text', 'pair'),
  keyCollation: collation,
  columns: fc.array(fc.record({ type, collation }), { minLength: 1, maxLength: 4 }),
  generated: fc.constantFrom('none', 'none', 'stored', 'virtual'),
  indexes: fc.array(index, { minLength: 1, maxLength: 4 }),
  rows: fc.array(fc.array(generatedValue, { minLength: 6, maxLength: 6 }), { maxLength: 120 }),
  added: fc.option(
    fc.record({
      type,
      fallback: fc.constantFrom(
        "'none'",
        '7',
        '1.5',
        '3.0',
        '-2',
        "x'0102'",
        'NULL',
        '9007199254740993',
        "'12'",
        '1e3',
        'TRUE',
        '-0.0',
      ),
    }),
  ),
  later: fc.array(fc.array(generatedValue, { minLength: 6, maxLength: 6 }), { maxLength: 30 }),
  deleteEvery: fc.nat({ max: 7 }),
  constraint: fc.nat({ max: 3 }).map((n) => n === 0),
  quoted: fc.boolean(),
  beside: fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.subarray([...besides]) }),
})
