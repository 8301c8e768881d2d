/**
 * Child side: answers the steps of one reading after the other. Runs in reader-child.ts only, because SQLite may crash,
 * hang or grow over a hostile file.
 */
import { join } from 'node:path'
import Database from 'better-sqlite3'
import type { CompiledCore } from '../../census/fast/compiled-core.ts'
import type { CensusPlan } from '../../census/plan.ts'
import { CannotConfine } from '../../host/process/confine.ts'
import { invariant } from '../../model/bug.ts'
import type { Wall } from '../../model/result/reading.ts'
import type { User } from '../confinement.ts'
import { recoveredName } from '../protocol.ts'
import type { ReaderAnswer, AnswerOf, Confinement, ReaderQuestion, QuestionOf } from '../protocol.ts'
import { bringCompanionsBack, putPagesBack } from './before-recovery.ts'
import { findCountDifferences } from './find-differences.ts'
import { inspectFiles } from './inspect-files.ts'
import { loadCore } from './pages/compiled-core.ts'
import { countingBytes, PageCounter } from './pages/page-counter.ts'
import { PageFile } from './pages/page-file.ts'
import { PageReader } from './pages/page-reader.ts'
import { readInOneGo } from './read-at-once.ts'
import { recoverSnapshot } from './recover.ts'
import { countRows, findOrphans } from './row-counts.ts'
import { describeSchema } from './schema/describe-schema.ts'
import { readSchema } from './schema/read-schema.ts'
import { SchemaCache } from './schema/schema-cache.ts'
import { objectsFromPages } from './schema/schema-objects.ts'
import { askSqlite, askTables } from './sqlite/integrity.ts'
import { nameRows } from './sqlite/name-rows.ts'
import { thrownFact } from './sqlite/open-database.ts'
import { tableRowsBytes, TableRowReader } from './table-rows.ts'

/** How this process is confined to a room, and how the files that it writes are. */
export interface Confining {
  /** @returns the walls that stand @throws {CannotConfine} */
  enter(folder: string, user: User | null): readonly Wall[]
  limitFileSize(bytes: number): void
}

export class SnapshotReader {
  readonly #confining: Confining
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

  constructor(confining: Confining) {
    this.#confining = confining
  }

