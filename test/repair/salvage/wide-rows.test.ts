/** Tables with so many columns that the header of a record reaches into overflow pages, up to those of the most. */
import { expect, test } from 'vitest'
import { makeFolder } from '../../support/cli/folder.ts'
import { create, type Fill } from '../../support/databases/create-database.ts'
import { EditableDatabase } from '../../support/databases/surgeon.ts'
import { fillMany, salvageAndCompare, selectAll, zeroPage } from '../../support/salvage/salvage-and-compare.ts'
import {
  integrityBySqlite,
  listedKeys,
  salvageInProcess,
  salvageNames,
} from '../../support/salvage/salvage-in-process.ts'

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

test.each([
  [1998, ['page', 'rowid_']],
  [1999, ['rowid_']],
  [2000, []],
])('orphaned rows of a table of %d columns have these columns besides: %j', (columns, besides) => {
  using folder = makeFolder()
  create(folder.in(salvageNames.damaged), 1024, wide(columns, null))
  {
    // Each of the two tables may have owned the leaves.
    using patient = new EditableDatabase(folder.in(salvageNames.damaged))
    for (const table of ['wide', 'other']) zeroPage(patient, patient.pages(table)[0] ?? 0)
  }
  const { tables } = salvageInProcess(folder)
  expect(tables.find(({ table }) => table === 'wide')).toMatchObject({ rows: 0, orphaned: 80 })
  const result = folder.in(salvageNames.result)
  expect(integrityBySqlite(result)).toBe('ok')
  const all = selectAll(result, "SELECT name FROM pragma_table_info('holdfast_orphaned_wide')").flat()
  expect(all.slice(0, -columns)).toEqual(besides)
  const numbers = Array.from({ length: 80 }, (_, i) => i + 1)
  expect(selectAll(result, 'SELECT c0 FROM holdfast_orphaned_wide ORDER BY c0').flat()).toEqual(numbers)
  if (besides.length > 0)
    expect(selectAll(result, 'SELECT 1 FROM holdfast_orphaned_wide WHERE rowid_ IS NOT c0')).toEqual([])
  expect(listedKeys(folder, 'orphaned')).toHaveLength(80)
})
