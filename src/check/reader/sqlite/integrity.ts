/** Child side: SQLite's own word, whole where it gives it, else table by table (check/README.md, blind spots). */
import type Database from 'better-sqlite3'
import type { Fact, SchemaObject } from '../../../model/result/reading.ts'
import type { Skipped } from '../../../model/result/verdict.ts'
import { troubleOf } from '../schema/unknown-parts.ts'
import { quoteName, thrownFact } from './open-database.ts'

/** SQLite stops after so many messages; more tell nobody anything. */
const messagesMax = 10_000
/** Tables that are looked at one by one where the whole did not work out. */
const tablesMax = 20_000
/**
 * Of SQLite's page cache. A quick check goes through the file and never back to a page: what is larger than the
 * processor's own cache only took an eighth of its time, and the memory. What looks up rows needs the usual one.
 */
const cacheKilobytes = { quick: 400, usual: 16_000 }

export interface Word {
  readonly facts: readonly Fact[]
  readonly skipped: readonly Skipped[]
  readonly whole: boolean
}

export interface Asked {
  readonly depth: 'quick' | 'full'
  readonly objects: readonly SchemaObject[]
  /** Each table by itself: SQLite does not know all of them, and would call the pages of the others lost. */
  readonly apart: boolean
}

export function askSqlite(db: Database.Database, { depth, objects, apart }: Asked): Word {
  const pragma = depth === 'quick' ? 'quick_check' : 'integrity_check'
  // Rescues the free list where SQLite's check is silently partial.
  const schema = ask(db, 'integrity_check(sqlite_schema)', 'integrity_check(sqlite_schema)', null)
  if (apart) {
    const tables = askEachTable(db, pragma, objects)
    return {
      facts: [...schema.messages, ...unheard(tables.facts, schema.messages), ...thrownOf(schema)],
      skipped: tables.skipped,
      whole: tables.skipped.length === 0,
    }
  }
  const whole = ask(db, `${pragma}(${messagesMax})`, pragma, null)
  const facts = [...whole.messages, ...unheard(schema.messages, whole.messages)]
  if (whole.thrown === null)
    return { facts: [...facts, ...thrownOf(schema)], skipped: whole.cut ? [tooMany] : [], whole: !whole.cut }
  const tables = askEachTable(db, pragma, objects)
  const all = [...facts, ...unheard(tables.facts, facts), ...thrownOf(schema)]
  // What the whole check broke off for is told by the table that it is about; damage is told in any case.
  const told = !whole.thrown.code.startsWith('SQLITE_CORRUPT') && tables.facts.some((fact) => fact.kind === 'thrown')
  return { facts: told ? all : [...all, whole.thrown], skipped: tables.skipped, whole: false }
}

/** The full check of single tables, whatever the whole has said. */
export function askTables(db: Database.Database, tables: readonly string[]): Word {
  const { facts, skipped } = askEach(db, 'integrity_check', tables)
  return { facts, skipped, whole: skipped.length === 0 }
}

const tooMany: Skipped = {
  object: 'messages',
  why: `SQLite has more than ${messagesMax} complaints; the rest of them was not listened to`,
}

type Thrown = Fact & { kind: 'thrown' }
interface Heard {
  readonly messages: readonly Fact[]
  readonly thrown: Thrown | null
  readonly cut: boolean
}

/**
 * Runs one of the checking pragmas. Rows that come before an error are kept: SQLite says what it found, and then
 * throws.
 */
function ask(db: Database.Database, pragma: string, during: string, object: string | null): Heard {
  const messages: Fact[] = []
  let thrown: Thrown | null = null
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
    // A schema that cannot be read says so over every question; here none was asked.
    thrownFact(error, 'quick_check', null)
  }
}

/** The b-tree part comes as one row: a heading and a line for each message. */
function linesOf(row: string): readonly Fact[] {
  if (row === 'ok') return []
  // A name in a message may hold a newline of its own, so only the b-tree part is split.
  const lines = row.startsWith('*** in database ') ? row.split('\n').slice(1) : [row]
  return lines.filter((text) => text !== '').map((text) => ({ kind: 'message', text }))
}

function askEachTable(
  db: Database.Database,
  pragma: string,
  objects: readonly SchemaObject[],
): { readonly facts: readonly Fact[]; readonly skipped: readonly Skipped[] } {
  const tables = objects.filter((object) => object.kind === 'table' || object.kind === 'virtual-table')
  return askEach(
    db,
    pragma,
    tables.map(({ name }) => name),
  )
}

function askEach(
  db: Database.Database,
  pragma: string,
  tables: readonly string[],
): { readonly facts: readonly Fact[]; readonly skipped: readonly Skipped[] } {
  const facts: Fact[] = []
  const skipped: Skipped[] = tables
    .slice(tablesMax)
    .map((name) => ({ object: name, why: 'too many tables to look at one by one' }))
  for (const name of tables.slice(0, tablesMax)) {
    const heard = ask(db, `${pragma}(${quoteName(name)})`, pragma, name)
    facts.push(...heard.messages)
    if (heard.thrown === null) continue
    const thrown = explained(db, name, heard.thrown)
    facts.push(thrown)
    skipped.push({ object: name, why: thrown.text })
    // Without what SQL must compute, the structure can still be looked at.
    if (pragma === 'integrity_check')
      facts.push(...ask(db, `quick_check(${quoteName(name)})`, 'quick_check', name).messages)
  }
  return { facts, skipped }
}

/** SQLite's words for what it does not explain. */
const logicError = 'SQL logic error'

function explained(db: Database.Database, name: string, thrown: Thrown): Thrown {
  return thrown.text === logicError ? { ...thrown, text: troubleOf(db, name) ?? thrown.text } : thrown
}

const thrownOf = (heard: Heard): readonly Fact[] => (heard.thrown === null ? [] : [heard.thrown])

/**
 * The same message from two questions is one fact; the same message twice from one question is two rows of which SQLite
 * says the same.
 */
function unheard(facts: readonly Fact[], heard: readonly Fact[]): readonly Fact[] {
  const known = new Set(heard.map((fact) => JSON.stringify(fact)))
  return facts.filter((fact) => !known.has(JSON.stringify(fact)))
}
