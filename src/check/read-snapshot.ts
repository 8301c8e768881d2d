/** One snapshot read from beginning to end: what was learnt before something broke off is kept. */
import type { CensusPlan } from '../census/plan.ts'
import type { CensusTally } from '../census/scan/tally.ts'
import type { Reading, SchemaObject } from '../model/result/reading.ts'
import type { Skipped } from '../model/result/verdict.ts'
import { isEmptyDatabase } from '../sqlite/header.ts'
import { accountForPages } from './account-for-pages.ts'
import { beginCounting, countBeside, countRanges, lessSeen } from './count-pages.ts'
import type { Counting } from './count-pages.ts'
import { virtualTables } from './protocol.ts'
import type { AnswerOf, InspectedFile, InspectedFiles, QuestionOf } from './protocol.ts'
import { pagesNamed } from './reader/pages/pages-named.ts'
import { nameByCensus } from './reader/sqlite/name-by-census.ts'
import { ReadingBuilder } from './reading-builder.ts'
import type { Reader, ReadingLimits } from './reading-builder.ts'

/** The children of one reading. Small snapshots are read by one child alone, which then has both parts. */
export interface ReaderSet extends Pick<Reading, 'sqliteVersion' | 'walls'> {
  /** Reads pages: accounts for them, counts them, compares. */
  readonly pages: Reader
  /** Asks SQLite. */
  readonly sqlite: Reader
  /** Count pages beside `pages`. */
  readonly helpers: readonly Reader[]
}

/** Snapshots up to here are read with one question: some ten milliseconds of work. */
export const oneChildBytesMax = 8_000_000

export async function readSnapshot(readers: ReaderSet, limits: ReadingLimits): Promise<Reading> {
  const reading = new ReadingBuilder(readers, limits)
  if (readers.sqlite === readers.pages) await reading.beginAtOnce(readers.pages, oneChildBytesMax)
  const look = await reading.step(readers.sqlite, { step: 'look' })
  if (look !== null) await readFiles(reading, readers, look)
  return reading.result()
}

async function readFiles(reading: ReadingBuilder, readers: ReaderSet, look: InspectedFiles): Promise<void> {
  takeFile(reading, look.file)
  reading.found(look.findings)
  for (const { object, why } of look.skipped) reading.skip(object, why)
  const companions = look.companions.length > 0
  if (companions) reading.recovered = { companions: look.companions, pagesChanged: null, without: null }
  // SQLite would delete what lies beside it.
  if (isEmptyDatabase(look.file.fileBytes)) return reading.skip('file', 'it is empty')
  if (look.superJournal !== null) {
    // SQLite would look for the super-journal by its absolute path, and delete the live one or take the snapshot's
    // transaction for committed.
    reading.skip(
      'journal',
      'it belongs to a transaction over several files ' +
        `(${JSON.stringify(look.superJournal)}) and cannot be rolled back here`,
    )
    return
  }
  const settled = await reading.step(readers.sqlite, { step: 'settle', keep: companions })
  // The live set counts, not the file by itself: what was wrong with its header before may be right afterwards.
  const file = settled?.file ?? look.file
  takeFile(reading, file)
  if (file.notUnderstood !== null) {
    reading.skip('header', file.notUnderstood.why)
    // What SQLite says of a format that it does not know is no damage.
    if (file.notUnderstood.readable === 'nothing') return
  }
  reading.facts.push(...(settled?.facts ?? []))
  if (settled !== null || !companions) reading.found(file.findings)
  if (companions)
    reading.recovered = { companions: look.companions, pagesChanged: settled?.pagesChanged ?? null, without: null }
  const readable = settled?.settled === true || !(look.hotJournal || look.walCommits)
  if (!readable)
    reading.skip(
      'pages',
      `the ${look.hotJournal ? 'journal' : 'write-ahead log'} could not be ` +
        'written back, so the pages of the file are not the database',
    )
  const { depth, engine } = reading.limits
  // SQLite that died over opening dies again.
  if (settled === null) await (readable ? accountForPages(reading, readers.pages) : null)
  else if (depth === 'full' && engine === 'census' && readable) await readWithCensus(reading, readers)
  else await readWithSqlite(reading, readers, readable)
  await nameOwners(reading, readers.pages)
}

function takeFile(reading: ReadingBuilder, { pages, pageSize, writtenBy }: InspectedFile): void {
  reading.writtenBy = writtenBy
  reading.pages = pages
  reading.pageSize = pageSize
}

