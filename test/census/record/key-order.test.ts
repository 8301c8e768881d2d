import Database from 'better-sqlite3'
import * as fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import type { Collation, TextEncoding } from '../../../src/census/plan.ts'
import { Columns } from '../../../src/census/record/columns.ts'
import { Fingerprint } from '../../../src/census/record/fingerprint.ts'
import { compareKeys } from '../../../src/census/record/key-order.ts'
import type { ColumnValue } from '../../../src/sqlite/column-value.ts'

const encodings: readonly { readonly name: string; readonly number: TextEncoding; readonly db: Database.Database }[] = (
  ['UTF-8', 'UTF-16le', 'UTF-16be'] as const
).map((name, i) => {
  const db = new Database(':memory:')
  db.pragma(`encoding="${name}"`)
  db.exec('CREATE TABLE t(x)')
  return { name, number: (i + 1) as TextEncoding, db }
})
afterAll(() => {
  for (const { db } of encodings) db.close()
})

const text = fc.oneof(
  fc.string({
    maxLength: 6,
    unit: fc.constantFrom('a', 'A', 'b', 'Z', 'z', '[', ' ', '\0', 'ä', 'Ä', '\uffee', '\u{1f600}'),
  }),
  fc.string({ unit: 'binary', maxLength: 8 }).filter((text) => text.isWellFormed()),
)
const number = fc.oneof(
  fc.double({ noNaN: true }),
  fc.constantFrom(0, -0, 2 ** 53, 2 ** 63, -(2 ** 63), 0.5, -0.5, 2 ** 53 + 2, Infinity, -Infinity),
)
const integer = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.constantFrom(0n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n), 1n, -1n),
)
const value: fc.Arbitrary<null | bigint | number | string | Uint8Array> = fc.oneof(
  fc.constant(null),
  integer,
  number,
  text,
  text,
  fc.uint8Array({ maxLength: 4 }),
)

/** A value as this database stores it. */
function asColumn(db: Database.Database, value: null | bigint | number | string | Uint8Array): ColumnValue {
  if (value === null) return { kind: 'null' }
  if (typeof value === 'bigint') return { kind: 'integer', value }
  if (typeof value === 'number') return { kind: 'real', value }
  if (typeof value === 'string')
    return {
      kind: 'text',
      bytes: db.prepare<[string], Uint8Array>('SELECT CAST(? AS BLOB)').pluck().get(value) ?? new Uint8Array(0),
    }
  return { kind: 'blob', bytes: value }
}

describe.each(encodings)('in $name', ({ number: encoding, db }) => {
  test.each(['BINARY', 'NOCASE', 'RTRIM'] as const)(
    'values are ordered as SQLite orders them by %s',
    (collation: Collation) => {
      // The values go through a table: bound parameters are UTF-8 in every database.
      db.exec('DELETE FROM t; INSERT INTO t VALUES(NULL), (NULL)')
      const put = db.prepare('UPDATE t SET x = ? WHERE rowid = ?')
      const asked = db.prepare(
        `SELECT a.x IS b.x COLLATE ${collation} AS same, (SELECT rowid FROM t ORDER BY x COLLATE ` +
          `${collation}, rowid LIMIT 1) AS first FROM t a, t b WHERE a.rowid = 1 AND b.rowid = 2`,
      )
      fc.assert(
        fc.property(value, value, (first, second) => {
          put.run(first, 1)
          put.run(second, 2)
          const { same, first: lowest } = asked.get() as { same: number; first: number }
          const [a, b] = [new Columns(1), new Columns(1)]
          a.take([asColumn(db, first)])
          b.take([asColumn(db, second)])
          const part = (descending: boolean) => [{ source: 0, collation, descending }]
          expect(compareKeys(a, b, part(false), 1, encoding)).toBe(same === 1 ? 0 : lowest === 1 ? -1 : 1)
          expect(compareKeys(a, b, part(true), 1, encoding)).toBe(same === 1 ? 0 : lowest === 1 ? 1 : -1)
        }),
        { numRuns: Number(process.env['CASES'] ?? 400) },
      )
    },
  )
})

test('fingerprints are equal for values that SQLite takes for equal, and for no others', () => {
  const print = new Fingerprint([1, 2])
  const of = (values: readonly ColumnValue[]): string => {
    const columns = new Columns(Math.max(1, values.length))
    columns.take(values)
    print.begin()
    for (let i = 0; i < values.length; i++) print.column(columns, i)
    print.end()
    return `${print.low} ${print.high}`
  }
  const utf8 = encodings[0]?.db
  if (utf8 === undefined) throw new Error('no database')
  fc.assert(
    fc.property(fc.array(value, { maxLength: 3 }), fc.array(value, { maxLength: 3 }), (first, second) => {
      const asked =
        first.length === second.length &&
        first.every((one, i) => utf8.prepare('SELECT ? IS ?').pluck().get(one, second[i]) === 1)
      expect(of(first.map((one) => asColumn(utf8, one))) === of(second.map((one) => asColumn(utf8, one)))).toBe(asked)
    }),
    { numRuns: 2000 },
  )
  expect(of([{ kind: 'integer', value: 1n }])).toBe(of([{ kind: 'real', value: 1 }]))
  expect(of([{ kind: 'integer', value: 0n }])).toBe(of([{ kind: 'real', value: -0 }]))
  expect(of([{ kind: 'real', value: Number.NaN }])).toBe(of([{ kind: 'null' }]))
  expect(of([{ kind: 'real', value: 2 ** 62 }])).toBe(of([{ kind: 'integer', value: 2n ** 62n }]))
  const empty = new Uint8Array(0)
  const distinct = [
    [],
    [{ kind: 'null' }],
    [{ kind: 'text', bytes: empty }],
    [{ kind: 'blob', bytes: empty }],
    [{ kind: 'blob', bytes: Uint8Array.of(0) }],
    [{ kind: 'null' }, { kind: 'null' }],
  ] as ColumnValue[][]
  expect(new Set(distinct.map(of)).size).toBe(distinct.length)
})
