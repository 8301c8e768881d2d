import { closeSync, fstatSync, mkdtempSync, openSync, readSync, rmSync, writeSync, ftruncateSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, describe, expect, test } from 'vitest'
import type { PageAccountingResult } from '../../../src/sqlite/accounting/account-pages.ts'
import { readHeader } from '../../../src/sqlite/header.ts'
import { accountBothWays } from '../../support/census/account-both-ways.ts'
import { fillEvents, pageSizes, removeDatabase } from '../../support/databases/create-database.ts'
import { recipes } from '../../support/databases/recipes.ts'
import { createBeyondLockByte, createReserved, memoryFolder } from '../../support/databases/special-layouts.ts'

const folder = mkdtempSync(join(memoryFolder(), 'accounting-'))
afterAll(() => rmSync(folder, { recursive: true }))
let made = 0
const fresh = (): string => join(folder, `${++made}.db`)

function account(path: string): PageAccountingResult {
  const file = openSync(path, 'r')
  try {
    const first = Buffer.alloc(100)
    readSync(file, first, 0, 100, 0)
    const reading = readHeader(first)
    if (reading.kind !== 'header') throw new Error(`${path}: ${JSON.stringify(reading)}`)
    const { pageSize } = reading.header
    return accountBothWays(reading.header, {
      fileBytes: fstatSync(file).size,
      read: (page, into) => readSync(file, into, 0, pageSize, (page - 1) * pageSize),
    })
  } finally {
    closeSync(file)
  }
}

describe.each(pageSizes)('page size %i', (pageSize) => {
  test.each(recipes.map((recipe) => [recipe.name, recipe] as const))(
    'of a healthy file all pages are read, and nothing is found: %s',
    (_, recipe) => {
      const path = fresh()
      recipe.build(path, pageSize)
      const db = new Database(path, { readonly: true })
      expect(db.pragma('integrity_check', { simple: true })).toBe('ok')
      const roots = db.prepare('SELECT rootpage FROM sqlite_schema WHERE rootpage > 0 ORDER BY 1').pluck().all()
      const owned = db
        .prepare('SELECT name, count(*) AS pages, min(pageno) AS first FROM dbstat GROUP BY name')
        .all() as { name: string; pages: number }[]
      db.close()
      const result = account(path)
      expect(result.findings).toEqual([])
      expect(result.pagesRead).toBe(result.pages)
      expect(
        result.rows
          .filter((row) => row.root > 0)
          .map((row) => row.root)
          .toSorted((a, b) => a - b),
      ).toEqual(roots)
      expect(countOwners(result)).toEqual(Object.fromEntries(owned.map((row) => [row.name, row.pages])))
      removeDatabase(path)
    },
  )
})

/** Pages by object, as dbstat counts them. */
function countOwners(result: PageAccountingResult): Record<string, number> {
  const names = new Map(result.rows.map((row) => [row.root, row.name]))
  names.set(1, 'sqlite_schema')
  const counts: Record<string, number> = {}
  for (let page = 1; page <= result.pages; page++) {
    const owner = result.ownerOf(page)
    if (owner === null || owner === 0) continue
    const name = names.get(owner) ?? `root ${owner}`
    counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
}

test.each([false, true])(
  'a file that reaches over the lock-byte page at 1 GiB is sound (auto-vacuum: %s)',
  (autoVacuum) => {
    const path = fresh()
    createBeyondLockByte(path, autoVacuum)
    const db = new Database(path, { readonly: true })
    expect(db.pragma('integrity_check', { simple: true })).toBe('ok')
    db.close()
    const result = account(path)
    expect(result.findings).toEqual([])
    expect(result.pagesRead).toBe(result.pages)
    removeDatabase(path)
  },
)

test.each([1, 7, 32])('%i reserved bytes in pages of 512 bytes are healthy', (reserved) => {
  const path = fresh()
  createReserved(path, 512, reserved, fillEvents(300))
  expect(account(path).findings).toEqual([])
})

test('reserved space behind the end of the database is not a finding, but content there is a leak', () => {
  const path = fresh()
  recipes[0]?.build(path, 4096)
  const file = openSync(path, 'r+')
  const { size } = fstatSync(file)
  ftruncateSync(file, size + 8192)
  expect(account(path).findings).toEqual([])
  writeSync(file, Buffer.from([1]), 0, 1, size + 5000)
  expect(account(path).findings.map(({ rule, severity }) => [rule, severity])).toEqual([['page-unowned', 'leak']])
  closeSync(file)
})
