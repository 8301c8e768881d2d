/** A whole census of a file in this process, with the page accounting, and with entries that SQLite computes. */

import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import Database from 'better-sqlite3'
import { expect } from 'vitest'
import { findingsOfDifferences, findingsOfNotes } from '../../../src/census/differences/findings.ts'
import { DifferenceSearch } from '../../../src/census/differences/search.ts'
import type { CompiledCore } from '../../../src/census/fast/compiled-core.ts'
import { planCensus } from '../../../src/census/plan-census.ts'
import type { CensusPlan } from '../../../src/census/plan.ts'
import { ComputedEntries } from '../../../src/census/scan/computed-entries.ts'
import { walkOwners } from '../../../src/census/scan/page-owners.ts'
import { everything, Scanner } from '../../../src/census/scan/scan.ts'
import { tableDigest, emptyTally, mergeTallies } from '../../../src/census/scan/tally.ts'
import type { CensusTally } from '../../../src/census/scan/tally.ts'
import { loadCore } from '../../../src/check/reader/pages/compiled-core.ts'
import { readSchemaFacts } from '../../../src/check/reader/schema/schema-facts.ts'
import { computedEntries, computationOf } from '../../../src/check/reader/sqlite/computed-entries.ts'
import { openDatabase } from '../../../src/check/reader/sqlite/open-database.ts'
import type { Finding } from '../../../src/model/result/finding.ts'
import type { ColumnValue } from '../../../src/sqlite/column-value.ts'
import { readHeader } from '../../../src/sqlite/header.ts'
import { accountFor } from '../differential/referee.ts'

const core = loadCore()

interface CensusResult {
  readonly accounting: readonly Finding[]
  readonly findings: readonly Finding[]
  readonly plan: CensusPlan
  readonly tally: CensusTally
  /** Per table. */
  readonly digests: Readonly<Record<string, string>>
  readonly skipped: readonly string[]
  /** What SQLite threw when it read the schema; null if it threw nothing. */
  readonly thrown: string | null
}

/**
 * @param pieces how many parts the file is scanned in, as if by workers
 * @param entriesEachPass entries that one pass of the difference search may hold
 */
export function census(path: string, pieces = 3, entriesEachPass = 1_000_000): CensusResult {
  const accounting = accountFor(path)
  const whole = readFileSync(path)
  const reading = readHeader(whole.subarray(0, 100))
  const header = reading.kind === 'header' || reading.kind === 'wrong' ? reading.header : null
  const empty: CensusResult = {
    accounting: accounting?.findings ?? [],
    findings: [],
    plan: { pageSize: 0, usable: 0, pages: 0, encoding: 1, buckets: 16, trees: [] },
    tally: emptyTally({ trees: [], buckets: 16 } as never, [0, 0]),
    digests: {},
    skipped: [],
    thrown: null,
  }
  if (header === null) return { ...empty, thrown: 'no header' }
  const pages = Math.floor(whole.length / header.pageSize)
  let db: Database.Database | null = null
  try {
    db = openDatabase(path, 'strict')
    const facts = readSchemaFacts(db, {
      pageSize: header.pageSize,
      usable: header.pageSize - header.reservedBytes,
      pages: header.pageCountValid ? Math.min(pages, header.pageCount) : pages,
      encoding: header.textEncoding,
    })
    return { ...empty, ...count(db, path, whole, planCensus(facts), pieces, entriesEachPass) }
  } catch (error) {
    if (!(error instanceof Database.SqliteError)) throw error
    return { ...empty, thrown: error.message }
  } finally {
    db?.close()
  }
}

function count(
  db: Database.Database,
  path: string,
  whole: Buffer,
  { plan, skipped }: ReturnType<typeof planCensus>,
  pieces: number,
  entriesEachPass: number,
): Omit<CensusResult, 'accounting' | 'thrown'> {
  const file = openSync(path, 'r')
  try {
    const source = {
      fileBytes: whole.length,
      read: (page: number, into: Uint8Array) => readSync(file, into, 0, plan.pageSize, (page - 1) * plan.pageSize),
    }
    const owners = walkOwners(plan, source)
    const key: [number, number] = [(Math.random() * 2 ** 32) | 0, (Math.random() * 2 ** 32) | 0]
    const each = Math.ceil(plan.pages / pieces)
    const scanned = (compiled: CompiledCore | null): CensusTally => {
      const tally = emptyTally(plan, key)
      for (let from = 0; from < plan.pages; from += each) {
        const part = emptyTally(plan, key)
        const bytes = whole.subarray(from * plan.pageSize, Math.min(plan.pages, from + each) * plan.pageSize)
        new Scanner(plan, owners, source, part, everything(compiled)).scan(bytes, from + 1)
        mergeTallies(tally, part)
      }
      return tally
    }
    const tally = scanned(core)
    // In every test the compiled core and JavaScript must give the same tally, bit for bit.
    expect(tally, path).toEqual(scanned(null))
    const left: string[] = skipped.map(({ object }) => object)
    const entries = new ComputedEntries(plan, tally)
    const unstreamed = new Set<number>()
    plan.trees.forEach((tree, i) => {
      if (tree.kind !== 'index' || tree.entries !== 'computed') return
      const why = stream(db, plan, i, (values) => entries.add(i, values))
      if (why === null) return
      unstreamed.add(i)
      left.push(tree.object.name)
      tally.sums.fill(0, (i * tally.sums.length) / plan.trees.length, ((i + 1) * tally.sums.length) / plan.trees.length)
    })
    const search = new DifferenceSearch(plan, owners, tally, entriesEachPass)
    for (const pass of search.passes(source)) {
      pass.scanner.scan(whole.subarray(0, plan.pages * plan.pageSize), 1)
      for (const tree of pass.computed) stream(db, plan, tree, (values) => pass.addComputed(tree, values))
      pass.end()
    }
    return {
      plan,
      tally,
      skipped: left,
      findings: [
        ...findingsOfNotes(plan, owners, tally),
        ...findingsOfDifferences(plan, owners, tally, search, source),
      ],
      digests: Object.fromEntries(
        plan.trees.flatMap((tree, i) => (tree.kind === 'index' ? [] : [[tree.object.name, tableDigest(tally, i)]])),
      ),
    }
  } finally {
    closeSync(file)
  }
}

/** Streams what the index must hold from SQLite. @returns null, or why that is not possible */
function stream(
  db: Database.Database,
  plan: CensusPlan,
  tree: number,
  add: (values: readonly ColumnValue[]) => void,
): string | null {
  const object = plan.trees[tree]?.object
  const computing = computationOf(db, object?.name ?? '', object?.table ?? '')
  if (computing.kind === 'not-possible') return computing.why
  try {
    for (const values of computedEntries(db, computing)) add(values)
    return null
  } catch (error) {
    return String(error)
  }
}