/** SQLite's word alone. */
async function readWithSqlite(reading: ReadingBuilder, { pages, sqlite }: ReaderSet, readable: boolean): Promise<void> {
  const { depth } = reading.limits
  if (readable) await accountForPages(reading, pages)
  const word = await SqliteWord.open(reading, sqlite)
  if (word === null) return readable ? takeObjectsFromPages(reading, pages) : undefined
  if (depth === 'quick') return word.check(depth).then(() => {})
  await word.compareAll()
  await word.nameRows()
  await word.askForeignKeys()
  await word.countRows()
}

/**
 * SQLite's quick check and the census. Whatever the census cannot decide SQLite decides by its full check, so that
 * nothing is called sound that was not compared.
 */
async function readWithCensus(reading: ReadingBuilder, readers: ReaderSet): Promise<void> {
  const { pages, sqlite } = readers
  const alone = pages === sqlite
  if (alone) await accountForPages(reading, pages)
  const word = await SqliteWord.open(reading, sqlite)
  if (word === null) {
    if (!alone) await accountForPages(reading, pages)
    return takeObjectsFromPages(reading, pages)
  }
  const counted = await (alone ? countAlone(reading, pages, word) : countTogether(reading, readers, word))
  if (counted) await word.decide()
  // SQLite finds overflow pages by the pointer map: where that is wrong, what it can read of the rows is another
  // question than what stands on their pages.
  const mapWrong = reading.facts.some((fact) => fact.kind === 'found' && fact.finding.rule === 'pointer-map-wrong')
  if (counted && mapWrong) await word.check('full')
  if (counted) return
  await word.compareAll()
  await word.countRows()
}

async function countAlone(reading: ReadingBuilder, child: Reader, word: SqliteWord): Promise<boolean> {
  const counting = beginCensus(reading, word)
  // The census comes first: it is lost with the child, SQLite's word can be asked of another.
  const scanned = counting !== null && (await countRanges(reading, child, counting))
  if (!scanned) word.lost()
  const counted = scanned && (await word.compare(counting, []))
  await word.askQuickly()
  return counted
}

async function countTogether(
  reading: ReadingBuilder,
  { pages, helpers }: ReaderSet,
  word: SqliteWord,
): Promise<boolean> {
  const counting = beginCensus(reading, word)
  if (counting === null) {
    await Promise.all([accountForPages(reading, pages), word.askQuickly()])
    return false
  }
  const [, ...tallies] = await Promise.all([
    word.askQuickly(),
    accountForPages(reading, pages).then(() => countBeside(reading, pages, counting)),
    ...helpers.map((helper) => countBeside(reading, helper, counting)),
  ])
  const all = tallies.filter((tally) => tally !== null)
  // Where a child is lost, nobody has counted its pages.
  return all.length === tallies.length && word.compare(counting, all)
}

/** null where there is nothing to go by, which is said. */
function beginCensus(reading: ReadingBuilder, { plan, planTrouble }: SqliteWord): Counting | null {
  if (plan === null) reading.skip('census', lessSeen(planTrouble ?? 'there is no plan for it'))
  return plan === null ? null : beginCounting(plan)
}

/** The schema could not be read by SQLite: what can be read of it must do. */
async function takeObjectsFromPages(reading: ReadingBuilder, pages: Reader): Promise<void> {
  reading.objects = (await reading.step(pages, { step: 'objects' }))?.objects ?? []
}

async function nameOwners(reading: ReadingBuilder, pages: Reader): Promise<void> {
  // With a child its owner map went.
  if (reading.facts.some((fact) => fact.kind === 'child-ended')) return
  const answer = await reading.step(pages, {
    step: 'finish',
    pages: pagesNamed(reading.facts),
    digesting: reading.limits.digesting,
  })
  reading.owners = answer?.owners ?? new Map()
  reading.digested = answer?.digested ?? { kind: 'not-digested' }
}

type SqliteStep = 'integrity' | 'compareBySqlite' | 'foreignKeys'

/** SQLite's word on an opened schema. When the child dies over a question, a fresh one opens the schema again. */
class SqliteWord {
  readonly plan: CensusPlan | null
  /** Why there is none. */
  readonly planTrouble: string | null
  readonly #reading: ReadingBuilder
  readonly #child: Reader
  readonly #virtual: readonly string[]
  /** Objects of which SQLite knows all. */
  readonly #objects: readonly SchemaObject[]
  readonly #apart: boolean
  #opened = true

  private constructor(reading: ReadingBuilder, child: Reader, schema: AnswerOf<'schema'>) {
    this.#reading = reading
    this.#child = child
    this.plan = schema.plan
    this.planTrouble = schema.planTrouble
    const refused = new Set(schema.refused)
    this.#objects = schema.objects.filter(({ name, table }) => !refused.has(name) && !refused.has(table))
    this.#apart = refused.size > 0
    this.#virtual = virtualTables({ ...schema, objects: this.#objects })
  }

