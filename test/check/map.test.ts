/**
 * The map of real files: each wound shows in the cell where it was made, and a healthy file shows none.
 */
import { closeSync, copyFileSync, mkdtempSync, openSync, readSync, rmSync, truncateSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openChecker } from '../../src/check/check.ts'
import { diagnose } from '../../src/diagnosis/diagnose.ts'
import { drawMap } from '../../src/diagnosis/draw-map.ts'
import type { SnapshotPath } from '../../src/model/brand.ts'
import type { Finding } from '../../src/model/result/finding.ts'
import type { DrawnMap, PageMap, PageState } from '../../src/model/result/page-map.ts'
import type { Reading } from '../../src/model/result/reading.ts'
import { renderJson } from '../../src/report/json.ts'
import { schemaErrors } from '../support/cli/report-schema.ts'
import { create, fillEvents, removeDatabase } from '../support/databases/create-database.ts'
import { recipes } from '../support/databases/recipes.ts'
import { dropCell, EditableDatabase } from '../support/databases/surgeon.ts'
import { createVariedDatabase, wounds } from '../support/databases/wounds.ts'
import { context } from '../support/diagnosis.ts'
import { readInProcess } from '../support/read-in-process.ts'
import { report, sound } from '../support/report.ts'

const folder = mkdtempSync(join(tmpdir(), 'map-'))
afterAll(() => rmSync(folder, { recursive: true }))
let made = 0
const fresh = (): string => join(folder, `${++made}.db`)

interface MapResult {
  readonly map: DrawnMap
  readonly findings: readonly Finding[]
}

const drawn = (map: PageMap): DrawnMap => {
  if (map.kind !== 'drawn') throw new Error(map.why)
  return map
}

async function mapOf(path: string, depth: 'quick' | 'full' = 'full'): Promise<MapResult> {
  const reading = await readInProcess(path, depth, 'census', true)
  const { findings } = diagnose(reading, context)
  return { map: drawn(drawMap(reading, findings)), findings }
}

const stateAt = ({ cells }: DrawnMap, page: number): PageState | undefined =>
  cells.find(({ first, last }) => first <= page && page <= last)?.state
const badStates = new Set<PageState>(['damaged', 'disagreeing', 'unread', 'unowned'])
const badCells = ({ cells }: DrawnMap): DrawnMap['cells'] => cells.filter(({ state }) => badStates.has(state))

function expectWhole(map: DrawnMap): void {
  expect(map.cells[0]?.first).toBe(1)
  expect(map.cells.at(-1)?.last).toBe(map.pages)
  for (const [i, cell] of map.cells.entries()) if (i > 0) expect(cell.first).toBe((map.cells[i - 1]?.last ?? 0) + 1)
  expect(map.cells.length).toBeLessThanOrEqual(1024)
}

test.each([512, 65_536].flatMap((size) => recipes.map((recipe) => [size, recipe.name, recipe] as const)))(
  'a healthy file has no damage on its map: page size %i, %s',
  async (size, _, recipe) => {
    const path = fresh()
    recipe.build(path, size)
    const { map } = await mapOf(path)
    expectWhole(map)
    expect([badCells(map), map.places, map.placesMore]).toEqual([[], [], 0])
    removeDatabase(path)
  },
)

