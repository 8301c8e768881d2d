/** Groups of pages: each page is in one group, and the number of groups does not grow with the file. */

import { closeSync, fstatSync, ftruncateSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, describe, expect, test } from 'vitest'
import { groupsMax } from '../../../src/model/result/page-map.ts'
import type { PageGroups } from '../../../src/model/result/page-map.ts'
import { accountPages } from '../../../src/sqlite/accounting/account-pages.ts'
import { readHeader } from '../../../src/sqlite/header.ts'
import { create, fillEvents, pageSizes, removeDatabase } from '../../support/databases/create-database.ts'
import { recipes } from '../../support/databases/recipes.ts'
import { createBeyondLockByte, memoryFolder } from '../../support/databases/special-layouts.ts'
import { EditableDatabase } from '../../support/databases/surgeon.ts'
import { createVariedDatabase } from '../../support/databases/wounds.ts'

const folder = mkdtempSync(join(memoryFolder(), 'groups-'))
afterAll(() => rmSync(folder, { recursive: true }))
let made = 0
const fresh = (): string => join(folder, `${++made}.db`)

/** @param refused pages that cannot be read */
function groupsOf(path: string, refused: readonly number[] = []): PageGroups {
  const file = openSync(path, 'r')
  try {
    const first = Buffer.alloc(100)
    readSync(file, first, 0, 100, 0)
    const reading = readHeader(first)
    if (reading.kind !== 'header') throw new Error(`${path}: ${JSON.stringify(reading)}`)
    const { pageSize } = reading.header
    const accounting = accountPages(reading.header, {
      fileBytes: fstatSync(file).size,
      read: (page, into) =>
        refused.includes(page) ? 'unread' : readSync(file, into, 0, pageSize, (page - 1) * pageSize),
    })
    while (!accounting.step(1000));
    return accounting.result().groups()
  } finally {
    closeSync(file)
  }
}

/** What must be true of every map. */
function expectWhole({ counts, pages, trees, groups, pagesPerGroup }: PageGroups): void {
  expect(counts.owned + counts.free + counts.reserved + counts.unowned + counts.behind).toBe(pages)
  expect(trees.reduce((sum, tree) => sum + tree.pages, 0)).toBe(counts.owned)
  expect(groups.length).toBe(Math.ceil(pages / pagesPerGroup))
  expect(groups.length).toBeLessThanOrEqual(groupsMax)
}

describe.each(pageSizes)('page size %i', (pageSize) => {
  test.each(recipes.map((recipe) => [recipe.name, recipe] as const))(
    'in a healthy file every page has the owner that SQLite says, and nothing is wrong: %s',
    (_, recipe) => {
      const path = fresh()
      recipe.build(path, pageSize)
      const db = new Database(path, { readonly: true })
      const owned = db
        .prepare(
          'SELECT coalesce(s.rootpage, 1) AS root, count(*) AS pages FROM dbstat d ' +
            'LEFT JOIN sqlite_schema s ON s.name = d.name GROUP BY d.name',
        )
        .all() as { root: number; pages: number }[]
      const free = db.pragma('freelist_count', { simple: true })
      db.close()
      const groups = groupsOf(path)
      expectWhole(groups)
      expect(Object.fromEntries(groups.trees.map(({ root, pages }) => [root, pages]))).toEqual(
        Object.fromEntries(owned.map(({ root, pages }) => [root, pages])),
      )
      expect(groups.counts).toMatchObject({ damaged: 0, disagreeing: 0, unread: 0, unowned: 0, behind: 0, free })
      expect(groups.bad).toEqual({ places: [], more: 0, groups: [] })
      removeDatabase(path)
    },
  )
})

test('files of one and of two pages have as many groups', () => {
  const [one, two] = [fresh(), fresh()]
  create(one, 4096, (db) => db.pragma('user_version=7'))
  create(two, 4096, (db) => db.exec('CREATE TABLE a(x)'))
  expect(groupsOf(one).groups).toEqual([{ state: 'owned', root: 1 }])
  expect(groupsOf(two)).toMatchObject({
    pagesPerGroup: 1,
    groups: [
      { state: 'owned', root: 1 },
      { state: 'owned', root: 2 },
    ],
  })
})

