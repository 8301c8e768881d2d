/**
 * Child side: SQLite says how many values of a table are wrong, but not where. A query of ours names the rows. The
 * report shows it, so that a person can run it too.
 */
import Database from 'better-sqlite3'
import type { Finding } from '../../../model/result/finding.ts'
import type { Fact, SchemaObject } from '../../../model/result/reading.ts'
import { count } from '../../../text/count.ts'
import { withLiterals } from '../schema/literals.ts'
import { onOneLine } from '../schema/sql-tokens.ts'
import { checksOf } from './check-constraints.ts'
import { tableNamesOf } from './computed-entries.ts'
import type { TableNames } from './computed-entries.ts'
import { listRows } from './list-rows.ts'
import type { ListedRows } from './list-rows.ts'
import { quoteName } from './open-database.ts'

/** `undeclared-type`: the application may have stored such a value itself. */
type WrongValueKind = 'null' | 'forbidden-type' | 'undeclared-type' | 'check'

interface WrongValues {
  readonly kind: WrongValueKind
  readonly table: string
  /** Columns, each with the condition that finds its wrong values. Empty for CHECK constraints. */
  readonly columns: Map<string, string>
}

/** Types of values that a STRICT column of this type may hold. */
const rightTypes: Readonly<Record<string, string>> = {
  INT: 'integer',
  INTEGER: 'integer',
  REAL: 'real',
  TEXT: 'text',
  BLOB: 'blob',
}

/** SQLite's messages, and the condition that finds their rows. Table and column are at the end of the message. */
const messages: readonly (readonly [RegExp, WrongValueKind, (column: string, match: RegExpExecArray) => string])[] = [
  // Not IS NULL: SQLite would drop it, because the column forbids NULL.
  [/^NULL value in /, 'null', (column) => `typeof(${column}) = 'null'`],
  [
    /^non-(INT|INTEGER|REAL|TEXT|BLOB) value in /,
    'forbidden-type',
    (column, match) => `typeof(${column}) NOT IN ('${rightTypes[match[1] ?? ''] ?? ''}', 'null')`,
  ],
  [/^NUMERIC value in /, 'undeclared-type', (column) => `typeof(${column}) IN ('integer', 'real')`],
  // The column makes a number of such a text before it compares. Every number is less than any text.
  [/^TEXT value in /, 'undeclared-type', (column) => `typeof(${column}) = 'text' AND ${column} < ''`],
  [/^CHECK constraint failed in /, 'check', () => ''],
]

/** @param facts from SQLite @returns findings that name the rows; SQLite's messages stay beside them */
export function nameRows(
  db: Database.Database,
  facts: readonly Fact[],
  objects: readonly SchemaObject[],
): readonly Fact[] {
  return wrongRows(facts, objects).flatMap((wrong): readonly Fact[] => {
    try {
      const rows = findRows(db, wrong)
      // If the query finds no row, or there is none, only SQLite's message stays.
      return rows === null || rows.total === 0 ? [] : [{ kind: 'found', finding: findingOf(wrong, rows) }]
    } catch (error) {
      // SQLite has reported why it breaks off; only its message stays.
      if (error instanceof Database.SqliteError) return []
      throw error
    }
  })
}

function wrongRows(facts: readonly Fact[], objects: readonly SchemaObject[]): readonly WrongValues[] {
  const tables = objects.filter(({ kind }) => kind === 'table').toSorted((a, b) => b.name.length - a.name.length)
  const found = new Map<string, WrongValues>()
  for (const fact of facts) {
    if (fact.kind !== 'message') continue
    for (const [pattern, kind, condition] of messages) {
      const match = pattern.exec(fact.text)
      if (match === null) continue
      const about = fact.text.slice(match[0].length)
      // Both names may contain dots: the longest name of a table that fits is the right one.
      const table = tables.find(({ name }) => (kind === 'check' ? about === name : about.startsWith(`${name}.`)))?.name
      if (table === undefined) continue
      const wrong = found.get(`${kind} ${table}`) ?? { kind, table, columns: new Map<string, string>() }
      found.set(`${kind} ${table}`, wrong)
      const column = about.slice(table.length + 1)
      if (kind !== 'check') wrong.columns.set(column, condition(quoteName(column), match))
    }
  }
  return [...found.values()]
}

/** null if no query can be made. @throws what SQLite throws */
function findRows(db: Database.Database, { kind, table, columns }: WrongValues): ListedRows | null {
  const named = tableNamesOf(db, table)
  const conditions = kind === 'check' ? failedChecks(db, table, named) : [...columns.values()]
  if (conditions.length === 0) return null
  const bracketed = conditions.length > 1 && kind === 'undeclared-type'
  return listRows(db, named, conditions.map((one) => (bracketed ? `(${one})` : one)).join(' OR '))
}

function failedChecks(db: Database.Database, table: string, { columns, rowidNames }: TableNames): readonly string[] {
  const statement = db
    .prepare<[string], string | null>(
      `SELECT CAST(sql AS TEXT) FROM sqlite_schema WHERE type = 'table' AND name = ? COLLATE NOCASE`,
    )
    .pluck()
    .get(table)
  const names = new Set([...columns, ...rowidNames])
  // A CHECK that is NULL is not violated, and NOT (NULL) finds no row.
  return checksOf(statement ?? '').map((check) => `NOT (${onOneLine(withLiterals(check, names))})`)
}

const rules = {
  null: 'null-in-not-null',
  'forbidden-type': 'type-mismatch',
  'undeclared-type': 'type-mismatch',
  check: 'check-failed',
} as const

function findingOf({ kind, table, columns }: WrongValues, { rows, total, query }: ListedRows): Finding {
  const one = total === 1
  const what: Record<WrongValueKind, string> = {
    null: `${one ? 'holds' : 'hold'} NULL where the column forbids it`,
    'forbidden-type': `${one ? 'holds' : 'hold'} a value of another type than the column allows`,
    'undeclared-type': `${one ? 'holds' : 'hold'} a value of another type than the column declares`,
    check: `${one ? 'fails' : 'fail'} a CHECK constraint`,
  }
  const where = columns.size === 0 ? '' : ` (${[...columns.keys()].join(', ')})`
  return {
    rule: rules[kind],
    severity: kind === 'null' || kind === 'forbidden-type' ? 'damage' : 'notice',
    source: 'census',
    object: { kind: 'table', name: table, table },
    rows,
    total,
    query,
    text: `${count(total, 'row')} of ${table} ${what[kind]}${where}`,
  }
}
