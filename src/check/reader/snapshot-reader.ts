/**
 * Child side: answers the questions of the protocol, one after the other. Runs in reader-child.ts only, because a
 * hostile file may make SQLite crash, hang or take all memory.
 */
import { join } from 'node:path'
import Database from 'better-sqlite3'
import type { CompiledCore } from '../../census/fast/compiled-core.ts'
import type { CensusPlan } from '../../census/plan.ts'
import { invariant } from '../../model/bug.ts'
import { recoveredName } from '../protocol.ts'
import type { ReaderAnswer, AnswerOf, ReaderQuestion, QuestionOf, SingleStep } from '../protocol.ts'
import { answerAllSteps } from './answer-all-steps.ts'
import { bringCompanionsBack, putPagesBack } from './before-recovery.ts'
import { confineChild } from './confine-child.ts'
import type { ProcessConfiner } from './confine-child.ts'
import { findCountDifferences } from './find-differences.ts'
import { inspectSnapshotFiles } from './inspect-files.ts'
import { loadCore } from './pages/compiled-core.ts'
import { verifyChecksums } from './pages/page-checksums.ts'
import { counterBytes, PageCounter } from './pages/page-counter.ts'
import { PageFile } from './pages/page-file.ts'
import { PageReader } from './pages/page-reader.ts'
import { judgeSample } from './pages/sample-pages.ts'
import { recoverSnapshot } from './recover.ts'
import { countRows, findOrphans } from './row-counts.ts'
import { describeSchema } from './schema/describe-schema.ts'
import { readSchema } from './schema/read-schema.ts'
import { SchemaCache } from './schema/schema-cache.ts'
import { objectsFromPages } from './schema/schema-objects.ts'
import { askRule } from './sqlite/ask-rule.ts'
import { checkIntegrity, checkTables } from './sqlite/integrity.ts'
import { nameRows } from './sqlite/name-rows.ts'
import { thrownFact } from './sqlite/open-database.ts'
import { tableRowsBytes, TableRowReader } from './table-rows.ts'

export class SnapshotReader {
  readonly #confining: ProcessConfiner
  readonly #schemas = new SchemaCache()
  #folder: string | null = null
  #sqliteVersion = ''
  #pages: PageReader | null = null
  #sqlite: Database.Database | null = null
  #counter: PageCounter | null = null
  #pageFile: PageFile | null = null
  #core: CompiledCore | null = null
  #planned: CensusPlan | null = null
  #rows: TableRowReader | null = null

  constructor(confining: ProcessConfiner) {
    this.#confining = confining
  }

  /** Only `allSteps` is answered later. @throws what a step throws */
  answer(question: ReaderQuestion): ReaderAnswer | Promise<ReaderAnswer> {
    return question.step === 'allSteps' ? this.#answerAllSteps(question) : this.#answerStep(question)
  }

