/** Indexes of computed values that another version of SQLite rounded differently. */
import { mkdtempSync, openSync, closeSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, expect, test } from 'vitest'
import { differByRounding } from '../../../../src/census/record/rounding.ts'
import { create } from '../../../support/databases/create-database.ts'
import { readInProcess } from '../../../support/read-in-process.ts'

const folder = mkdtempSync(join(tmpdir(), 'rounded-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** The entries of `t_key` come from one expression, and the schema has another. */
async function read(madeBy: string, said: string, writer: number | null): Promise<readonly [string, string][]> {
  const path = join(folder, 'made.db')
  rmSync(path, { force: true })
  create(path, 1024, (db: Database.Database) => {
    db.exec(`CREATE TABLE t(id INTEGER PRIMARY KEY, a REAL);
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100)
      INSERT INTO t(a) SELECT i / 7.0 FROM n;
      CREATE INDEX t_key ON t(${madeBy})`)
    db.unsafeMode(true)
    db.pragma('writable_schema=ON')
    db.prepare("UPDATE sqlite_schema SET sql = ? WHERE name = 't_key'").run(`CREATE INDEX t_key ON t(${said})`)
  })
  if (writer !== null) write(path, writer)
  const { facts, coverage } = await readInProcess(path)
  return [
    ...facts.map((fact): [string, string] => [fact.kind, fact.kind === 'found' ? fact.finding.rule : '']),
    ...coverage.skipped.map(({ object }): [string, string] => ['skipped', object]),
  ]
}

/** Writes the version into the header. */
function write(path: string, version: number): void {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(version)
  const file = openSync(path, 'r+')
  writeSync(file, bytes, 0, 4, 96)
  closeSync(file)
}

const damaged = [['found', 'entry-differs-from-row']]

test.each([
  ['round(iif(id % 9 = 0, a + 0.01, a), 2)', 'round(a, 2)'],
  ["printf('%.15g', a)", "printf('%!.17g', a)"],
])('is not understood where another version wrote it: %s for %s', async (madeBy, said) => {
  expect(await read(madeBy, said, 3_040_001)).toEqual([['skipped', 't_key']])
  // This version would not have written that.
  expect(await read(madeBy, said, null)).toEqual(damaged)
})

test.each([
  // More than a last digit.
  ['round(a, 2) + 0.5', 'round(a, 2)'],
  ["printf('%.2f', a) || 'x'", "printf('%.2f', a) || 'y'"],
  // Whole numbers and plain arithmetic are the same in every version.
  ['abs(id) + 1', 'abs(id)'],
  ['a * 2 + 1e-14', 'a * 2'],
])('is damaged where it is no rounding: %s for %s', async (madeBy, said) => {
  expect(await read(madeBy, said, 3_040_001)).toEqual(damaged)
})

test.each([
  ['0.333333333333333', '0.33333333333333332', true],
  ['1.79769313486232e+308', '1.7976931348623157e+308', true],
  ['2.85714285714285698425e-01', '0.2857142857142857', true],
  [2.67, 2.68, true],
  [2.67, 2.69, false],
  [2, 3, false],
  ['v1', 'v2', false],
  ['a 1.5', 'b 1.5', false],
  [null, 0.5, false],
] as const)('%s and %s: %s', (one, other, expected) => {
  expect(differByRounding(one, other)).toBe(expected)
})
