/**
 * Child side: SQLite says how many values of a table are wrong, not where. A query of our own names the rows, and is
 * told, so that a person can run it too.
 */
import Database from 'better-sqlite3'
import { compareRowKeys, identityKey } from '../census/row-key.ts'
import { Columns } from '../census/columns.ts'
import type { TextEncoding } from '../census/plan.ts'
import { count } from '../model/count.ts'
import type { Finding, RowKey } from '../model/finding.ts'
import type { Fact, SchemaObject } from '../model/reading.ts'
import { columnValue, typed } from './column-value.ts'
import type { Typed } from './column-value.ts'
import { naming } from './computed-entries.ts'
import { quote } from './open-database.ts'

/** Rows that one finding names. */
const rowsMax = 20

type WrongValues = 'null-in-not-null' | 'type-mismatch'

interface Wrong {
  readonly table: string
  readonly rule: WrongValues
  /** Columns, and what typeof() says of wrong values in them. */
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

/** @param facts that SQLite gave */
export function nameRows(
  db: Database.Database,
  facts: readonly Fact[],
  objects: readonly SchemaObject[],
): readonly Fact[] {
  const wrong = wrongValues(facts, objects)
  if (wrong.length === 0) return []
  const said = String(db.pragma('encoding', { simple: true }))
  const encoding: TextEncoding = said === 'UTF-16le' ? 2 : said === 'UTF-16be' ? 3 : 1
  return wrong.flatMap((one): readonly Fact[] => {
    try {
      const finding = findRows(db, one, encoding)
      return finding === null ? [] : [{ kind: 'found', finding }]
    } catch (error) {
      // What SQLite breaks off over it has told; its own words stay.
      if (error instanceof Database.SqliteError) return []
      throw error
    }
  })
}

function wrongValues(facts: readonly Fact[], objects: readonly SchemaObject[]): readonly Wrong[] {
  const tables = objects.filter(({ kind }) => kind === 'table').toSorted((a, b) => b.name.length - a.name.length)
  const wrong = new Map<string, Wrong>()
  for (const fact of facts) {
    const match =
      fact.kind === 'message'
        ? /^(?:(NULL)|non-(INT|INTEGER|REAL|TEXT|BLOB)) value in ([\s\S]+)$/.exec(fact.text)
        : null
    const place = match?.[3] ?? ''
    // Both names may hold dots: the longest table wins.
    const table = match === null ? undefined : tables.find(({ name }) => place.startsWith(`${name}.`))?.name
    if (match === null || table === undefined) continue
    const rule: WrongValues = match[1] === undefined ? 'type-mismatch' : 'null-in-not-null'
    const one = wrong.get(`${rule} ${table}`) ?? { table, rule, columns: new Map() }
    wrong.set(`${rule} ${table}`, one)
    one.columns.set(
      place.slice(table.length + 1),
      match[1] === undefined ? `NOT IN ('${rightTypes[match[2] ?? ''] ?? ''}', 'null')` : "= 'null'",
    )
  }
  return [...wrong.values()]
}

/** null where the query finds none. @throws what SQLite throws */
function findRows(db: Database.Database, { table, rule, columns }: Wrong, encoding: TextEncoding): Finding | null {
  const { rowid, key, from } = naming(db, table)
  const names = key.length > 0 ? key.map((name) => quote(name)) : rowid === null ? [] : [rowid]
  if (names.length === 0) return null
  // IS NULL would be left out of the question: SQLite knows that the column forbids it.
  const where = [...columns].map(([column, types]) => `typeof(${quote(column)}) ${types}`).join(' OR ')
  const row = new Columns(names.length)
  let rows: RowKey[] = []
  let total = 0
  for (const values of db
    .prepare<[], Typed[number][]>(`SELECT ${names.map(typed).join(', ')} FROM ${from} WHERE ${where}`)
    .raw()
    .safeIntegers()
    .iterate()) {
    total++
    row.take(names.map((_, i) => columnValue(String(values[2 * i]), values[2 * i + 1] ?? null)))
    rows.push(
      identityKey(
        row,
        names.map((_, i) => i),
        encoding,
        key.length === 0,
      ),
    )
    if (rows.length >= 50 * rowsMax) rows = rows.toSorted(compareRowKeys).slice(0, rowsMax)
  }
  if (total === 0) return null
  const holds =
    rule === 'null-in-not-null'
      ? `${total === 1 ? 'holds' : 'hold'} NULL where the column forbids it`
      : `${total === 1 ? 'holds' : 'hold'} a value of another type than the column allows`
  return {
    rule,
    severity: 'damage',
    source: 'census',
    object: { kind: 'table', name: table, table },
    rows: rows.toSorted(compareRowKeys).slice(0, rowsMax),
    total,
    query: `SELECT ${names.join(', ')} FROM ${from} WHERE ${where}`,
    text: `${count(total, 'row')} of ${table} ${holds} (${[...columns.keys()].join(', ')})`,
  }
}