describe.each([
  [1024, false],
  [1024, true],
  [4096, false],
] as const)('page size %i, auto-vacuum %s', (pageSize, autoVacuum) => {
  const healthyPath = (): string => join(folder, `varied-${pageSize}-${autoVacuum}.db`)
  beforeAll(() => createVariedDatabase(healthyPath(), pageSize, autoVacuum))
  const wounded = wounds.filter(({ only }) => autoVacuum || only === undefined)

  test.each(wounded.map((wound) => [wound.name, wound] as const))(
    '%s: each finding shows in the cell of its page, nothing else does, and the document fits the schema',
    async (name, wound) => {
      const path = join(folder, `${pageSize}-${autoVacuum}-${name.replaceAll(' ', '-')}.db`)
      copyFileSync(healthyPath(), path)
      {
        using database = new EditableDatabase(path)
        wound.make(database)
      }
      const reading = await readInProcess(path, 'full', 'census', true)
      const { verdict, damage, findings, remedy, causes } = diagnose(reading, context)
      const map = drawMap(reading, findings)
      expect(
        schemaErrors(
          JSON.parse(
            renderJson(
              report([
                sound('x', {
                  verdict: verdict.kind,
                  damage,
                  findings,
                  findingsTotal: findings.length,
                  remedy,
                  causes,
                  map,
                }),
              ]),
            ),
          ),
        ),
      ).toEqual([])
      if (map.kind === 'none') {
        // Without a page size there are no pages to draw.
        expect([name, map.why]).toEqual(['page size of no power of two', 'the header gives no page size'])
        return
      }
      expectWhole(map)
      for (const { page, severity } of findings) {
        if (page === undefined || page < 1 || page > map.pages || severity === 'notice') continue
        expect(badStates.has(stateAt(map, page) ?? 'owned'), `page ${page}: ${JSON.stringify(map.cells)}`).toBe(true)
        expect(
          map.places.some(({ first, last }) => first <= page && page <= last),
          `page ${page}`,
        ).toBe(true)
      }
      // Everything on the map is named below it, and everything named is on the map.
      for (const { first, last, state } of badCells(map))
        expect(map.places.some((place) => place.state === state && place.first <= last && first <= place.last)).toBe(
          true,
        )
      for (const place of map.places) expect(badStates.has(stateAt(map, place.first) ?? 'owned')).toBe(true)
    },
  )
})

test('the very page that was wounded, and whose it is', async () => {
  const path = fresh()
  createVariedDatabase(path, 1024, false)
  let page: number
  {
    using database = new EditableDatabase(path)
    page = database.leaf('events_at')
    database.write(page, Buffer.alloc(1024))
  }
  const { map } = await mapOf(path)
  const cell = map.cells.find(({ first, last }) => first <= page && page <= last)
  expect([cell?.first, cell?.last, cell?.state]).toEqual([page, page, 'damaged'])
  expect(map.owners[cell?.owner ?? -1]).toMatchObject({
    object: { kind: 'index', name: 'events_at', table: 'events' },
    damagedPages: 1,
  })
  expect(badCells(map)).toHaveLength(1)
  expect(map.places).toContainEqual({
    state: 'damaged',
    first: page,
    last: page,
    rule: 'page-unreadable',
    object: { kind: 'index', name: 'events_at', table: 'events' },
  })
})

test('entries without rows show on every page that has some, not only on the first', async () => {
  const path = fresh()
  create(path, 512, fillEvents(2000))
  const dropped: number[] = []
  {
    using database = new EditableDatabase(path)
    for (const page of database
      .pages('events')
      .filter((page) => database.bTree(page).leaf && database.read(page).readUInt16BE(1) === 0)
      .slice(0, 60)) {
      dropCell(database, page, 0)
      dropped.push(page)
    }
  }
  const { map, findings } = await mapOf(path)
  const without = findings.filter(({ rule }) => rule === 'entry-without-row')
  expect(without.map(({ total }) => total)).toEqual([60, 60, 60])
  for (const { page } of without) expect(stateAt(map, page ?? 0)).toBe('disagreeing')
  // The notes ascend with the rowids, so entries of neighbours share pages; entries of the other indexes are spread.
  const pagesOf = (name: string): number => map.owners.find(({ object }) => object.name === name)?.damagedPages ?? 0
  expect(pagesOf('events_at')).toBeGreaterThan(20)
  expect(pagesOf('events_kind')).toBeGreaterThan(10)
  expect(map.counts.disagreeing).toBe(pagesOf('events_at') + pagesOf('events_kind') + pagesOf('events_note'))
  // On the pages of the table nothing shows that the rows are gone.
  for (const page of dropped) expect(stateAt(map, page)).toBe('owned')
})