  /** null when SQLite cannot read the schema. */
  static async open(reading: ReadingBuilder, child: Reader): Promise<SqliteWord | null> {
    const schema = await reading.step(child, { step: 'schema' })
    if (schema === null) return null
    reading.objects = schema.objects
    reading.facts.push(...schema.facts)
    reading.skipped.push(...schema.skipped)
    reading.uncounted.push(...schema.uncounted)
    return schema.opened ? new SqliteWord(reading, child, schema) : null
  }

  /** Messages and what was not read go into the reading. @returns what was not read */
  async ask(
    question: QuestionOf<'integrity'> | QuestionOf<'compareBySqlite'> | QuestionOf<'foreignKeys'>,
  ): Promise<readonly Skipped[]> {
    if (!(await this.#reopen())) return []
    const answer = await this.#reading.step<SqliteStep>(this.#child, question)
    if (answer === null) {
      this.lost()
      return []
    }
    this.#reading.facts.push(...answer.facts)
    this.#reading.skipped.push(...answer.skipped)
    if (!answer.whole) this.#reading.complete = false
    return answer.skipped
  }

  /** All that the census leaves to SQLite: structure, types, constraints, virtual tables. */
  async askQuickly(): Promise<void> {
    await this.check('quick')
    if (this.#virtual.length > 0) await this.ask({ step: 'compareBySqlite', tables: this.#virtual })
    await this.askForeignKeys()
  }

  check(depth: 'quick' | 'full'): Promise<readonly Skipped[]> {
    return this.ask({ step: 'integrity', depth, objects: this.#objects, apart: this.#apart })
  }

  async askForeignKeys(): Promise<void> {
    await this.ask({ step: 'foreignKeys', objects: this.#objects })
  }

  /**
   * Its full check of the tables that the census could not decide on. Where that breaks off too, nobody has compared: a
   * collation that is accepted is no excuse.
   */
  async decide(): Promise<void> {
    const { uncounted } = this.#reading
    const tables = [...new Set(uncounted.map(({ table }) => table))]
    if (tables.length === 0) return
    const undecided = new Set((await this.ask({ step: 'compareBySqlite', tables })).map(({ object }) => object))
    for (const { object, table, why } of uncounted)
      this.#reading.skip(
        object,
        undecided.has(table) ? 'neither the census nor SQLite could compare its entries with the rows' : lessSeen(why),
      )
  }

  /** Its full check of everything. Where that breaks off over a collation, more than an order was not checked. */
  async compareAll(): Promise<void> {
    const indexed = new Set(this.#objects.flatMap(({ kind, table }) => (kind === 'index' ? [table] : [])))
    for (const { object, why } of await this.check('full')) {
      if (indexed.has(object) && /\bcollation\b/i.test(why))
        this.#reading.skip(object, 'SQLite broke off before it had compared its rows with its indexes')
    }
  }

  /** The rows of what SQLite said of indexes. */
  async nameRows(): Promise<void> {
    if (this.plan === null || !(await this.#reopen())) return
    this.#reading.found(await nameByCensus(this.#reading, this.#child, this.plan))
  }

  /** The last part of the census, which needs both pages and SQL. False when it did not come to its end. */
  async compare({ plan, key }: Counting, tallies: readonly CensusTally[]): Promise<boolean> {
    if (!(await this.#reopen())) return false
    const reading = this.#reading
    const { map, showValues } = reading.limits
    const answer = await reading.step(this.#child, { step: 'compare', plan, key, map, showValues, tallies })
    if (answer === null) {
      this.lost()
      return false
    }
    reading.found(answer.findings)
    reading.skipped.push(...answer.skipped)
    reading.uncounted.push(...answer.uncounted)
    reading.content = answer.content
    reading.rowCounts = answer.rowCounts
    reading.entries = answer.entries ?? reading.entries
    return true
  }

  async countRows(): Promise<void> {
    if (!(await this.#reopen())) return
    const counted = await this.#reading.step(this.#child, { step: 'count', objects: this.#objects })
    if (counted === null) return this.lost()
    this.#reading.facts.push(...counted.facts)
    this.#reading.content = counted.content
  }

  /** The child has lost its state: the next question opens the schema again. */
  lost(): void {
    this.#opened = false
  }

  async #reopen(): Promise<boolean> {
    if (this.#opened) return true
    this.#opened = (await this.#reading.step(this.#child, { step: 'schema' }))?.opened === true
    return this.#opened
  }
}
