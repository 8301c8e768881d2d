/**
 * Reads the whole content of a database row by row, with the SQLite of Node. It shares no code with holdfast, which
 * uses another SQLite and a census of its own.
 */
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

export interface Contents {
  /** Of the header: page size, format, encoding, auto-vacuum and the two numbers that applications set. */
  readonly header: Readonly<Record<string, number>>
  /** `type name: sql` of each object, sorted. */
  readonly schema: readonly string[]
  /** By table: each row by its key. */
  readonly tables: ReadonlyMap<string, RowsByKey>
}

/** Key and values as text that tells types apart. */
export type RowsByKey = ReadonlyMap<string, string>

export interface ExaminedDatabase {
  readonly contents: Contents
  /** Lines of integrity_check; empty if it says ok. */
  readonly integrity: readonly string[]
}

/** Words that databases of these tests hold in their full-text tables. */
const words = ['fox', 'word7', 'more', 'title', 'quick']

/** Examines copies of all parts of the live set, because recovery and checkpoints write. */
export function examine(path: string): ExaminedDatabase {
  const folder = mkdtempSync(join(tmpdir(), 'examined-'))
  try {
    const copy = join(folder, 'copy.db')
    for (const part of ['', '-wal', '-journal']) if (existsSync(path + part)) copyFileSync(path + part, copy + part)
    const database = new DatabaseSync(copy)
    try {
      const lines = allOf(database, 'PRAGMA integrity_check(1000)').map((row) => String(row['integrity_check']))
      // A hot journal has been rolled back now, so the header is that of the recovered file.
      database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
      const contents = readContents(database, headerOf(copy))
      return { contents, integrity: lines.join() === 'ok' ? [] : lines }
    } finally {
      database.close()
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

export const contentsOf = (path: string): Contents => examine(path).contents

/** Offsets of numbers of four bytes in the header (file format, section 1.3). */
const headerNumbers = { encoding: 56, userVersion: 60, incrementalVacuum: 64, applicationId: 68 } as const

function headerOf(path: string): Readonly<Record<string, number>> {
  const bytes = readFileSync(path).subarray(0, 100)
  if (bytes.length < 100) return {}
  return {
    pageSize: bytes.readUInt16BE(16),
    writeVersion: bytes[18] ?? 0,
    readVersion: bytes[19] ?? 0,
    reservedBytes: bytes[20] ?? 0,
    autoVacuum: bytes.readUInt32BE(52) > 0 ? 1 : 0,
    ...Object.fromEntries(Object.entries(headerNumbers).map(([name, at]) => [name, bytes.readUInt32BE(at)])),
  }
}

function readContents(database: DatabaseSync, header: Contents['header']): Contents {
  const schema = allOf(database, 'SELECT type, name, sql FROM sqlite_schema ORDER BY type, name').map(
    ({ type, name, sql }) => `${String(type)} ${String(name)}: ${String(sql)}`,
  )
  const tables = new Map<string, RowsByKey>()
  for (const { name, type, wr } of allOf(database, "SELECT * FROM pragma_table_list WHERE schema = 'main'")) {
    const table = String(name)
    if (table === 'sqlite_schema') continue
    if (type === 'table') tables.set(table, wr === 1 ? rowsByPrimaryKey(database, table) : rowsByRowid(database, table))
    if (type === 'virtual') tables.set(table, rowsOfVirtual(database, table))
  }
  return { header, schema, tables }
}

/** Reads the table's own tree: `NOT INDEXED` is certain for tables with rowids. */
function rowsByRowid(database: DatabaseSync, table: string): RowsByKey {
  const columns = columnsOf(database, table).map(({ name }) => name)
  const rowid = ['rowid', '_rowid_', 'oid'].find((name) => !columns.some((column) => column.toLowerCase() === name))
  if (rowid === undefined) throw new Error(`${table} hides its rowid`)
  return keyed(database, [rowid], columns, `${quoted(table)} NOT INDEXED ORDER BY ${rowid}`)
}

/**
 * Reads the tree of the primary key. `NOT INDEXED` is no help: SQLite then still reads a covering secondary index of a
 * table WITHOUT ROWID, which may be the damaged one.
 */
function rowsByPrimaryKey(database: DatabaseSync, table: string): RowsByKey {
  const columns = columnsOf(database, table)
  const keys = columns.filter(({ pk }) => pk > 0).toSorted((a, b) => a.pk - b.pk)
  const [index] = allOf(database, `SELECT name FROM pragma_index_list(${quotedText(table)}) WHERE origin = 'pk'`)
  if (!index) throw new Error(`${table} has no primary key`)
  const from = `${quoted(table)} INDEXED BY ${quoted(String(index['name']))}`
  const plan = allOf(database, `EXPLAIN QUERY PLAN SELECT * FROM ${from}`).map(({ detail }) => String(detail))
  if (plan.some((detail) => detail.includes('INDEX'))) throw new Error(`${table} is read by ${plan.join('; ')}`)
  const key = keys.map(({ name }) => quoted(name))
  const all = columns.map(({ name }) => name)
  return keyed(database, key, all, from)
}

/** Rows as the module gives them, and for full-text tables the rows that contain each of our words. */
function rowsOfVirtual(database: DatabaseSync, table: string): RowsByKey {
  const columns = columnsOf(database, table).map(({ name }) => name)
  const [{ sql } = {}] = allOf(database, `SELECT sql FROM sqlite_schema WHERE name = ${quotedText(table)}`)
  const module = /USING\s+(\w+)/i.exec(String(sql))?.[1]?.toLowerCase() ?? ''
  if (module === 'rtree') return keyed(database, [quoted(columns[0] ?? '')], columns, quoted(table))
  if (!/^fts[345]$/.test(module)) return new Map()
  const rows = new Map(keyed(database, ['rowid'], columns, quoted(table)))
  const search = database.prepare(`SELECT rowid FROM ${quoted(table)} WHERE ${quoted(table)} MATCH ? ORDER BY rowid`)
  for (const word of words) {
    const found = search.all(word).map((row) => String(row['rowid']))
    rows.set(`rows with ${word}`, found.join())
  }
  return rows
}

interface Column {
  readonly name: string
  /** Place in the primary key, from 1; 0 if it is not in there. */
  readonly pk: number
}

/** With generated columns, without the hidden ones of virtual tables. */
const columnsOf = (database: DatabaseSync, table: string): readonly Column[] =>
  allOf(database, `SELECT name, pk FROM pragma_table_xinfo(${quotedText(table)}) WHERE hidden <> 1`).map(
    ({ name, pk }) => ({ name: String(name), pk: Number(pk) }),
  )

function keyed(database: DatabaseSync, keys: readonly string[], columns: readonly string[], from: string): RowsByKey {
  const values = columns.map((name) => exact(quoted(name)))
  const statement = database.prepare(
    `SELECT ${keys.map(exact).join(" || ', ' || ")} AS k, ${values.join(" || ', ' || ")} AS v FROM ${from}`,
  )
  const rows = new Map<string, string>()
  for (const { k, v } of statement.iterate()) {
    if (rows.has(String(k))) throw new Error(`two rows have the key ${String(k)}: ${from}`)
    rows.set(String(k), String(v))
  }
  return rows
}

/** Type and value. `quote` ends a text at its first NUL, so text is shown in hexadecimal digits. */
const exact = (column: string): string =>
  `(CASE typeof(${column}) WHEN 'text' THEN 'text ' || hex(${column})
    ELSE typeof(${column}) || ' ' || quote(${column}) END)`

const allOf = (database: DatabaseSync, sql: string): readonly Record<string, unknown>[] => database.prepare(sql).all()
const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`
const quotedText = (text: string): string => `'${text.replaceAll("'", "''")}'`

/** @returns what `found` has that was not expected, and the other way round; empty if both are equal */
export function differencesOf(expected: Contents, found: Contents): readonly string[] {
  const lines = [
    ...linesNotIn(headerLines(expected), headerLines(found)).map((line) => `missing header ${line}`),
    ...linesNotIn(expected.schema, found.schema).map((line) => `missing object ${line}`),
    ...linesNotIn(found.schema, expected.schema).map((line) => `added object ${line}`),
  ]
  for (const [table, rows] of expected.tables)
    lines.push(...rowDifferences(table, rows, found.tables.get(table) ?? new Map()))
  return lines.slice(0, 30)
}

const headerLines = ({ header }: Contents): readonly string[] =>
  Object.entries(header).map(([name, value]) => `${name} ${value}`)

function linesNotIn(lines: readonly string[], others: readonly string[]): readonly string[] {
  const known = new Set(others)
  return lines.filter((line) => !known.has(line))
}

function rowDifferences(table: string, expected: RowsByKey, found: RowsByKey): readonly string[] {
  const lines: string[] = []
  for (const [key, values] of expected) {
    const other = found.get(key)
    if (other === undefined) lines.push(`missing row ${key} of ${table}`)
    else if (other !== values) lines.push(`changed row ${key} of ${table}: ${other} instead of ${values}`)
  }
  for (const key of found.keys()) if (!expected.has(key)) lines.push(`added row ${key} of ${table}`)
  return lines
}
