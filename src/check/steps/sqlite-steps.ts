/** The steps that ask SQLite about an opened schema. Each puts its answer into the reading. */
import type { CensusPlan, TextEncoding } from '../../census/plan.ts'
import type { CensusTally } from '../../census/scan/tally.ts'
import type { SchemaObject } from '../../model/result/reading.ts'
import type { SkippedObject, TextEncodingName } from '../../model/result/verdict.ts'
import type { AnswerOf, QuestionOf, Reader } from '../protocol.ts'
import type { ReadingBuilder } from '../reading-builder.ts'
import { virtualTables } from '../step-answers.ts'
import { whyLessWasChecked } from './census-steps.ts'
import type { CountTask } from './census-steps.ts'
import { nameByCensus } from './name-by-census.ts'

const encodingNames: Readonly<Record<TextEncoding, TextEncodingName>> = { 1: 'UTF-8', 2: 'UTF-16le', 3: 'UTF-16be' }

type IntegrityStep = 'integrity' | 'compareBySqlite' | 'foreignKeys'

/** If the process dies over a question, the next question opens the schema again, in a fresh process. */
export class SqliteSteps {
  readonly plan: CensusPlan | null
  /** Why there is no plan; null if there is one. */
  readonly noPlanWhy: string | null
  readonly #reading: ReadingBuilder
  readonly #reader: Reader
  readonly #virtualTables: readonly string[]
  /** Objects that SQLite has read completely. */
  readonly #objects: readonly SchemaObject[]
  readonly #tableByTable: boolean
  #opened = true

  private constructor(reading: ReadingBuilder, reader: Reader, schema: AnswerOf<'schema'>) {
    this.#reading = reading
    this.#reader = reader
    this.plan = schema.plan
    this.noPlanWhy = schema.noPlanWhy
    const refused = new Set(schema.refused)
    this.#objects = schema.objects.filter(({ name, table }) => !refused.has(name) && !refused.has(table))
    this.#tableByTable = refused.size > 0
    this.#virtualTables = virtualTables({ ...schema, objects: this.#objects })
  }

  /** Runs the step `schema`. @returns null if SQLite cannot read the schema */
  static async runSchema(reading: ReadingBuilder, reader: Reader): Promise<SqliteSteps | null> {
    const schema = await reading.step(reader, { step: 'schema' })
    if (schema === null) return null
    reading.objects = schema.objects
    reading.schema = schema.digest
    reading.encoding = schema.plan === null ? null : encodingNames[schema.plan.encoding]
    reading.facts.push(...schema.facts)
    reading.skipped.push(...schema.skipped)
    reading.uncounted.push(...schema.uncounted)
    return schema.opened ? new SqliteSteps(reading, reader, schema) : null
  }

  /** @returns what was not read */
  runIntegrity(depth: 'quick' | 'full'): Promise<readonly SkippedObject[]> {
    return this.#ask({ step: 'integrity', depth, objects: this.#objects, tableByTable: this.#tableByTable })
  }

  /**
   * SQLite's full check of everything. If it breaks off over a collation or a function, more was not checked than what
   * needs these.
   */
  async runFullIntegrity(): Promise<void> {
    const indexed = new Set(this.#objects.flatMap(({ kind, table }) => (kind === 'index' ? [table] : [])))
    for (const { object, why } of await this.runIntegrity('full')) {
      if (indexed.has(object) && /\b(?:collation|function)\b/i.test(why))
        this.#reading.skip(object, 'SQLite broke off before it had compared its rows with its indexes')
    }
  }

  /** Runs the step `compareBySqlite` if there are virtual tables. */
  async compareVirtualTables(): Promise<void> {
    if (this.#virtualTables.length > 0) await this.#ask({ step: 'compareBySqlite', tables: this.#virtualTables })
  }

  /**
   * Runs the step `compareBySqlite` for the tables that the census could not decide on. If SQLite breaks off too, then
   * nothing has compared the table, and an accepted collation does not excuse that.
   */
  async decideUncounted(): Promise<void> {
    const { uncounted } = this.#reading
    const tables = [...new Set(uncounted.map(({ table }) => table))]
    if (tables.length === 0) return
    const undecided = new Set((await this.#ask({ step: 'compareBySqlite', tables })).map(({ object }) => object))
    for (const { object, table, why } of uncounted)
      this.#reading.skip(
        object,
        undecided.has(table)
          ? 'neither the census nor SQLite could compare its entries with the rows'
          : whyLessWasChecked(why),
      )
  }

  async runForeignKeys(): Promise<void> {
    await this.#ask({ step: 'foreignKeys', objects: this.#objects })
  }

  /** Names the rows behind SQLite's messages about indexes. */
  async nameRowsByCensus(): Promise<void> {
    if (this.plan === null || !(await this.#reopen())) return
    this.#reading.addFindings(await nameByCensus(this.#reading, this.#reader, this.plan))
  }

  /**
   * Runs the step `compare`, the last part of the census, which needs both pages and SQLite.
   * @returns false if there was no answer
   */
  async runCompare({ plan }: CountTask, tallies: readonly CensusTally[]): Promise<boolean> {
    if (!(await this.#reopen())) return false
    const reading = this.#reading
    const { map, showValues } = reading.limits
    const answer = await reading.step(this.#reader, {
      step: 'compare',
      plan,
      key: reading.key,
      map,
      showValues,
      tallies,
    })
    if (answer === null) {
      this.reopenLater()
      return false
    }
    reading.addFindings(answer.findings)
    reading.skipped.push(...answer.skipped)
    reading.uncounted.push(...answer.uncounted)
    reading.content = answer.content
    reading.rowCounts = answer.rowCounts
    reading.entries = answer.entries ?? reading.entries
    return true
  }

  async runCountRows(): Promise<void> {
    if (!(await this.#reopen())) return
    const counted = await this.#reading.step(this.#reader, { step: 'countRows', objects: this.#objects })
    if (counted === null) return this.reopenLater()
    this.#reading.facts.push(...counted.facts)
    this.#reading.content = counted.content
  }

  /** The process is lost, and the opened schema with it. */
  reopenLater(): void {
    this.#opened = false
  }

  /** @returns what was not read */
  async #ask(
    question: QuestionOf<'integrity'> | QuestionOf<'compareBySqlite'> | QuestionOf<'foreignKeys'>,
  ): Promise<readonly SkippedObject[]> {
    if (!(await this.#reopen())) return []
    const answer = await this.#reading.step<IntegrityStep>(this.#reader, question)
    if (answer === null) {
      this.reopenLater()
      return []
    }
    this.#reading.facts.push(...answer.facts)
    this.#reading.skipped.push(...answer.skipped)
    if (!answer.complete) this.#reading.complete = false
    return answer.skipped
  }

  async #reopen(): Promise<boolean> {
    if (this.#opened) return true
    this.#opened = (await this.#reading.step(this.#reader, { step: 'schema' }))?.opened === true
    return this.#opened
  }
}
