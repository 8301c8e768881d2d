import { expect, test } from 'vitest'
import { findingsOfDifferences, findingsOfNotes } from '../../src/census/differences/findings.ts'
import { DifferenceSearch } from '../../src/census/differences/search.ts'
import type { CensusPlan, KeyPart, StoredColumn } from '../../src/census/plan.ts'
import { walkOwners } from '../../src/census/scan/page-owners.ts'
import { everything, Scanner } from '../../src/census/scan/scan.ts'
import { emptyTally } from '../../src/census/scan/tally.ts'
import { loadCore } from '../../src/check/reader/pages/compiled-core.ts'
import { makeHostile, makeSpecimens } from '../support/differential/hostile-inputs.ts'
import { readHostile } from '../support/differential/read-hostile.ts'
import { integersFrom } from '../support/random.ts'

const core = loadCore()

/** Number of inputs. By hand any number can be set. */
const inputs = Number(process.env['INPUTS'] ?? 2000)
const pages = 12
const pageSize = 512

const column = (name: string): StoredColumn => ({ name, absent: { kind: 'null' } })
const part = (source: number, collation: 'BINARY' | 'NOCASE' | 'RTRIM'): KeyPart => ({
  source,
  collation,
  descending: source === 1,
})
const table = { kind: 'table', name: 't', table: 't' } as const
const index = { kind: 'index', name: 'i', table: 't' } as const

const planOf = (encoding: 1 | 2 | 3): CensusPlan => ({
  pageSize,
  usable: pageSize,
  pages,
  encoding,
  buckets: 16,
  trees: [
    {
      kind: 'rowid-table',
      root: 1,
      object: table,
      columns: [column('a'), column('b'), column('c')],
      rowidAlias: 0,
      indexes: [2],
    },
    {
      kind: 'keyed-table',
      root: 2,
      object: table,
      columns: [column('a'), column('b')],
      key: [part(0, 'NOCASE')],
      ordered: true,
      indexes: [3],
    },
    {
      kind: 'index',
      root: 3,
      object: index,
      entries: 'plain',
      table: 0,
      parts: [part(1, 'BINARY'), part(2, 'RTRIM'), part(-1, 'BINARY')],
      uniqueParts: 2,
      identity: [2],
      ordered: true,
    },
    {
      kind: 'index',
      root: 4,
      object: index,
      entries: 'plain',
      table: 1,
      parts: [part(1, 'NOCASE'), part(0, 'NOCASE')],
      uniqueParts: 0,
      identity: [1],
      ordered: true,
    },
  ],
})

/** Pages whose types, counts and pointers are mostly in range. The rest is random. */
function hostilePages(random: (below: number) => number): Uint8Array {
  const bytes = new Uint8Array(pages * pageSize)
  for (let i = 0; i < bytes.length; i++) bytes[i] = random(3) === 0 ? random(256) : random(20)
  for (let page = 0; page < pages; page++) {
    const at = page * pageSize + (page === 0 ? 100 : 0)
    bytes[at] = [2, 5, 10, 13][random(4)] ?? 0
    const cells = random(30)
    bytes.set([0, 0, 0, cells, 0, 40 + random(60), 0, 0, 0, 0, random(pages + 2)], at + 1)
    const pointers = at + ((bytes[at] ?? 0) >= 10 ? 8 : 12)
    for (let i = 0; i < cells; i++) bytes.set([random(2), random(256)], pointers + 2 * i)
  }
  return bytes
}

test(`${inputs} files of nonsense neither throw nor take long`, () => {
  let noted = 0
  for (let seed = 1; seed <= inputs; seed++) {
    const random = integersFrom(seed)
    const plan = planOf((1 + random(3)) as 1 | 2 | 3)
    const bytes = hostilePages(random)
    const source = {
      fileBytes: bytes.length,
      read: (page: number, into: Uint8Array) => {
        if (page < 1 || page > pages) return 0
        if (random(200) === 0) return 'unread' as const
        into.set(bytes.subarray((page - 1) * pageSize, page * pageSize))
        return pageSize
      },
    }
    const began = process.cpuUsage()
    const owners = walkOwners(plan, source)
    const tally = emptyTally(plan, [seed, 1])
    new Scanner(plan, owners, source, tally, everything(core)).scan(bytes, 1)
    const search = new DifferenceSearch(plan, owners, tally)
    for (const pass of search.passes(source)) {
      pass.scanner.scan(bytes, 1)
      pass.end()
    }
    noted +=
      findingsOfNotes(plan, owners, tally).length + findingsOfDifferences(plan, owners, tally, search, source).length
    const { user, system } = process.cpuUsage(began)
    expect((user + system) / 1000, `seed ${seed}`).toBeLessThan(2000)
  }
  expect(noted, 'or the test shows nothing').toBeGreaterThan(inputs)
})

/** `npm run fuzz -- hostile` runs a hundred thousand. */
test(`${inputs} mutated, spliced and invented files are read to their end by every decoder and the census`, () => {
  const specimens = makeSpecimens(10, 40_000)
  let found = 0
  for (let seed = 1; seed <= inputs; seed++) {
    const input = makeHostile(specimens, seed)
    const began = process.cpuUsage()
    try {
      found += readHostile(input)
    } catch (error) {
      throw new Error(`seed ${seed}, ${input.name}: ${input.done.join(', ')}`, { cause: error })
    }
    const { user, system } = process.cpuUsage(began)
    expect((user + system) / 1000, `seed ${seed}`).toBeLessThan(3000)
  }
  expect(found, 'or the test shows nothing').toBeGreaterThan(inputs)
})

test(
  'a leaf below an interior page of the wrong kind is compared with no key: ' +
    'in particular not with a key of the page that was read before',
  () => {
    expect(() => readHostile(makeHostile(makeSpecimens(40, 100_000), 913_959))).not.toThrow()
  },
)
