/** Databases to compare: made, copied and changed by SQL, in a folder of the test file. */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, beforeAll } from 'vitest'
import type { Comparison, RowDifferences, TableComparison } from '../../../src/model/result/comparison.ts'
import type { RowKey } from '../../../src/model/result/finding.ts'
import { create, type Fill } from '../databases/create-database.ts'

export interface ComparedDatabases {
  /** A path with no file. */
  readonly fresh: () => string
  /** A new database. */
  readonly make: (fill: Fill, options?: { readonly pageSize?: number; readonly pragmas?: readonly string[] }) => string
  /** A copy, changed by SQL. */
  readonly changed: (path: string, sql: string) => string
}

/** For the top of a test file. */
export function useComparedDatabases(): ComparedDatabases {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'compare-'))
  })
  afterAll(() => rmSync(folder, { recursive: true }))
  let files = 0
  const fresh = (): string => join(folder, `${files++}.db`)
  return {
    fresh,
    make(fill, { pageSize = 4096, pragmas = [] } = {}) {
      const path = fresh()
      create(path, pageSize, fill, pragmas)
      return path
    },
    changed(path, sql) {
      const copy = fresh()
      copyFileSync(path, copy)
      const db = new Database(copy)
      db.exec(sql)
      db.close()
      return copy
    },
  }
}

/** The answer for each table. */
export const answersOf = ({ tables }: Comparison): Record<string, string> =>
  Object.fromEntries(tables.map(({ name, comparison }) => [name, comparison]))
export const tableOf = ({ tables }: Comparison, name: string): TableComparison =>
  tables.find((one) => one.name === name) as TableComparison
/** Keys of the rows only in A, only in B, and different. */
export const keysOf = (differing: RowDifferences | null): readonly (readonly RowKey[])[] | null =>
  differing && [differing.onlyInA.keys, differing.onlyInB.keys, differing.different.keys]
/** All rows; then those only in A, only in B, and different. */
export const totalsOf = (differing: RowDifferences | null): readonly number[] | null =>
  differing && [differing.rows, differing.onlyInA.total, differing.onlyInB.total, differing.different.total]

/** Three tables with 300 rows: with an INTEGER PRIMARY KEY, without a key, and WITHOUT ROWID. */
export const fill: Fill = (db) => {
  db.exec(
    'CREATE TABLE named(id INTEGER PRIMARY KEY, v, w TEXT); CREATE TABLE loose(v, w); CREATE TABLE keyed(a ' +
      'TEXT, b INTEGER, c, PRIMARY KEY(a, b)) WITHOUT ROWID; CREATE INDEX named_v ON named(v)',
  )
  const [named, loose, keyed] = [
    db.prepare('INSERT INTO named VALUES(?,?,?)'),
    db.prepare('INSERT INTO loose VALUES(?,?)'),
    db.prepare('INSERT INTO keyed VALUES(?,?,?)'),
  ]
  db.transaction(() => {
    for (let i = 1; i <= 300; i++) {
      named.run(i * 2, i, `w${i}`)
      loose.run(i % 7, `w${i % 50}`)
      keyed.run(`a${i % 9}`, i, i * 3)
    }
  })()
}
