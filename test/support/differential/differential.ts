/**
 * Reads one generated database, healthy or wounded, with both engines. Each trial returns its outcome, or throws if an
 * engine is wrong.
 */
import { copyFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import * as fc from 'fast-check'
import { diagnose } from '../../../src/diagnosis/diagnose.ts'
import { buildGenerated } from '../databases/build-generated.ts'
import { removeDatabase } from '../databases/create-database.ts'
import { generated } from '../databases/generated-database.ts'
import type { GeneratedDatabase } from '../databases/generated-database.ts'
import { inflict, randomWound } from '../databases/random-wound.ts'
import type { RandomWound } from '../databases/random-wound.ts'
import { EditableDatabase } from '../databases/surgeon.ts'
import { acceptingContext, judge, readWithBoth } from './engines.ts'
import { changeRows } from './exact-rows.ts'
import { damage } from './referee.ts'

export interface Case {
  readonly shape: GeneratedDatabase
  /** True for a collation of the application, which no checker has. */
  readonly ownCollation: boolean
  /** Seed of changes after the database was built, whose pages may get lost; 0 for none. */
  readonly changes: number
}

export interface WoundedCase extends Case {
  readonly wounds: readonly RandomWound[]
  /** Seed of damage by bytes; null for none. */
  readonly bytes: number | null
}

const fields = { shape: generated, ownCollation: fc.nat({ max: 6 }).map((n) => n === 0), changes: fc.nat({ max: 30 }) }
export const healthyCase: fc.Arbitrary<Case> = fc.record(fields)
export const woundedCase: fc.Arbitrary<WoundedCase> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      ...fields,
      wounds: fc.array(randomWound, { minLength: 1, maxLength: 3 }),
      bytes: fc.constant(null),
    }),
  },
  { weight: 1, arbitrary: fc.record({ ...fields, wounds: fc.constant([]), bytes: fc.nat() }) },
)

/** The outcome in a few words, for counting. */
export type Outcome = string

/** @throws if a healthy database is not sound, or only if the configuration would accept a collation */
export async function tryHealthy(folder: string, { shape, ownCollation, changes }: Case): Promise<Outcome> {
  const path = join(folder, 'healthy.db')
  try {
    buildGenerated(path, shape)
    change(path, changes)
    const hasOwn = ownCollation && useOwnCollation(path)
    const { census, sqlite } = await readWithBoth(path)
    if (!hasOwn && sqlite.diagnosis.verdict.kind !== 'sound') return 'SQLite itself takes it for damaged'
    const diagnosis = hasOwn ? diagnose(census.reading, acceptingContext('unknown-collation')) : census.diagnosis
    const { skipped } = census.reading.coverage
    if (hasOwn && skipped.length > 0 && census.diagnosis.verdict.kind !== 'inconclusive')
      throw new Error(`not everything was checked, and nothing says so: ${census.diagnosis.verdict.kind}`)
    // Entries that need a collation that is unknown here were not compared. No configuration can accept that.
    if (
      hasOwn &&
      skipped.some(({ why }) => /^neither the census|finds less: no such collation/.test(why)) &&
      diagnosis.verdict.kind === 'inconclusive'
    )
      return 'inconclusive: entries by a collation that is not here'
    if (diagnosis.verdict.kind !== 'sound')
      throw new Error(
        `a healthy database is ${diagnosis.verdict.kind}: ` +
          JSON.stringify([diagnosis.verdict, census.reading.facts, skipped]),
      )
    return hasOwn ? 'sound but for the order by a collation that is not here' : 'sound'
  } finally {
    removeDatabase(path)
  }
}

/** @throws if the census is weaker than the referee, or a wound ended in an exception */
export async function tryWounded(
  folder: string,
  { shape, ownCollation, changes, wounds, bytes }: WoundedCase,
): Promise<Outcome> {
  const path = join(folder, 'wounded.db')
  const healthy = join(folder, 'before.db')
  try {
    buildGenerated(path, shape)
    copyFileSync(path, healthy)
    change(path, changes)
    if (ownCollation) useOwnCollation(path)
    const done = bytes === null ? operate(path, wounds, readFileSync(healthy)) : [damageInPlace(path, healthy, bytes)]
    return await compare(path, done)
  } finally {
    for (const file of [path, healthy]) removeDatabase(file)
  }
}

/** @throws if the census is weaker than the referee */
export async function compare(path: string, done: readonly string[]): Promise<Outcome> {
  const both = await readWithBoth(path)
  const judgement = await judge(path, both)
  const ended = both.census.reading.facts.filter(({ kind }) => kind === 'child-ended')
  if (ended.length > 0) throw new Error(`${done.join(', ')}: ${JSON.stringify(ended)}`)
  const [ours, theirs] = [both.census.diagnosis.verdict.kind, both.sqlite.diagnosis.verdict.kind]
  switch (judgement.kind) {
    case 'weaker':
      throw new Error(`${done.join(', ')}: ${judgement.why}`)
    case 'indexes-proven':
      return (
        `both damaged; SQLite blames a table (${judgement.referee}), and ` +
        'rebuilding the indexes proves that it was only they'
      )
    default:
      return ours === theirs
        ? `both ${ours}${judgement.kind === 'more' ? ', the census finds graver damage' : ''}`
        : `census ${ours}, SQLite ${theirs}`
  }
}

function operate(path: string, wounds: readonly RandomWound[], before: Buffer): readonly string[] {
  using database = new EditableDatabase(path)
  return wounds.flatMap((wound) => {
    const done = inflict(database, wound, before)
    return done === null ? [] : [`${wound.kind}: ${done}`]
  })
}

function damageInPlace(path: string, scratch: string, seed: number): string {
  copyFileSync(path, scratch)
  return damage(scratch, path, seed)
}

function change(path: string, seed: number): void {
  if (seed === 0) return
  const db = new Database(path)
  try {
    changeRows(db, seed)
  } finally {
    db.close()
  }
}

/** False if the schema has no collation to replace. */
function useOwnCollation(path: string): boolean {
  const db = new Database(path)
  try {
    db.unsafeMode(true)
    db.pragma('writable_schema=ON')
    return (
      db
        .prepare(
          "UPDATE sqlite_schema SET sql = replace(sql, 'COLLATE NOCASE', " +
            "'COLLATE klingon') WHERE sql LIKE '%COLLATE NOCASE%'",
        )
        .run().changes > 0
    )
  } finally {
    db.close()
  }
}
