/** Tables with so many columns that the header of a record reaches into overflow pages. */
import { expect, test } from 'vitest'
import { makeFolder } from '../../support/cli/folder.ts'
import type { Fill } from '../../support/databases/create-database.ts'
import { fillMany, salvageAndCompare, zeroPage } from '../../support/salvage/salvage-and-compare.ts'

const names = (columns: number): string => Array.from({ length: columns }, (_, i) => `c${i}`).join(', ')

/** Each column has the value, but the first one, which has the number of the row. */
const wide = (columns: number, value: unknown, rest = ')'): Fill =>
  fillMany(
    `CREATE TABLE wide(${names(columns)}${rest}; CREATE TABLE other(${names(columns)})`,
    `INSERT INTO wide VALUES(?${', ?'.repeat(columns - 1)})`,
    (i) => [i, ...Array.from({ length: columns - 1 }, () => value)],
    80,
  )

const layouts = [
  ['with rowids', ')'],
  ['WITHOUT ROWID', ', PRIMARY KEY(c0)) WITHOUT ROWID'],
] as const

test.each(layouts)('rows whose header reaches into overflow pages are in their table, %s', (_, rest) => {
  using folder = makeFolder()
  const { outcome, differences } = salvageAndCompare(folder, wide(600, 5n, rest), () => undefined)
  expect(differences).toEqual({ missing: [], invented: [] })
  expect(outcome.tables.find(({ table }) => table === 'wide')).toMatchObject({ rows: 80, orphaned: 0, unreadable: 0 })
})

test.each(layouts)('one page of such a table is lost: only its own rows are missing, %s', (_, rest) => {
  using folder = makeFolder()
  const { differences } = salvageAndCompare(folder, wide(600, 'some text', rest), (patient) =>
    zeroPage(patient, patient.leaf('wide')),
  )
  expect(differences.invented).toEqual([])
  expect(differences.missing.length).toBeGreaterThan(0)
  expect(differences.missing.length).toBeLessThan(20)
})
