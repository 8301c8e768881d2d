/** The compiled core and JavaScript count each page to the same result, bit for bit. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { CompiledCore } from '../../../src/census/fast/compiled-core.ts'
import { FastCounter } from '../../../src/census/fast/fast-counter.ts'
import type { CensusPlan } from '../../../src/census/plan.ts'
import { Payloads } from '../../../src/census/record/payload.ts'
import { walkOwners } from '../../../src/census/scan/page-owners.ts'
import { everything, Scanner } from '../../../src/census/scan/scan.ts'
import { Separators } from '../../../src/census/scan/separators.ts'
import { emptyTally } from '../../../src/census/scan/tally.ts'
import type { CensusTally } from '../../../src/census/scan/tally.ts'
import { loadCore } from '../../../src/check/reader/pages/compiled-core.ts'
import { makePlan } from '../../../src/check/reader/schema/census-plan.ts'
import { readSchemaFacts } from '../../../src/check/reader/schema/schema-facts.ts'
import { openDatabase } from '../../../src/check/reader/sqlite/open-database.ts'
import type { PageSource } from '../../../src/sqlite/accounting/page-source.ts'
import { buildGenerated } from '../../support/databases/build-generated.ts'
import { create, pageSizes, removeDatabase } from '../../support/databases/create-database.ts'
import { generated } from '../../support/databases/generated-database.ts'
import { recipes } from '../../support/databases/recipes.ts'
import { integersFrom } from '../../support/random.ts'

const folder = mkdtempSync(join(tmpdir(), 'fast-counter-'))
afterAll(() => rmSync(folder, { recursive: true }))
let made = 0
const fresh = (): string => join(folder, `${++made}.db`)
const cases = Number(process.env['CASES'] ?? 60)
const core = loadCore()
const key = [0x1234_5678, 0x0bad_cafe] as const

test('the core can be loaded here; otherwise the other tests show nothing', () => expect(core).not.toBeNull())

test('code that cannot run here is no error: JavaScript then counts', () =>
  expect(CompiledCore.from(Uint8Array.of(0, 1, 2, 3))).toBeNull())

test.each(pageSizes)(
  'page by page, the core counts as JavaScript does, or leaves the page alone: page size %i',
  (pageSize) => {
    for (const recipe of recipes) {
      const path = fresh()
      recipe.build(path, pageSize)
      compare(path, recipe.name, 1)
      removeDatabase(path)
    }
  },
)

test(
  'page by page, the core counts as JavaScript does, or leaves the page alone: ' +
    `${cases} generated databases, healthy and damaged`,
  () => {
    let plain = 0
    let pages = 0
    fc.assert(
      fc.property(generated, fc.nat(), (shape, seed) => {
        const path = fresh()
        buildGenerated(path, shape)
        const compared = compare(path, '', seed)
        plain += compared.plain
        pages += compared.pages
        removeDatabase(path)
      }),
      { numRuns: cases, interruptAfterTimeLimit: 45_000 },
    )
    expect(plain / pages, 'most pages of healthy files are plain').toBeGreaterThan(0.6)
  },
)

test('the core orders keys as SQLite does: of a file with all kinds of keys only page 1 is not plain', () => {
  const path = fresh()
  create(path, 4096, (db) => {
    db.exec('CREATE TABLE t(a)')
    for (const collation of ['BINARY', 'NOCASE', 'RTRIM'])
      for (const order of ['ASC', 'DESC'])
        db.exec(`CREATE INDEX t_${collation}_${order} ON t(a COLLATE ${collation} ${order})`)
    const keys = [
      'b',
      'B',
      'a  ',
      'a',
      'A ',
      'nul\0b',
      'nul\0a',
      'NUL\0c',
      '[',
      '_',
      'é',
      'É',
      '',
      ' ',
      'longer than eight',
      'longer than eighT',
      'longer than',
      null,
      0,
      -0.0,
      1,
      1.5,
      -1.5,
      2 ** 53,
      2n ** 53n + 1n,
      2n ** 63n - 1n,
      2 ** 63,
      -(2n ** 63n),
      -(2 ** 64),
      1e300,
      2 ** 28,
      -(2 ** 28) - 1,
      2 ** 31,
      Infinity,
      Buffer.from('b'),
      Buffer.from('a '),
      Buffer.alloc(0),
    ]
    const insert = db.prepare('INSERT INTO t VALUES(?)')
    for (const key of keys) insert.run(key)
  })
  const { plain, pages } = compare(path, 'keys', 1)
  expect(plain).toBe(pages - 1)
})

/** Compares a healthy file, and four damaged ones. */
function compare(path: string, name: string, seed: number): { readonly plain: number; readonly pages: number } {
  const db = openDatabase(path, 'strict')
  const { plan } = makePlan(path, db, (layout) => readSchemaFacts(db, layout))
  db.close()
  if (plan === null) throw new Error(`${name} has no plan`)
  const bytes = readFileSync(path)
  const random = integersFrom(seed)
  const plain = comparePages(plan, bytes, name)
  for (let round = 0; round < 4; round++)
    comparePages(plan, damaged(bytes, plan, random), `${name}, seed ${seed}, round ${round}`)
  return { plain, pages: owned(plan, bytes) }
}

