/**
 * Files that try to crash, hang or bloat a reader, made from real databases by a seed: mutated, with swapped pages,
 * spliced from two, with cells that all claim the whole file, and noise. They are in memory, with a plan as SQLite
 * would make one, so that many thousands can be read a minute.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import * as fc from 'fast-check'
import type { CensusPlan } from '../../../src/census/plan.ts'
import { makePlan } from '../../../src/check/reader/schema/census-plan.ts'
import { readSchemaFacts } from '../../../src/check/reader/schema/schema-facts.ts'
import { buildGenerated } from '../databases/build-generated.ts'
import { removeDatabase } from '../databases/create-database.ts'
import { generated } from '../databases/generated-database.ts'
import { recipes } from '../databases/recipes.ts'
import { createVariedDatabase } from '../databases/wounds.ts'
import { integersFrom } from '../random.ts'
import { damageBytes } from './referee.ts'

export interface IntactDatabase {
  readonly name: string
  readonly bytes: Buffer
  readonly plan: CensusPlan
}

export interface HostileInput extends IntactDatabase {
  readonly seed: number
  /** What was done to the database. */
  readonly done: readonly string[]
}

type Random = (below: number) => number

const pagesOf = (bytes: Buffer, pageSize: number): number => Math.max(1, Math.floor(bytes.length / pageSize))

/**
 * Healthy databases of every kind.
 * @param generatedCount databases of random shape, in addition to the recipes
 * @param bytesMax larger ones are left out, so that more can be read
 */