  answer(question: ReaderQuestion): ReaderAnswer {
    switch (question.step) {
      case 'enter':
        return this.#enter(question)
      case 'limit':
        return this.#limit(question)
      case 'atOnce':
        return { step: 'atOnce', answers: [...readInOneGo((next) => this.answer(next), question)] }
      case 'look':
        return { step: 'look', ...inspectFiles(this.#database(), this.#sqliteVersion) }
      case 'settle':
        return { step: 'settle', ...recoverSnapshot(this.#database(), question.keep, this.#sqliteVersion) }
      case 'putBack':
        return { step: 'putBack', done: putPagesBack(this.#database()) }
      case 'bringBack':
        return this.#bringBack()
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
      case 'tally':
        return { step: 'tally', tally: this.#counting().tally }
      case 'compare':
        return this.#compare(question)
      case 'integrity':
        return this.#askSqlite(question)
      case 'compareBySqlite':
        return { step: 'compareBySqlite', ...askTables(this.#opened(), question.tables) }
      case 'foreignKeys':
        return { step: 'foreignKeys', facts: findOrphans(this.#opened(), question.objects), skipped: [], whole: true }
      case 'count':
        return { step: 'count', ...countRows(this.#opened(), question.objects) }
      case 'describe':
        return this.#describe()
      case 'rows':
        return this.#beginRows(question)
      case 'sumRows':
        return { step: 'sumRows', ...this.#looking().sums() }
      case 'collectRows':
        return { step: 'collectRows', ...this.#looking().collect(question.wanted, question.rowsMax) }
      case 'nameRows':
        return this.#nameRows(question)
      case 'firstKeys':
        return { step: 'firstKeys', ...this.#looking().firstKeys() }
      case 'finish':
        return this.#finish(question)
    }
  }

  #enter({ folder, user }: QuestionOf<'enter'>): AnswerOf<'enter'> {
    invariant(this.#folder === null, 'a reading child enters one room in its life')
    // Loads the compiled core and SQLite's native code, which the room does not have.
    this.#core = loadCore()
    const memory = new Database(':memory:')
    this.#sqliteVersion = memory.prepare<[], string>('SELECT sqlite_version()').pluck().get() ?? ''
    memory.close()
    const confinement = this.#confined(folder, user)
    this.#folder = user === null ? folder : '/'
    return { step: 'enter', sqliteVersion: this.#sqliteVersion, confinement }
  }

  #confined(folder: string, user: User | null): Confinement {
    try {
      return { kind: 'stands', walls: this.#confining.enter(folder, user) }
    } catch (error) {
      if (error instanceof CannotConfine) return { kind: 'refused', why: error.message }
      throw error
    }
  }

  #limit({ fileBytesMax }: QuestionOf<'limit'>): AnswerOf<'limit'> {
    this.#confining.limitFileSize(fileBytesMax)
    return { step: 'limit' }
  }

  #account({ pagesMax, map, digest, memoryBytesMax }: QuestionOf<'account'>): AnswerOf<'account'> {
    this.#pages ??= new PageReader(this.#database(), (pageSize) => this.#file(pageSize), this.#core)
    return { step: 'account', ...this.#pages.step(pagesMax, map, digest, memoryBytesMax) }
  }

  /** Opens the database for SQLite's word, anew if it was open. */
  #readSchema(): AnswerOf<'schema'> {
    this.#sqlite?.close()
    this.#sqlite = null
    const read = readSchema(this.#database(), this.#schemas)
    this.#sqlite = read.db
    this.#planned = read.answer.plan
    return { step: 'schema', ...read.answer }
  }

  #plan({ plan, key, memoryBytesMax }: QuestionOf<'plan'>): AnswerOf<'plan'> {
    const needed = countingBytes(plan)
    if (needed > memoryBytesMax)
      return { step: 'plan', kind: 'not-possible', why: `the census of this file needs ${Math.ceil(needed / 1e6)} MB` }
    this.#counter = new PageCounter(this.#file(plan.pageSize), plan, key, this.#core)
    return { step: 'plan', kind: 'ready' }
  }

  #scan({ first, last }: QuestionOf<'scan'>): AnswerOf<'scan'> {
    this.#counting().scan(first, last)
    return { step: 'scan' }
  }

  #compare({ plan, key, map, showValues, tallies }: QuestionOf<'compare'>): AnswerOf<'compare'> {
    const counter = (this.#counter ??= new PageCounter(this.#file(plan.pageSize), plan, key, this.#core))
    counter.add(tallies)
    return { step: 'compare', ...findCountDifferences(counter, this.#opened(), { map, showValues }) }
  }

  #askSqlite(question: QuestionOf<'integrity'>): AnswerOf<'integrity'> {
    const word = askSqlite(this.#opened(), question)
    return {
      step: 'integrity',
      ...word,
      facts: [...word.facts, ...nameRows(this.#opened(), word.facts, question.objects)],
    }
  }

  #describe(): AnswerOf<'describe'> {
    try {
      return { step: 'describe', kind: 'described', description: describeSchema(this.#opened()) }
    } catch (error) {
      return { step: 'describe', kind: 'not-possible', why: thrownFact(error, 'describing the schema', null).text }
    }
  }

  #beginRows({ tree, reading, rowsMax, memoryBytesMax }: QuestionOf<'rows'>): AnswerOf<'rows'> {
    const plan = this.#planned
    invariant(plan !== null, 'rows are looked at by the plan of the schema')
    const needed = tableRowsBytes(plan, rowsMax)
    if (needed > memoryBytesMax)
      return {
        step: 'rows',
        kind: 'not-possible',
        why: `looking at the rows of this file needs ${Math.ceil(needed / 1e6)} MB`,
      }
    this.#rows ??= new TableRowReader(plan, this.#file(plan.pageSize))
    this.#rows.begin(tree, reading)
    return { step: 'rows', kind: 'ready' }
  }

  #nameRows({ onlyHere, different }: QuestionOf<'nameRows'>): AnswerOf<'nameRows'> {
    this.#looking().name(onlyHere, different)
    return { step: 'nameRows' }
  }

  #finish({ pages, digesting }: QuestionOf<'finish'>): AnswerOf<'finish'> {
    this.#sqlite?.close()
    this.#sqlite = null
    const owners = this.#pages?.ownersOf(pages) ?? new Map<number, number>()
    const digested = this.#pages?.digested(digesting) ?? { kind: 'not-digested' }
    this.#pages = null
    this.#counter = null
    this.#planned = null
    this.#rows = null
    this.#pageFile?.[Symbol.dispose]()
    this.#pageFile = null
    return { step: 'finish', owners, digested }
  }

  #bringBack(): AnswerOf<'bringBack'> {
    bringCompanionsBack(this.#database())
    return { step: 'bringBack' }
  }

  #database(): string {
    invariant(this.#folder !== null, 'a reading child was asked before it entered its room')
    return join(this.#folder, recoveredName)
  }

  /** The settled file: nobody writes it any more. */
  #file(pageSize: number): PageFile {
    this.#pageFile ??= new PageFile(this.#database(), pageSize)
    return this.#pageFile
  }

  #counting(): PageCounter {
    invariant(this.#counter !== null, 'the plan of the census is taken first')
    return this.#counter
  }

  #looking(): TableRowReader {
    invariant(this.#rows !== null, 'a table is begun first')
    return this.#rows
  }

  #opened(): Database.Database {
    invariant(this.#sqlite !== null, 'the schema is read first')
    return this.#sqlite
  }
}
