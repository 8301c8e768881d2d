import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openChecker } from '../../src/check/check.ts'
import type { Checker } from '../../src/check/check.ts'
import type { SnapshotPath } from '../../src/model/brand.ts'
import { fillEvents } from '../support/databases/create-database.ts'
import { recipes } from '../support/databases/recipes.ts'
import { limits, rulesIn, useSnapshotFolder } from '../support/snapshot-folder.ts'

const signal = new AbortController().signal
const place = useSnapshotFolder()
const { check, make, expectBackInPlace } = place

describe('healthy snapshots', () => {
  let checker: Checker
  const healthy = mkdtempSync(join(tmpdir(), 'check-healthy-'))
  beforeAll(async () => {
    checker = await openChecker({ ...limits, folder: healthy, parallel: 2, engine: 'census' })
  })
  afterAll(async () => {
    await checker[Symbol.asyncDispose]()
    rmSync(healthy, { recursive: true })
  })
  test.each([512, 4096, 65_536].flatMap((size) => recipes.map((recipe) => [size, recipe.name, recipe] as const)))(
    'page size %i, %s: nothing is found and all is read, at both depths',
    async (size, _, recipe) => {
      const path = join(healthy, 'healthy.db')
      recipe.build(path, size)
      for (const depth of ['quick', 'full'] as const) {
        const reading = await checker.check(path as SnapshotPath, { depth, signal })
        expect(reading).toMatchObject({ facts: [], complete: true, depth, engine: 'census', coverage: { skipped: [] } })
        expect(reading.coverage.pagesRead).toBe(reading.coverage.pages)
      }
      rmSync(path)
    },
  )
})

test('a reading has objects, rows and pages', async () => {
  make((db) => {
    fillEvents(100)(db)
    db.exec(
      'CREATE VIRTUAL TABLE "odd USING name" USING fts5(a); CREATE TABLE w(a ' +
        'PRIMARY KEY) WITHOUT ROWID; CREATE VIEW v AS SELECT 1',
    )
  })
  const reading = await check()
  expect(reading.facts).toEqual([])
  expect(reading.content.filter(({ name }) => name === 'events' || name === 'users')).toEqual([
    { name: 'events', rows: 100, digest: expect.any(String) as string },
    { name: 'users', rows: 20, digest: expect.any(String) as string },
  ])
  const objects = new Map(reading.objects.map((object) => [object.name, object]))
  expect(objects.get('odd USING name')).toMatchObject({ kind: 'virtual-table', module: 'fts5', root: 0 })
  expect(objects.get('odd USING name_data')).toMatchObject({ kind: 'table', shadowOf: 'odd USING name' })
  expect(objects.get('w')).toMatchObject({ kind: 'table', module: null })
  expect(objects.get('v')).toMatchObject({ kind: 'view', root: 0 })
  expect(objects.get('events_kind')).toMatchObject({ kind: 'index', table: 'events' })
  expectBackInPlace()
})

describe('files that are no database', () => {
  test.each([
    ['noise', Buffer.alloc(5000, 0x41)],
    ['an empty file', Buffer.alloc(0)],
    ['a header and nothing else', Buffer.from('SQLite format 3\0')],
  ])('%s ends as a reading', async (_, bytes) => {
    writeFileSync(place.snapshot, bytes)
    const reading = await check()
    expect(reading.facts.length > 0 || !reading.complete).toBe(true)
    expectBackInPlace()
  })
})

test('a schema whose names and statements are not text, which SQLite accepts, is read', async () => {
  make((db) => {
    db.exec('CREATE TABLE odd(a TEXT); CREATE INDEX odd_a ON odd(a) WHERE a > 0')
    fillEvents(100)(db)
    db.unsafeMode(true)
    db.pragma('writable_schema=ON')
    db.exec("UPDATE sqlite_schema SET name = CAST(name AS BLOB), sql = CAST(sql AS BLOB) WHERE name LIKE 'odd%'")
  })
  const reading = await check()
  expect(reading.facts.filter(({ kind }) => kind === 'child-ended')).toEqual([])
  expect(new Set(rulesIn(reading))).toEqual(new Set(['record-malformed', 'page-unowned']))
  expect(reading.content).toContainEqual({ name: 'events', rows: 100, digest: expect.any(String) as string })
})