  async #answerAllSteps(question: QuestionOf<'allSteps'>): Promise<AnswerOf<'allSteps'>> {
    return { step: 'allSteps', answers: await answerAllSteps((step) => this.#answerStep(step), question) }
  }

  #answerStep(question: SingleStep): ReaderAnswer {
    switch (question.step) {
      case 'confine':
        return this.#confine(question)
      case 'limitFileSize':
        return this.#limitFileSize(question)
      case 'inspect':
        return { step: 'inspect', ...inspectSnapshotFiles(this.#database(), this.#sqliteVersion) }
      case 'checksums':
        return { step: 'checksums', ...verifyChecksums(this.#database()) }
      case 'recover':
        return { step: 'recover', ...recoverSnapshot(this.#database(), question.keep, this.#sqliteVersion) }
      case 'undoRecovery':
        return { step: 'undoRecovery', done: putPagesBack(this.#database()) }
      case 'restoreCompanions':
        return this.#restoreCompanions()
      case 'account':
        return this.#account(question)
      case 'schema':
        return this.#readSchema()
      case 'objects':
        return { step: 'objects', objects: objectsFromPages(this.#pages?.rows ?? []) }
      case 'plan':
        return this.#plan(question)
      case 'scan':
        return this.#scan(question)
      case 'judgeSample':
        return { step: 'judgeSample', ...judgeSample(this.#requireCounter(), question) }
      case 'tally':
        return { step: 'tally', tally: this.#requireCounter().tally }
      case 'compare':
        return this.#compare(question)
      case 'integrity':
        return this.#checkIntegrity(question)
      case 'compareBySqlite':
        return { step: 'compareBySqlite', ...checkTables(this.#requireDatabase(), question.tables) }
      case 'foreignKeys':
        return {
          step: 'foreignKeys',
          facts: findOrphans(this.#requireDatabase(), question.objects),
          skipped: [],
          complete: true,
        }
      case 'rule':
        return { step: 'rule', said: askRule(this.#database(), question.sql) }
      case 'countRows':
        return { step: 'countRows', ...countRows(this.#requireDatabase(), question.objects) }
      case 'describe':
        return this.#describe()
      case 'beginTable':
        return this.#beginTable(question)
      case 'sumRows':
        return { step: 'sumRows', ...this.#table().sums() }
      case 'collectRows':
        return { step: 'collectRows', ...this.#table().collect(question.wanted, question.rowsMax) }
      case 'nameRows':
        return this.#nameRows(question)
      case 'firstKeys':
        return { step: 'firstKeys', ...this.#table().firstKeys() }
      case 'finish':
        return this.#finish(question)
    }
  }

  #confine({ folder, user }: QuestionOf<'confine'>): AnswerOf<'confine'> {
    invariant(this.#folder === null, 'a reading child is confined once in its life')
    this.#core = loadCore() // Before the sandbox, which does not have its file.
    const { sqliteVersion, confinement } = confineChild(this.#confining, folder, user)
    this.#sqliteVersion = sqliteVersion
    this.#folder = user === null ? folder : '/'
    return { step: 'confine', sqliteVersion, confinement }
  }

  #limitFileSize({ fileBytesMax }: QuestionOf<'limitFileSize'>): AnswerOf<'limitFileSize'> {
    this.#confining.limitFileSize(fileBytesMax)
    return { step: 'limitFileSize' }
  }

  #account({ pagesMax, map, digest, memoryBytesMax }: QuestionOf<'account'>): AnswerOf<'account'> {
    this.#pages ??= new PageReader(this.#database(), (pageSize) => this.#file(pageSize), this.#core)
    return { step: 'account', ...this.#pages.step(pagesMax, map, digest, memoryBytesMax) }
  }

  /** Opens the database with SQLite; closes it first if it was open. */
  #readSchema(): AnswerOf<'schema'> {
    this.#sqlite?.close()
    this.#sqlite = null
    const read = readSchema(this.#database(), this.#schemas)
    this.#sqlite = read.db
    this.#planned = read.answer.plan
    return { step: 'schema', ...read.answer }
  }

  #plan({ plan, key, memoryBytesMax }: QuestionOf<'plan'>): AnswerOf<'plan'> {
    const needed = counterBytes(plan)
    if (needed > memoryBytesMax)
      return { step: 'plan', kind: 'not-possible', why: `the census of this file needs ${Math.ceil(needed / 1e6)} MB` }
    this.#counter = new PageCounter(this.#file(plan.pageSize), plan, key, this.#core)
    return { step: 'plan', kind: 'ready' }
  }

  #scan({ first, last }: QuestionOf<'scan'>): AnswerOf<'scan'> {
    this.#requireCounter().scan(first, last)
    return { step: 'scan' }
  }

  #compare({ plan, key, map, showValues, tallies }: QuestionOf<'compare'>): AnswerOf<'compare'> {
    const counter = (this.#counter ??= new PageCounter(this.#file(plan.pageSize), plan, key, this.#core))
    counter.add(tallies)
    return { step: 'compare', ...findCountDifferences(counter, this.#requireDatabase(), { map, showValues }) }
  }

  #checkIntegrity(question: QuestionOf<'integrity'>): AnswerOf<'integrity'> {
    const checked = checkIntegrity(this.#requireDatabase(), question)
    return {
      step: 'integrity',
      ...checked,
      facts: [...checked.facts, ...nameRows(this.#requireDatabase(), checked.facts, question.objects)],
    }
  }

  #describe(): AnswerOf<'describe'> {
    try {
      return { step: 'describe', kind: 'described', description: describeSchema(this.#requireDatabase()) }
    } catch (error) {
      return { step: 'describe', kind: 'not-possible', why: thrownFact(error, 'describing the schema', null).text }
    }
  }

  #beginTable({ tree, reading, rowsMax, memoryBytesMax }: QuestionOf<'beginTable'>): AnswerOf<'beginTable'> {
    const plan = this.#planned
    invariant(plan !== null, 'the rows of a table are found by the plan of the schema')
    const needed = tableRowsBytes(plan, rowsMax)
    if (needed > memoryBytesMax)
      return {
        step: 'beginTable',
        kind: 'not-possible',
        why: `reading the rows of this file needs ${Math.ceil(needed / 1e6)} MB`,
      }
    this.#rows ??= new TableRowReader(plan, this.#file(plan.pageSize))
    this.#rows.begin(tree, reading)
    return { step: 'beginTable', kind: 'ready' }
  }

  #nameRows({ onlyHere, different }: QuestionOf<'nameRows'>): AnswerOf<'nameRows'> {
    this.#table().name(onlyHere, different)
    return { step: 'nameRows' }
  }

  #finish({ pages, digesting }: QuestionOf<'finish'>): AnswerOf<'finish'> {
    this.#sqlite?.close()
    this.#sqlite = null
    const owners = this.#pages?.ownersOf(pages) ?? new Map<number, number>()
    const digested = this.#pages?.pageDigests(digesting) ?? { kind: 'not-digested' }
    this.#pages = null
    this.#counter = null
    this.#planned = null
    this.#rows = null
    this.#pageFile?.[Symbol.dispose]()
    this.#pageFile = null
    return { step: 'finish', owners, digested }
  }

  #restoreCompanions(): AnswerOf<'restoreCompanions'> {
    bringCompanionsBack(this.#database())
    return { step: 'restoreCompanions' }
  }

  #database(): string {
    invariant(this.#folder !== null, 'a reading child was asked before it was confined')
    return join(this.#folder, recoveredName)
  }

  /** The recovered file: nothing writes to it any more. */
  #file(pageSize: number): PageFile {
    this.#pageFile ??= new PageFile(this.#database(), pageSize)
    return this.#pageFile
  }

  #requireCounter(): PageCounter {
    invariant(this.#counter !== null, 'a reading child needs the plan of the census before it counts')
    return this.#counter
  }

  #table(): TableRowReader {
    invariant(this.#rows !== null, 'a reading child begins with a table before it reads its rows')
    return this.#rows
  }

  #requireDatabase(): Database.Database {
    invariant(this.#sqlite !== null, 'a reading child reads the schema before it asks SQLite')
    return this.#sqlite
  }
}
