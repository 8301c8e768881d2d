/** Child side: SQLite's own check: of the whole file, and if that breaks off, table by table (check/README.md). */
import type Database from 'better-sqlite3'
import type { Fact, SchemaObject } from '../../../model/result/reading.ts'
import type { SkippedObject } from '../../../model/result/verdict.ts'
import type { QuestionOf } from '../../protocol.ts'
import type { IntegrityAnswer } from '../../step-answers.ts'
import { whyUnusable } from '../schema/unknown-parts.ts'
import { checkColumns, lacksPart } from './column-checks.ts'
import { quoteName, thrownFact } from './open-database.ts'

/** SQLite stops after so many messages; more help no reader of the report. */
const messagesMax = 10_000
/** Tables that are checked one by one if the check of the whole file breaks off. */
const tablesMax = 20_000
/**
 * SQLite's page cache. A quick check reads each page once, and a cache larger than the processor's own makes it slower
 * (check/README.md, measured). A check that searches for rows needs the usual cache.
 */
const cacheKilobytes = { quick: 400, usual: 16_000 }

type IntegrityQuestion = Pick<QuestionOf<'integrity'>, 'depth' | 'objects' | 'tableByTable'>

export function checkIntegrity(
  db: Database.Database,
  { depth, objects, tableByTable }: IntegrityQuestion,
): IntegrityAnswer {
  const pragma = depth === 'quick' ? 'quick_check' : 'integrity_check'
  // Checks the free list even if SQLite's check of the whole file is silently partial.
  const schema = ask(db, 'integrity_check(sqlite_schema)', 'integrity_check(sqlite_schema)', null)
  // SQLite does not know all tables, and would call the pages of the others lost.
  if (tableByTable) {
    const tables = checkEachTable(db, pragma, objects)
    return {
      facts: [...schema.messages, ...newFacts(tables.facts, schema.messages), ...thrownBy(schema)],
      skipped: tables.skipped,
      complete: tables.skipped.length === 0,
    }
  }
  const whole = ask(db, `${pragma}(${messagesMax})`, pragma, null)
  const facts = [...whole.messages, ...newFacts(schema.messages, whole.messages)]
  if (whole.thrown === null)
    return { facts: [...facts, ...thrownBy(schema)], skipped: whole.cut ? [tooMany] : [], complete: !whole.cut }
  const tables = checkEachTable(db, pragma, objects)
  const all = [...facts, ...newFacts(tables.facts, facts), ...thrownBy(schema)]
  // The table that the whole check broke off over has reported the reason. Damage is reported in any case.
  const reported =
    !whole.thrown.code.startsWith('SQLITE_CORRUPT') && tables.facts.some((fact) => fact.kind === 'thrown')
  return { facts: reported ? all : [...all, whole.thrown], skipped: tables.skipped, complete: false }
}

/** The full check of single tables. */
export function checkTables(db: Database.Database, tables: readonly string[]): IntegrityAnswer {
  const { facts, skipped } = checkEach(db, 'integrity_check', tables)
  return { facts, skipped, complete: skipped.length === 0 }
}

const tooMany: SkippedObject = {
  object: 'messages',
  why: `SQLite has more than ${messagesMax} complaints; the rest of them was not listened to`,
}

type ThrowFact = Fact & { kind: 'thrown' }
interface PragmaResult {
  readonly messages: readonly Fact[]
  readonly thrown: ThrowFact | null
  /** True if SQLite may have more messages. */
  readonly cut: boolean
}

/** Runs a checking pragma. SQLite reports what it has found, and may then throw: the rows before that are kept. */
function ask(db: Database.Database, pragma: string, during: string, object: string | null): PragmaResult {
  const messages: Fact[] = []
  let thrown: ThrowFact | null = null
  const quick = pragma.startsWith('quick_check')
  if (quick) setCache(db, cacheKilobytes.quick)
  try {
    for (const row of db.prepare<[], string | null>(`PRAGMA ${pragma}`).pluck().iterate())
      messages.push(...linesOf(String(row)))
  } catch (error) {
    thrown = thrownFact(error, during, object)
  } finally {
    if (quick) setCache(db, cacheKilobytes.usual)
  }
  return { messages, thrown, cut: messages.length >= messagesMax }
}

