/**
 * Child side: lists all entries of indexes that a rebuild would drop, because the table has no row for them, or one
 * with other values. If the table is what is wrong, they are the only copy of their values.
 */
import { randomInt } from 'node:crypto'
import { closeSync, openSync, writeSync } from 'node:fs'
import Database from 'better-sqlite3'
import { EntryNamer } from '../../../census/differences/entry-namer.ts'
import { salvageColumnsOf } from '../../../census/differences/salvage.ts'
import { DifferenceSearch } from '../../../census/differences/search.ts'
import type { CompiledCore } from '../../../census/fast/compiled-core.ts'
import type { CensusPlan, IndexPlan } from '../../../census/plan.ts'
import { addComputed, runPass } from '../../../check/reader/find-differences.ts'
import { counterBytes, PageCounter } from '../../../check/reader/pages/page-counter.ts'
import { PageFile } from '../../../check/reader/pages/page-file.ts'
import { readSchema } from '../../../check/reader/schema/read-schema.ts'
import { SchemaCache } from '../../../check/reader/schema/schema-cache.ts'
import type { DroppedEntry } from '../../../model/result/account.ts'
import { notDoneBecause, refusedBySqlite } from '../../worker/child/not-done.ts'
import { droppedLineBytesMax } from '../protocol.ts'
import type { MenderSteps } from '../protocol.ts'

type ListOutcome = MenderSteps['listDropped']['answer']['listed']

interface ListTerms {
  readonly indexes: readonly string[]
  readonly memoryBytesMax: number
  readonly core: CompiledCore | null
}

/** @param to the file to write; it does not exist */
export function listDropped(database: string, to: string, listing: ListTerms): ListOutcome {
  const { db, answer } = readSchema(database, new SchemaCache())
  try {
    if (db === null || answer.plan === null) return notDoneBecause(answer.noPlanWhy ?? 'SQLite cannot read the schema')
    if (counterBytes(answer.plan) > listing.memoryBytesMax)
      return notDoneBecause('it needs more memory than check.memory allows')
    return list(db, answer.plan, database, to, listing)
  } catch (error) {
    return refusedBySqlite(error)
  } finally {
    db?.close()
  }
}

function list(
  db: Database.Database,
  plan: CensusPlan,
  database: string,
  to: string,
  { indexes, core }: ListTerms,
): ListOutcome {
  const wanted = new Set(indexes.map((name) => positionOf(plan, name)))
  if (wanted.has(-1)) return notDoneBecause('an index has a collation or a function that is not known here')
  using file = new PageFile(database, plan.pageSize)
  const counter = new PageCounter(file, plan, [randomInt(2 ** 32), randomInt(2 ** 32)], core)
  counter.scan(1, plan.pages)
  const { queries, uncounted } = addComputed(counter, db)
  const failed = uncounted.find(({ tree }) => wanted.has(tree))
  if (failed !== undefined) return notDoneBecause(`${failed.object}: ${failed.why}`)
  const unread = [...counter.tally.unread].find(([tree]) => isPartOf(plan, tree, wanted))
  if (unread !== undefined) return notDoneBecause(unread[1])
  forgetOthers(counter, wanted)
  const search = new DifferenceSearch(plan, counter.owners, counter.tally)
  using lines = new LineWriter(to)
  const namer = new EntryNamer(plan, file, false)
  for (const pass of search.passes(file)) {
    runPass(counter, db, pass, queries, (tree, entry) => {
      const index = plan.trees[tree]
      if (entry.sign === -1 && index?.kind === 'index') lines.write(droppedEntry(plan, index, namer, entry))
    })
  }
  if (lines.tooLong) return notDoneBecause('one of them is too long')
  if (!search.complete) return notDoneBecause('there are more of them than one run can list')
  return { kind: 'listed', total: lines.total }
}

const positionOf = (plan: CensusPlan, name: string): number =>
  plan.trees.findIndex((tree) => tree.kind === 'index' && tree.object.name === name)

/** True for a wanted index, and for its table. */
const isPartOf = ({ trees }: CensusPlan, tree: number, wanted: ReadonlySet<number>): boolean =>
  [...wanted].some((one) => {
    const index = trees[one]
    return one === tree || (index?.kind === 'index' && index.table === tree)
  })

/** Only the sums of the wanted indexes are searched. */
function forgetOthers({ plan, tally }: PageCounter, wanted: ReadonlySet<number>): void {
  const each = tally.sums.length / plan.trees.length
  for (let tree = 0; tree < plan.trees.length; tree++)
    if (!wanted.has(tree)) tally.sums.fill(0, tree * each, (tree + 1) * each)
}

function droppedEntry(
  plan: CensusPlan,
  index: IndexPlan,
  namer: EntryNamer,
  entry: Parameters<EntryNamer['name']>[1],
): DroppedEntry {
  const { key } = namer.name(index, entry)
  const parts = key === null ? [] : namer.partsOf(index)
  const { positions, columns } = salvageColumnsOf(plan, index)
  return {
    index: index.object.name,
    key,
    columns: key === null ? [] : columns,
    values: key === null ? [] : positions.map((i) => parts[i] ?? null),
  }
}

/** Writes one JSON document a line, some of them together. */
class LineWriter implements Disposable {
  total = 0
  /** True if an entry could not be written. */
  tooLong = false
  readonly #file: number
  #waiting = ''

  constructor(path: string) {
    this.#file = openSync(path, 'wx', 0o600)
  }

  write(value: DroppedEntry): void {
    const line = `${JSON.stringify(value)}\n`
    this.total++
    if (Buffer.byteLength(line) > droppedLineBytesMax) this.tooLong = true
    else this.#waiting += line
    if (this.#waiting.length > 65_536) this.#flush()
  }

  #flush(): void {
    const bytes = Buffer.from(this.#waiting)
    this.#waiting = ''
    for (let written = 0; written < bytes.length;) written += writeSync(this.#file, bytes, written)
  }

  [Symbol.dispose](): void {
    try {
      this.#flush()
    } finally {
      closeSync(this.#file)
    }
  }
}