describe('children', () => {
  const signal = new AbortController().signal
  const limits = { timeoutMs: 30_000, memoryBytesMax: 1e9, niceness: 0, parallel: 2 } as const

  const read = async (
    path: string,
    changes: { readonly timeoutMs?: number; readonly memoryBytesMax?: number } = {},
    map = true,
  ): Promise<Reading> => {
    await using checker = await openChecker({
      ...limits,
      ...changes,
      folder: mkdtempSync(join(folder, 'sandboxes-')),
      engine: 'census',
    })
    return await checker.check(path as SnapshotPath, { depth: 'full', map, signal })
  }

  test('a reading has a map only if it was asked for, and it changes nothing else', async () => {
    const path = fresh()
    createVariedDatabase(path, 1024, false)
    const [without, withMap] = [await read(path, {}, false), await read(path)]
    expect(without.map).toBe(null)
    expect({ ...withMap, map: null, checkMs: 0 }).toEqual({ ...without, checkMs: 0 })
    expect(withMap.map?.kind).toBe('pages')
  })

  test('a large file, read by several children, has the map that one child makes of it', async () => {
    const path = fresh()
    create(path, 4096, (db) => {
      db.exec(
        'CREATE TABLE t(id INTEGER PRIMARY KEY, k, v); WITH RECURSIVE n(i) AS (SELECT 1 ' +
          'UNION ALL SELECT i + 1 FROM n WHERE i < 15000) INSERT INTO t SELECT i, i * 7919 % ' +
          '15013, zeroblob(3900) FROM n; CREATE INDEX t_k ON t(k)',
      )
    })
    {
      using database = new EditableDatabase(path)
      for (const page of database
        .pages('t')
        .filter((page) => database.bTree(page).leaf)
        .slice(500, 520))
        database.write(page, Buffer.alloc(4096))
    }
    const [together, alone] = [await read(path), await readInProcess(path, 'full', 'census', true)]
    const maps = [together, alone].map((reading) => drawn(drawMap(reading, diagnose(reading, context).findings)))
    expect(maps[0]).toEqual(maps[1])
    expect(maps[0]).toMatchObject({ pagesPerCell: 15, counts: { damaged: 20 } })
    expect(maps[0]?.counts.disagreeing).toBeGreaterThan(0)
  })

  test('a reading that did not get to its end has no map, and says so', async () => {
    const path = fresh()
    createVariedDatabase(path, 1024, false)
    truncateSync(path, 400_000_000) // Sparse: a second of reading, so that the limit surely comes first.
    const { map } = await read(path, { timeoutMs: 1 })
    expect(map).toMatchObject({
      kind: 'none',
      why: expect.stringMatching(/did not come to its end \(.*1 ms\)/) as string,
    })
  })

  test('a file whose owner map would take too much memory has none, and says so', async () => {
    const path = fresh()
    create(path, 512, fillEvents(10))
    // Sparse: 120 million pages, none of them written.
    truncateSync(path, 61_400_000_000)
    claimPages(path, 61_400_000_000 / 512)
    const reading = await read(path)
    expect(reading.map).toEqual({ kind: 'none', why: 'the owner map of this file needs 600 MB' })
    expect(drawMap(reading, [])).toEqual(reading.map)
  })
})

/** Writes the number of pages into the header, so that no page is behind the end of the database. */
function claimPages(path: string, pages: number): void {
  const file = openSync(path, 'r+')
  const header = Buffer.alloc(100)
  readSync(file, header, 0, 100, 0)
  header.writeUInt32BE(pages, 28)
  header.copy(header, 92, 24, 28) // The count is believed where it was written with the last change.
  writeSync(file, header, 0, 100, 0)
  closeSync(file)
}