export function makeSpecimens(generatedCount: number, bytesMax: number): readonly IntactDatabase[] {
  const folder = mkdtempSync(join(tmpdir(), 'specimens-'))
  try {
    const builds = [
      ...[512, 1024].flatMap((size) =>
        recipes.map(({ name, build }) => ({ name: `${name}, ${size}`, build: (path: string) => build(path, size) })),
      ),
      ...[false, true].map((autoVacuum) => ({
        name: `varied, auto-vacuum ${autoVacuum}`,
        build: (path: string) => createVariedDatabase(path, 512, autoVacuum),
      })),
      ...fc
        .sample(generated, { seed: 1, numRuns: generatedCount })
        .map((shape, i) => ({ name: `generated ${i}`, build: (path: string) => buildGenerated(path, shape) })),
    ]
    return builds.flatMap(({ name, build }): readonly IntactDatabase[] => {
      const path = join(folder, 'specimen.db')
      build(path)
      const db = new Database(path)
      const { plan } = makePlan(path, db, (layout) => readSchemaFacts(db, layout))
      db.close()
      const bytes = readFileSync(path)
      removeDatabase(path)
      return plan === null || bytes.length > bytesMax ? [] : [{ name, bytes, plan }]
    })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

export function makeHostile(specimens: readonly IntactDatabase[], seed: number): HostileInput {
  const random = integersFrom(seed)
  const pick = (): IntactDatabase => specimens[random(specimens.length)] ?? nothing
  const specimen = pick()
  const done: string[] = []
  let { plan } = specimen
  let bytes: Buffer = Buffer.from(specimen.bytes)
  for (let i = 0, turns = 1 + random(3); i < turns; i++) {
    const manner = random(manners.length + 2)
    if (manner === manners.length) plan = planOf(random, plan, pick().plan, done)
    else bytes = manners[manner]?.(random, bytes, plan.pageSize, done) ?? splice(random, bytes, pick(), done)
  }
  if (random(5) === 0) {
    done.push('cut')
    bytes = bytes.subarray(
      0,
      random(2) === 0 ? random(bytes.length + 1) : random(pagesOf(bytes, plan.pageSize)) * plan.pageSize,
    )
  }
  return { seed, name: specimen.name, bytes, plan, done }
}

const nothing: IntactDatabase = {
  name: 'nothing',
  bytes: Buffer.alloc(512),
  plan: { pageSize: 512, usable: 512, pages: 1, encoding: 1, buckets: 16, trees: [] },
}

type Manner = (random: Random, bytes: Buffer, pageSize: number, done: string[]) => Buffer

const manners: readonly Manner[] = [
  (random, bytes, _, done) => {
    if (bytes.length > 100 && bytes.readUInt16BE(16) >= 512) done.push(`bytes ${damageBytes(bytes, random)}`)
    return bytes
  },
  (random, bytes, pageSize, done) => {
    const [from, to] = [random(pagesOf(bytes, pageSize)), random(pagesOf(bytes, pageSize))].map(
      (page) => page * pageSize,
    ) as [number, number]
    const page = Buffer.from(bytes.subarray(from, from + pageSize))
    if (random(2) === 0) bytes.copy(bytes, from, to, to + pageSize)
    page.copy(bytes, to)
    done.push(`pages at ${from} and ${to}`)
    return bytes
  },
  (random, bytes, pageSize, done) => {
    const at = random(pagesOf(bytes, pageSize)) * pageSize
    fromAfar(random, bytes.subarray(at, at + pageSize), at === 0 ? 100 : 0, pagesOf(bytes, pageSize))
    done.push(`a page at ${at} that looks right from afar`)
    return bytes
  },
  (random, bytes, pageSize, done) => {
    for (let at = random(2) * pageSize; at < bytes.length; at += pageSize * (1 + random(3)))
      claimEverything(random, bytes, at, pageSize)
    done.push('cells that claim everything')
    return bytes
  },
  (random, bytes, pageSize, done) => {
    const pages = pagesOf(bytes, pageSize)
    for (let i = 0; i < pages; i++) pointAnywhere(random, bytes, random(pages) * pageSize, pages)
    done.push('children and chains that lead anywhere')
    return bytes
  },
  (random, bytes, _, done) => {
    for (let i = 0; i < 1 + random(6) && bytes.length >= 100; i++)
      bytes[random(3) === 0 ? 16 + random(5) : 16 + random(84)] = random(256)
    done.push('a header of nonsense')
    return bytes
  },
  (random, bytes, _, done) => {
    for (let at = random(3) === 0 ? 0 : 100; at < bytes.length; at++) bytes[at] = random(256)
    done.push('noise')
    return bytes
  },
]

function splice(random: Random, bytes: Buffer, other: IntactDatabase, done: string[]): Buffer {
  const { pageSize } = other.plan
  const at = random(2) === 0 ? random(bytes.length + 1) : random(pagesOf(bytes, pageSize)) * pageSize
  const from = random(3) === 0 ? random(other.bytes.length) : Math.min(at, other.bytes.length)
  done.push(`from byte ${at} on ${other.name} from byte ${from} on`)
  const whole = Buffer.concat([bytes.subarray(0, at), other.bytes.subarray(from)])
  return whole.length < bytes.length ? Buffer.concat([whole, bytes.subarray(whole.length)]) : whole
}

/**
 * What SQLite would say about a schema that was changed: roots that are anywhere, twice or nowhere; the schema of
 * another file.
 */
function planOf(random: Random, plan: CensusPlan, other: CensusPlan, done: string[]): CensusPlan {
  done.push('another schema')
  const base = random(2) === 0 ? { ...other, pageSize: plan.pageSize, usable: plan.usable, pages: plan.pages } : plan
  const root = (root: number): number =>
    random(2) === 0 ? root : random(10) === 0 ? random(0xffff_ffff) : random(plan.pages + 2)
  return { ...base, trees: base.trees.map((tree) => ({ ...tree, root: root(tree.root) })) }
}

/** Type, counts and pointers mostly within range, the rest small numbers and noise. */
function fromAfar(random: Random, page: Buffer, at: number, pages: number): void {
  for (let i = at; i < page.length; i++) page[i] = random(3) === 0 ? random(256) : random(20)
  const cells = random(30)
  page.set(
    [[2, 5, 10, 13][random(4)] ?? 0, 0, 0, 0, cells, 0, 40 + random(60), 0, 0, 0, 0, random(pages + 2)].slice(
      0,
      page.length - at,
    ),
    at,
  )
  const pointers = at + ((page[at] ?? 0) >= 10 ? 8 : 12)
  for (let i = 0; i < cells && pointers + 2 * i + 2 <= page.length; i++)
    page.writeUInt16BE(random(page.length), pointers + 2 * i)
}

/**
 * As many cells as fit on a page, all at the same offset. Each has a payload as long as the file, and a random overflow
 * chain.
 */
function claimEverything(random: Random, bytes: Buffer, page: number, pageSize: number): void {
  const at = page === 0 ? 100 : page
  if (page + pageSize > bytes.length || ![10, 13].includes(bytes[at] ?? 0)) return
  const cells = Math.floor((pageSize - 8) / 6) - (page === 0 ? 20 : 0)
  const content = at - page + 8 + 2 * cells
  bytes.writeUInt16BE(cells, at + 3)
  bytes.writeUInt16BE(content, at + 5)
  for (let i = 0; i < cells; i++) bytes.writeUInt16BE(content, at + 8 + 2 * i)
  const claimed = random(2) === 0 ? Math.max(0, bytes.length - pageSize) : random(0xfff_ffff)
  bytes.set(
    [
      0x80 | ((claimed >>> 21) & 0x7f),
      0x80 | ((claimed >>> 14) & 0x7f),
      0x80 | ((claimed >>> 7) & 0x7f),
      claimed & 0x7f,
      1,
      3,
      0x81,
      0x00,
    ],
    page + content,
  )
  for (let k = page + content + 12; k + 4 <= page + pageSize && random(8) !== 0; k += 4)
    bytes.writeUInt32BE(random(pagesOf(bytes, pageSize) + 1), k)
}

function pointAnywhere(random: Random, bytes: Buffer, page: number, pages: number): void {
  const at = page === 0 ? 100 : page
  const type = bytes[at] ?? 0
  if (type !== 2 && type !== 5) {
    if (at + 4 <= bytes.length && page > 0) bytes.writeUInt32BE(random(pages + 1), at)
    return
  }
  bytes.writeUInt32BE(random(pages + 1), at + 8)
  for (let i = 0; i < bytes.readUInt16BE(at + 3) && at + 14 + 2 * i <= bytes.length; i++) {
    const cell = page + bytes.readUInt16BE(at + 12 + 2 * i)
    if (cell + 4 <= bytes.length && random(3) === 0) bytes.writeUInt32BE(1 + random(pages), cell)
  }
}
