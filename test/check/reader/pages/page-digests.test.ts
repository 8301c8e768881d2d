/** Digests of pages: they show which pages changed, and whose they are. */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { openChecker } from '../../../../src/check/check.ts'
import { findChangedPages, DigestedPages } from '../../../../src/check/reader/pages/page-digests.ts'
import type { SnapshotPath } from '../../../../src/model/brand.ts'
import type { PageDigests } from '../../../../src/model/result/last-good.ts'
import type { Reading } from '../../../../src/model/result/reading.ts'
import type { PageSource } from '../../../../src/sqlite/accounting/page-source.ts'
import { create, fillEvents, removeDatabase } from '../../../support/databases/create-database.ts'
import { recipes } from '../../../support/databases/recipes.ts'
import { EditableDatabase, recordBody } from '../../../support/databases/surgeon.ts'
import { createVariedDatabase } from '../../../support/databases/wounds.ts'
import { readInProcess } from '../../../support/read-in-process.ts'

const folder = mkdtempSync(join(tmpdir(), 'page-digests-'))
afterAll(() => rmSync(folder, { recursive: true }))

const digestsOf = ({ pages }: Reading): PageDigests => {
  if (pages.kind !== 'digested') throw new Error('the pages were not digested')
  return pages.digests
}
const changedIn = ({ pages }: Reading): unknown => (pages.kind === 'digested' ? pages.changed : pages)

test.each(recipes.map((recipe) => [recipe.name, recipe] as const))(
  '%s: the same file has the same digests, at every size of pages',
  async (_, recipe) => {
    const path = join(folder, 'healthy.db')
    for (const pageSize of [512, 4096, 65_536]) {
      removeDatabase(path)
      recipe.build(path, pageSize)
      const first = await readInProcess(path)
      const again = await readInProcess(path, 'full', 'census', false, digestsOf(first))
      expect([first.facts, changedIn(again), digestsOf(again).pages]).toEqual([[], null, first.coverage.pages])
      expect(digestsOf(again)).toEqual(digestsOf(first))
    }
  },
)

describe.each([512, 4096, 65_536])('page size %i', (pageSize) => {
  const path = join(folder, `varied-${pageSize}.db`)
  const copy = join(folder, `copy-${pageSize}.db`)
  createVariedDatabase(path, pageSize, true)

  test('one bit in a value of a row: that page, and the root of its table', async () => {
    const earlier = digestsOf(await readInProcess(path))
    copyFileSync(path, copy)
    using database = new EditableDatabase(copy)
    const page = database.leaf('blobs')
    const at = recordBody(database, page, 0)
    database.edit(page, (bytes) => {
      bytes[at + 9] = (bytes[at + 9] ?? 0) ^ 1
    })
    expect(changedIn(await readInProcess(copy, 'full', 'census', false, earlier))).toEqual({
      runs: [[page, page]],
      pages: 1,
      groupPages: 1,
      owners: [database.root('blobs')],
    })
  })

  test('an overflow page belongs to the table of its value', async () => {
    const earlier = digestsOf(await readInProcess(path))
    copyFileSync(path, copy)
    using database = new EditableDatabase(copy)
    const { first } = database.chain('blobs', 2)
    database.writeAt((first - 1) * pageSize + 100, [1, 2, 3, 4, 5])
    expect(changedIn(await readInProcess(copy, 'full', 'census', false, earlier))).toEqual({
      runs: [[first, first]],
      pages: 1,
      groupPages: 1,
      owners: [database.root('blobs')],
    })
  })

  test('changes on a free page are no change of content', async () => {
    const earlier = digestsOf(await readInProcess(path))
    copyFileSync(path, copy)
    using database = new EditableDatabase(copy)
    const leaf = database.read(database.header.freelistTrunk).readUInt32BE(8)
    database.write(leaf, Buffer.alloc(pageSize, 0xa5))
    const reading = await readInProcess(copy, 'full', 'census', false, earlier)
    expect([reading.facts, changedIn(reading)]).toEqual([[], null])
  })
})

test('children bring back the same digests; a quick check and the SQLite engine bring back none', async () => {
  const path = join(folder, 'children.db') as SnapshotPath
  create(path, 4096, fillEvents(3000))
  const signal = new AbortController().signal
  const read = async (
    engine: 'census' | 'sqlite',
    depth: 'quick' | 'full',
    earlier: PageDigests | null,
  ): Promise<Reading> => {
    await using checker = await openChecker({
      folder,
      parallel: 1,
      engine,
      timeoutMs: 30_000,
      memoryBytesMax: 1e9,
      niceness: 0,
    })
    return await checker.check(path, { depth, signal, digesting: { kind: 'pages', earlier } })
  }
  const first = await read('census', 'full', null)
  expect(digestsOf(first)).toEqual(digestsOf(await readInProcess(path)))
  expect([
    (await read('census', 'quick', digestsOf(first))).pages,
    (await read('sqlite', 'full', digestsOf(first))).pages,
  ]).toEqual([{ kind: 'not-digested' }, { kind: 'not-digested' }])
  await using checker = await openChecker({
    folder,
    parallel: 1,
    engine: 'census',
    timeoutMs: 30_000,
    memoryBytesMax: 1e9,
    niceness: 0,
  })
  expect((await checker.check(path, { depth: 'full', signal })).pages).toEqual({ kind: 'not-digested' })
})

/** A file of a hundred thousand pages, computed instead of stored. */
const largeSource = (changed: ReadonlySet<number>): PageSource => ({
  fileBytes: 100_000 * 512,
  read: (page, into) => {
    new DataView(into.buffer).setUint32(0, changed.has(page) ? page + 7_000_000 : page)
    return into.length
  },
})

test('a hundred thousand pages have some thousand digests, and a change is found by its group', () => {
  const digest = (changed: readonly number[], free = 0): PageDigests => {
    const pages = new DigestedPages(largeSource(new Set(changed)), 100_000)
    const into = new Uint8Array(512)
    for (let page = 1; page <= 100_000; page++) pages.read(page, into)
    return pages.digests(512, (page) => page !== free)
  }
  const earlier = digest([])
  expect([earlier.groupPages, earlier.groups.length, earlier.groups.byteLength < 20_000]).toEqual([25, 4000, true])
  const ownerOf = (page: number): number => (page <= 50_000 ? 2 : 3)
  expect(findChangedPages(earlier, digest([1, 26, 99_999]), ownerOf)).toEqual({
    runs: [
      [1, 50],
      [99_976, 100_000],
    ],
    pages: 75,
    groupPages: 25,
    owners: [2, 3],
  })
  expect(findChangedPages(digest([], 77), digest([77], 77), ownerOf)).toBeNull()
  const everywhere = findChangedPages(earlier, digest(Array.from({ length: 100 }, (_, i) => 1000 * i + 1)), ownerOf)
  expect([everywhere?.runs.length, everywhere?.pages]).toEqual([20, 2500])
})

test('digests of another kind are never compared', () => {
  const earlier: PageDigests = { format: 1, pageSize: 4096, pages: 3, groupPages: 1, groups: Uint32Array.of(1, 2, 3) }
  const now: PageDigests = { ...earlier, groups: Uint32Array.of(1, 9, 3) }
  const ownerOf = (): number => 2
  expect(findChangedPages(earlier, now, ownerOf)).toMatchObject({ runs: [[2, 2]] })
  for (const unlike of [{ format: 2 }, { pageSize: 512 }, { pages: 4 }, { groupPages: 2 }])
    expect(findChangedPages({ ...earlier, ...unlike }, now, ownerOf)).toBeNull()
})
