/**
 * Messages about rows, index entries and virtual tables (pragma.c, and the checks of the modules). Each is one row of
 * the pragma.
 */

import type { Rule } from '../../model/result/finding.ts'
import { observe } from './observation.ts'
import type { Observation } from './observation.ts'
import { theFile } from './schema-view.ts'
import type { SchemaView } from './schema-view.ts'

type MessageReader = (match: RegExpExecArray, schema: SchemaView) => Observation

/** @returns null for another text. Names run to the end of the text and may contain anything, also newlines. */
export function readRowMessage(text: string, schema: SchemaView): Observation | null {
  for (const [pattern, read] of messages) {
    const match = pattern.exec(text)
    if (match) return read(match, schema)
  }
  return null
}

const ordinalOf = (text: string | undefined): number | null => (text === undefined ? null : Number(text))

const ofIndex =
  (rule: Rule, name: number, ordinal: number | null, detail = ''): MessageReader =>
  (match, schema) =>
    observe(rule, schema.index(match[name] ?? ''), {
      ordinal: ordinal === null ? null : ordinalOf(match[ordinal]),
      detail,
    })

const ofTable =
  (rule: Rule, bearing: 'damage' | 'content'): MessageReader =>
  (match, schema) =>
    observe(rule, schema.table(match[1] ?? ''), { bearing })

const ofColumn =
  (rule: Rule, bearing: 'damage' | 'content', group: number): MessageReader =>
  (match, schema) => {
    const { table, column } = schema.column(match[group] ?? '')
    return observe(rule, table, { bearing, detail: column })
  }

/** `SCHEMA.NAME`: the schema of a snapshot is always `main`. */
const withoutSchema = (name: string): string => name.replace(/^main\./, '')

const ofFts =
  (name: number, detail: (match: RegExpExecArray) => string): MessageReader =>
  (match, schema) =>
    observe('fts-broken', schema.virtual(withoutSchema(match[name] ?? ''), 'fts'), { detail: detail(match) })

/** The ends of `unable to validate` if our reading failed: the texts of NOMEM, IOERR, BUSY, FULL, INTERRUPT. */
const textsOfReading = new Set([
  'out of memory',
  'disk I/O error',
  'database is locked',
  'database table is locked',
  'database or disk is full',
  'interrupted',
  'unable to open database file',
])

const ftsFault =
  /^fts5: (corruption[\s\S]*|corrupt structure record for|checksum mismatch for)(?:, segment \d+,)? table "([\s\S]+)"$/

/** The lines of a report on an R-Tree. */
const rtreeFaults = [
  /Node -?\d+ (?:missing from database|is too small)/,
  /Mapping \(/,
  /Found \(-?\d+ -> /,
  /Dimension \d+ of cell /,
  /Rtree depth out of range/,
  /Wrong number of entries in %_/,
  /Schema corrupt or not an rtree/,
]
const rtreeFault = new RegExp(`^(?:${rtreeFaults.map(({ source }) => source).join('|')})[\\s\\S]*$`)

const messages: readonly (readonly [RegExp, MessageReader])[] = [
  [/^wrong # of entries in index ([\s\S]+)$/, ofIndex('index-count-differs', 1, null)],
  [/^row (\d+) missing from index ([\s\S]+)$/, ofIndex('row-missing-from-index', 2, 1)],
  // Before 3.8 SQLite gave the rowid here. Our checker is never that old, so the number is treated as a position.
  [/^rowid (-?\d+) missing from index ([\s\S]+)$/, ofIndex('row-missing-from-index', 2, 1)],
  [/^row (\d+) values differ from index ([\s\S]+)$/, ofIndex('entry-differs-from-row', 2, 1, 'values')],
  [/^rowid not at end-of-record for row (\d+) of index ([\s\S]+)$/, ofIndex('entry-differs-from-row', 2, 1, 'rowid')],
  [/^index ([\s\S]+) stores an imprecise floating-point value for row (\d+)$/, ofIndex('imprecise-real', 1, 2)],
  [/^non-unique entry in index ([\s\S]+)$/, ofIndex('unique-violated', 1, null)],
  [/^row not in PRIMARY KEY order for ([\s\S]+)$/, ofTable('key-out-of-order', 'damage')],
  [/^NULL value in ([\s\S]+)$/, ofColumn('null-in-not-null', 'damage', 1)],
  [/^non-(?:ANY|BLOB|INT|INTEGER|REAL|TEXT) value in ([\s\S]+)$/, ofColumn('type-mismatch', 'damage', 1)],
  [/^(?:NUMERIC|TEXT) value in ([\s\S]+)$/, ofColumn('type-mismatch', 'content', 1)],
  [/^CHECK constraint failed in ([\s\S]+)$/, ofTable('check-failed', 'content')],
  [/^database disk image is malformed$/, () => observe('record-malformed', theFile)],
  [/^malformed inverted index for FTS\d table ([\s\S]+)$/, ofFts(1, () => 'its inverted index is malformed')],
  [
    /^unable to validate the inverted index for FTS\d table ([\s\S]+): ([^:]+)$/,
    (match, schema) => {
      const object = schema.virtual(withoutSchema(match[1] ?? ''), 'fts')
      const why = match[2] ?? ''
      if (textsOfReading.has(why))
        return observe('fts-broken', object, { bearing: 'unread', detail: `it could not be validated: ${why}` })
      return observe('fts-broken', object, { detail: `it could not be validated: ${why}` })
    },
  ],
  [ftsFault, ofFts(2, (match) => (match[1] ?? '').replace(/ (?:in|for|from)$/, ''))],
  [
    /^fts5: missing row -?\d+ from content table ([\s\S]+)$/,
    (match, schema) => {
      const name = withoutSchema(match[1] ?? '')
        .replace(/^'|'$/g, '')
        .replace(/^main'\.'/, '')
      return observe('fts-broken', schema.virtual(name.replace(/_content$/, ''), 'fts'), {
        detail: 'rows that it names are missing from its content',
      })
    },
  ],
  [
    /^In RTree ([^\n]+):\n([\s\S]+)$/,
    (match, schema) => {
      const faults = (match[2] ?? '').split('\n')
      return observe('rtree-broken', schema.virtual(withoutSchema(match[1] ?? ''), 'rtree'), {
        count: faults.length,
        detail: firstFew(faults),
      })
    },
  ],
  [
    /^In RTree ([^\n]+):$/,
    (match, schema) => observe('rtree-broken', schema.virtual(withoutSchema(match[1] ?? ''), 'rtree')),
  ],
  // A line of the report on an R-Tree without its heading: the R-Tree is not named.
  [
    rtreeFault,
    (match) => observe('rtree-broken', { kind: 'rtree', name: 'R-Tree', table: null }, { detail: match[0] }),
  ],
]

const firstFew = (faults: readonly string[]): string =>
  faults.length > 3 ? `${faults.slice(0, 3).join('; ')}; ...` : faults.join('; ')
