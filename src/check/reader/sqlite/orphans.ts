/**
 * Child side: names rows without a parent. SQLite finds them by the index of the parent's key, which may be wrong, and
 * names no rows of a table WITHOUT ROWID. A query of ours asks the rows of both tables.
 */
import Database from 'better-sqlite3'
import type { Finding } from '../../../model/result/finding.ts'
import { foldedName } from '../schema/sql-tokens.ts'
import { tableNamesOf } from './computed-entries.ts'
import { listRows } from './list-rows.ts'
import { quoteName } from './open-database.ts'

/** SQLite keeps the keys of so many parents in memory. If there are more, only SQLite's own result is reported. */
const parentsMax = 2_000_000

interface Reference {
  readonly id: number
  readonly parent: string
  readonly from: string
  /** null for the primary key of the parent. */
  readonly to: string | null
}

/**
 * @param parents tables in which SQLite misses rows
 * @returns null if the rows cannot be asked; no finding if all of them have a parent
 */
export function nameOrphans(
  db: Database.Database,
  table: string,
  parents: ReadonlySet<string>,
): readonly Finding[] | null {
  try {
    const conditions: string[] = []
    for (const references of referencesOf(db, table)) {
      if (!parents.has(references[0]?.parent ?? '')) continue
      const condition = withoutParent(db, references)
      if (condition === null) return null
      conditions.push(condition)
    }
    if (conditions.length === 0) return null
    const listed = listRows(
      db,
      tableNamesOf(db, table),
      conditions.length === 1 ? conditions.join('') : conditions.map((one) => `(${one})`).join(' OR '),
    )
    if (listed === null) return null
    const { rows, total, query } = listed
    if (total === 0) return []
    const refer = total === 1 ? '1 row' : `${total} rows`
    const missing = [...parents].toSorted().join(', ')
    const text = `${refer} of ${table} ${total === 1 ? 'refers' : 'refer'} to rows that do not exist in ${missing}`
    const object = { kind: 'table', name: table, table } as const
    return [{ rule: 'foreign-key-violated', severity: 'notice', source: 'census', object, rows, total, query, text }]
  } catch (error) {
    // The table has a finding about what SQLite breaks off over.
    if (error instanceof Database.SqliteError) return null
    throw error
  }
}

/** The foreign keys of a table; each has its columns in their order. */
function referencesOf(db: Database.Database, table: string): readonly (readonly Reference[])[] {
  const all = db
    .prepare<[string], Reference>(
      `SELECT id, "table" AS parent, "from", "to" FROM pragma_foreign_key_list(?, 'main') ORDER BY id, seq`,
    )
    .all(table)
  return [...Map.groupBy(all, ({ id }) => id).values()]
}

/** The condition that a row refers to a parent that does not exist; null if there are too many parents, or no key. */
function withoutParent(db: Database.Database, references: readonly Reference[]): string | null {
  const filled = references.map(({ from }) => `typeof(${quoteName(from)}) <> 'null'`).join(' AND ')
  const parent = references[0]?.parent ?? ''
  const key = parentKey(db, parent, references)
  if (key === 'no-parent') return filled
  if (key === null) return null
  const { columns, collations, isRowid } = key
  const source = tableNamesOf(db, parent).from
  const many = isRowid ? 0 : (db.prepare<[], number>(`SELECT count(*) FROM ${source}`).pluck().get() ?? 0)
  if (many > parentsMax) return null
  // `+` removes the affinity of the column. SQLite then compares with that of the parent's column, as foreign keys do.
  const values = references.map(
    ({ from }, i) => `+${quoteName(from)}${isRowid ? '' : ` COLLATE ${quoteName(collations[i] ?? 'BINARY')}`}`,
  )
  const one = values.length === 1 ? values.join('') : `(${values.join(', ')})`
  // Without NULL: one NULL in the list would make every NOT IN unknown.
  const known = isRowid
    ? ''
    : ` WHERE ${columns.map((column) => `typeof(${quoteName(column)}) <> 'null'`).join(' AND ')}`
  const keys = columns.map((column) => quoteName(column)).join(', ')
  return `${filled} AND ${one} NOT IN (SELECT ${keys} FROM ${source}${known})`
}

interface ParentKey {
  /** In the order of the columns that refer to them. */
  readonly columns: readonly string[]
  readonly collations: readonly string[]
  readonly isRowid: boolean
}

/** null if no unique key of the parent fits. */
function parentKey(
  db: Database.Database,
  parent: string,
  references: readonly Reference[],
): ParentKey | 'no-parent' | null {
  const described = db
    .prepare<[string], { readonly name: string; readonly type: string; readonly pk: number }>(
      `SELECT name, type, pk FROM pragma_table_xinfo(?, 'main')`,
    )
    .all(parent)
  if (described.length === 0) return 'no-parent'
  const primary = described.filter(({ pk }) => pk > 0).toSorted((a, b) => a.pk - b.pk)
  const columns = references.map(({ to }, i) => to ?? primary[i]?.name ?? '')
  const indexes = db
    .prepare<[string], { readonly name: string; readonly origin: string }>(
      `SELECT name, origin FROM pragma_index_list(?, 'main') WHERE "unique" AND NOT partial`,
    )
    .all(parent)
  const [first, second] = primary
  const isRowid =
    columns.length === 1 &&
    second === undefined &&
    same(columns[0], first?.name) &&
    /^integer$/i.test(first?.type ?? '') &&
    indexes.every(({ origin }) => origin !== 'pk')
  if (isRowid) return { columns, collations: [], isRowid }
  for (const { name: index } of indexes) {
    const parts = db
      .prepare<[string], { readonly name: string | null; readonly coll: string }>(
        `SELECT name, coll FROM pragma_index_xinfo(?, 'main') WHERE key`,
      )
      .all(index)
    const fitting = columns.map((column) => parts.find(({ name }) => same(name, column)))
    if (parts.length !== columns.length || fitting.includes(undefined)) continue
    return { columns, collations: fitting.map((part) => part?.coll ?? 'BINARY'), isRowid }
  }
  return null
}

/** Compares names as SQLite does. null and undefined equal nothing. */
const same = (a: string | null | undefined, b: string | null | undefined): boolean =>
  a !== null && a !== undefined && b !== null && b !== undefined && foldedName(a) === foldedName(b)