const owned = (plan: CensusPlan, bytes: Uint8Array): number =>
  walkOwners(plan, sourceOf(plan, bytes)).trees.filter((tree) => tree > 0).length

/** @returns how many of the pages were plain */
function comparePages(plan: CensusPlan, bytes: Uint8Array, what: string): number {
  if (core === null) return 0
  const source = sourceOf(plan, bytes)
  const owners = walkOwners(plan, source)
  const payloads = new Payloads(plan, source, { bytes, firstPage: 1, pageCount: plan.pages })
  const pages = new FastCounter(core, plan, key, payloads)
  const separators = new Separators(plan, owners, source)
  const compiled = emptyTally(plan, key)
  const expected = emptyTally(plan, key)
  const scanner = new Scanner(plan, owners, source, expected, everything(null))
  let plain = 0
  const each = pages.piece.length / plan.pageSize
  for (let page = 1; page <= plan.pages; page++) {
    const inPiece = (page - 1) % each
    if (inPiece === 0) pages.take(bytes.subarray((page - 1) * plan.pageSize, (page - 1 + each) * plan.pageSize), page)
    const tree = (owners.trees[page] ?? 0) - 1
    if (tree < 0) continue
    if (pages.count(tree, inPiece * plan.pageSize, page, separators.of(page, 'left'), separators.of(page, 'right'))) {
      plain++
      scanner.scan(bytes.subarray((page - 1) * plan.pageSize, page * plan.pageSize), page)
    }
    pages.moveInto(compiled)
    // JavaScript finds nothing to report on a plain page. For any other page nothing was added.
    if (!countedAlike(compiled, expected))
      expect(countsOf(compiled), `${what}, page ${page}`).toEqual(countsOf(expected))
    expect(expected.notes.length + expected.unread.size, `${what}, page ${page}`).toBe(0)
  }
  return plain
}

const countsOf = ({ entries, bytes, digests, sums }: CensusTally): readonly (Float64Array | Int32Array)[] => [
  entries,
  bytes,
  digests,
  sums,
]

/** Compares bytes: comparing each number takes a hundred times as long. */
const countedAlike = (a: CensusTally, b: CensusTally): boolean =>
  countsOf(a).every((counts, i) => bytesOf(counts).equals(bytesOf(countsOf(b)[i] ?? counts)))

const bytesOf = ({ buffer, byteOffset, byteLength }: Float64Array | Int32Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength)

const sourceOf = (plan: CensusPlan, bytes: Uint8Array): PageSource => ({
  fileBytes: bytes.length,
  read: (page, into) => {
    const got = bytes.subarray((page - 1) * plan.pageSize, page * plan.pageSize)
    into.set(got)
    return got.length
  },
})

/** Changes a few bytes of most pages. */
function damaged(healthy: Uint8Array, plan: CensusPlan, random: (below: number) => number): Uint8Array {
  const bytes = Uint8Array.from(healthy)
  for (let page = 0; page < plan.pages; page++) {
    for (let hits = random(3); hits > 0; hits--) {
      const at = page * plan.pageSize + (random(3) === 0 ? random(Math.min(140, plan.pageSize)) : random(plan.pageSize))
      bytes[at] = random(2) === 0 ? random(256) : (bytes[at] ?? 0) ^ (1 << random(8))
    }
  }
  return bytes
}