function setCache(db: Database.Database, kilobytes: number): void {
  try {
    db.pragma(`cache_size = ${-kilobytes}`)
  } catch (error) {
    // SQLite throws this about a schema that it cannot read. The check itself reports that.
    thrownFact(error, 'quick_check', null)
  }
}

/** Messages about b-trees come as one row: a heading, then a line for each message. */
function linesOf(row: string): readonly Fact[] {
  if (row === 'ok') return []
  // Other rows are not split: a name in them may contain a newline.
  const lines = row.startsWith('*** in database ') ? row.split('\n').slice(1) : [row]
  return lines.filter((text) => text !== '').map((text) => ({ kind: 'message', text }))
}

type TablesResult = Pick<IntegrityAnswer, 'facts' | 'skipped'>

function checkEachTable(db: Database.Database, pragma: string, objects: readonly SchemaObject[]): TablesResult {
  const tables = objects.filter((object) => object.kind === 'table' || object.kind === 'virtual-table')
  return checkEach(
    db,
    pragma,
    tables.map(({ name }) => name),
  )
}

function checkEach(db: Database.Database, pragma: string, tables: readonly string[]): TablesResult {
  const facts: Fact[] = []
  const skipped: SkippedObject[] = tables
    .slice(tablesMax)
    .map((name) => ({ object: name, why: 'too many tables to check one by one' }))
  for (const name of tables.slice(0, tablesMax)) {
    const result = ask(db, `${pragma}(${quoteName(name)})`, pragma, name)
    facts.push(...result.messages)
    if (result.thrown === null) continue
    const thrown = explainError(db, name, result.thrown)
    facts.push(thrown)
    skipped.push({ object: name, why: thrown.text })
    const rest = checkInPart(db, pragma, name, thrown)
    facts.push(...newFacts(rest.facts, result.messages))
    skipped.push(...rest.skipped)
  }
  return { facts, skipped }
}

/** What can still be checked of a table on which SQLite broke off. */
function checkInPart(db: Database.Database, pragma: string, name: string, thrown: ThrowFact): TablesResult {
  const quick = `quick_check(${quoteName(name)})`
  if (!lacksPart(thrown.text)) {
    // The quick check computes nothing by SQL, so it may still check the structure.
    const facts = pragma === 'integrity_check' ? ask(db, quick, 'quick_check', name).messages : []
    return { facts, skipped: [] }
  }
  const unchecked = withoutChecks(db, () => ask(db, quick, 'quick_check', name))
  if (unchecked.thrown === null) return { facts: unchecked.messages, skipped: [] }
  const columns = checkColumns(db, name)
  const facts = [...unchecked.messages, ...newFacts(columns ?? [], unchecked.messages)]
  return { facts, skipped: columns === null ? [{ object: name, why: 'its columns could not be checked' }] : [] }
}

/** Does some work while SQLite checks no CHECK constraints. */
function withoutChecks<Value>(db: Database.Database, work: () => Value): Value {
  db.pragma('ignore_check_constraints = ON')
  try {
    return work()
  } finally {
    db.pragma('ignore_check_constraints = OFF')
  }
}

/** SQLite's text for an error that it does not explain. */
const logicError = 'SQL logic error'

function explainError(db: Database.Database, name: string, thrown: ThrowFact): ThrowFact {
  return thrown.text === logicError ? { ...thrown, text: whyUnusable(db, name) ?? thrown.text } : thrown
}

const thrownBy = (result: PragmaResult): readonly Fact[] => (result.thrown === null ? [] : [result.thrown])

/**
 * The facts that are not among `known`: the same message from two questions is one fact. The same message twice from
 * one question stays two: it is about two rows.
 */
function newFacts(facts: readonly Fact[], known: readonly Fact[]): readonly Fact[] {
  const texts = new Set(known.map((fact) => JSON.stringify(fact)))
  return facts.filter((fact) => !texts.has(JSON.stringify(fact)))
}