test.each([false, true])(
  'a sparse file beyond the lock-byte page has no more groups than other files (auto-vacuum: %s)',
  (autoVacuum) => {
    const path = fresh()
    createBeyondLockByte(path, autoVacuum)
    const groups = groupsOf(path)
    expectWhole(groups)
    expect(groups.pages).toBeGreaterThan(16_000)
    expect(groups.pagesPerGroup).toBe(Math.ceil(groups.pages / groupsMax))
    expect(groups.counts.reserved).toBe(autoVacuum ? 3 : 1)
    expect(groups.groups.filter(({ state }) => state === 'free').length).toBeGreaterThan(900)
    expect(groups.groups.at(-1)?.state).toBe('owned')
    removeDatabase(path)
  },
)

test('pages behind the end of the database have another state than unowned pages', () => {
  const path = fresh()
  recipes[0]?.build(path, 4096)
  const { pages } = groupsOf(path)
  const file = openSync(path, 'r+')
  ftruncateSync(file, (pages + 3) * 4096)
  closeSync(file)
  const groups = groupsOf(path)
  expectWhole(groups)
  expect(groups.groups.slice(-4).map(({ state }) => state)).toEqual(['owned', 'behind', 'behind', 'behind'])
  expect(groups.bad.places).toEqual([])
})

test('a page that cannot be read is unread, and neither damaged nor healthy', () => {
  const path = fresh()
  createVariedDatabase(path, 1024, false)
  let leaf: number
  {
    using database = new EditableDatabase(path)
    leaf = database.leaf('events')
  }
  const groups = groupsOf(path, [leaf])
  expectWhole(groups)
  expect(groups.counts).toMatchObject({ unread: 1, damaged: 0 })
  expect(groups.groups[leaf - 1]).toMatchObject({ state: 'unread' })
  expect(groups.bad.places).toEqual([{ state: 'unread', first: leaf, last: leaf, rule: null, object: null }])
})

test('every damaged page is counted and shown, also pages that no finding lists one by one', () => {
  const path = fresh()
  create(path, 512, (db) => fillEvents(4000)(db))
  let wounded: readonly number[]
  {
    using database = new EditableDatabase(path)
    wounded = database
      .pages('events')
      .filter((page) => database.bTree(page).leaf)
      .slice(10, 130)
      .toSorted((a, b) => a - b)
    for (const page of wounded) database.write(page, Buffer.alloc(512))
  }
  const groups = groupsOf(path)
  expectWhole(groups)
  expect(groups.counts.damaged).toBe(120)
  const { pagesPerGroup } = groups
  const shown = new Set(groups.groups.flatMap(({ state }, i) => (state === 'damaged' ? [i] : [])))
  expect(shown).toEqual(new Set(wounded.map((page) => Math.floor((page - 1) / pagesPerGroup))))
  expect(
    groups.bad.places.flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, i) => first + i)),
  ).toEqual(wounded)
  expect(groups.trees.find(({ damaged }) => damaged > 0)?.damaged).toBe(120)
})

test('a file in which everything is wrong lists a limited number of places, and still shows all pages', () => {
  const path = fresh()
  create(path, 512, (db) => {
    db.exec('CREATE TABLE t(id INTEGER PRIMARY KEY, v); CREATE TABLE u(id INTEGER PRIMARY KEY, v)')
    for (let i = 0; i < 3000; i++)
      db.exec(`INSERT INTO t VALUES(${i}, zeroblob(400)); INSERT INTO u VALUES(${i}, zeroblob(400))`)
  })
  let leaves: number
  {
    using database = new EditableDatabase(path)
    const pages = database.pages('t').filter((page) => database.bTree(page).leaf)
    leaves = pages.length
    for (const page of pages) database.writeAt((page - 1) * 512, [1])
  }
  const { bad, counts, groups } = groupsOf(path)
  expect(bad.places).toHaveLength(500)
  expect(bad.places.reduce((sum, { first, last }) => sum + last - first + 1, 0) + bad.more).toBe(leaves)
  expect(counts.damaged).toBe(leaves)
  expect(groups.filter(({ state }) => state === 'damaged').length).toBe(bad.groups.length)
})

test('an incomplete last page is in the map, whether or not it belongs to the database', () => {
  const path = fresh()
  create(path, 1024, fillEvents(100))
  const { pages } = groupsOf(path)
  const file = openSync(path, 'r+')
  ftruncateSync(file, pages * 1024 - 300)
  closeSync(file)
  expectWhole(groupsOf(path))
  const stray = openSync(path, 'r+')
  ftruncateSync(stray, pages * 1024)
  writeSync(stray, Buffer.from([1, 2, 3]), 0, 3, pages * 1024)
  closeSync(stray)
  expect(groupsOf(path).groups.at(-1)).toEqual({ state: 'behind', root: 0 })
})
