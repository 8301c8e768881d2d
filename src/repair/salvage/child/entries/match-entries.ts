/**
 * Child side: the entries of an index of the damaged file, and whether the new file has a row with their values. The
 * tables of the new file must be shown by their own statements, so that SQLite computes expressions and conditions.
 */
import Database from 'better-sqlite3'
import { valuesAt } from '../../../../census/differences/salvage.ts'
import { fromRowid, fromSql } from '../../../../census/plan.ts'
import { Columns } from '../../../../census/record/columns.ts'
import { differByRounding } from '../../../../census/record/rounding.ts'
import { columnValue, typed, type TypedValue } from '../../../../check/reader/sqlite/column-value.ts'
import {
  computationOf,
  tableNamesOf,
  rowNames,
  type ComputingQuery,
} from '../../../../check/reader/sqlite/computed-entries.ts'
import type { ColumnValue } from '../../../../sqlite/column-value.ts'
import type { WalkedTree } from '../read/adopt-pages.ts'
import { CellRows, type StoredRow } from '../read/cell-rows.ts'
import type { StoredValue } from '../read/record-header.ts'
import { collationName, storedOf, type TreeShape } from '../read/shape.ts'
import type { SalvageContext } from '../write/table-salvage.ts'

/** The rowid, or the columns of the primary key. */
export interface RowName {
  readonly values: readonly StoredValue[]
  /** For each value: `t` for a text, `-` for others. */
  readonly texts: string
}

export type MatchedEntry = {
  /** The row that the entry names. */
  readonly named: RowName
  /** All columns of the entry. Valid until the next entry. */
  readonly columns: Columns
} & (
  | {
      /** `differs`: the row has other values, or values from which SQLite cannot compute the entry. */
      readonly match: 'agrees' | 'differs'
      /** The row of the table. A collation may take it for the one that the entry names though its bytes differ. */
      readonly row: RowName
    }
  | { readonly match: 'no-row' }
)

/** Statements that are kept, one for each combination of columns with a text. */
const statementsMax = 100

/**
 * Yields null after each page. An index of which SQLite cannot compute the entries, or whose rows have no name, gives
 * nothing; cells that cannot be trusted are left out.
 */
export function* matchEntries(to: SalvageContext, table: TreeShape, index: WalkedTree): Generator<MatchedEntry | null> {
  const { db } = to.newFile
  const { plan } = index.shape
  const computing = plan === null ? null : computingOrNull(db, index.shape.name, table.name)
  const names = rowNames(tableNamesOf(db, table.name))
  if (plan === null || computing === null || names.length !== plan.identity.length) return
  const statements = new Map<string, Lookup>()
  const cells = new CellRows(to.chains, index)
  const columns = new Columns(plan.parts.length)
  const computed = plan.parts.flatMap(({ source }, at) => (source === fromSql ? [at] : []))
  const compared = plan.parts.flatMap(({ source }, at) => (source === fromRowid ? [] : [at]))
  for (const { page, bytes, judged } of index.walker.walk('claimed', { leafDepth: null, gaps: [] })) {
    for (const [i, state] of judged.states.entries()) {
      const entry = state === 'good' ? cells.read(bytes, page, i) : null
      if (entry === null || (entry.chain !== null && entry.chain !== 'whole')) continue
      columns.take(valuesOf(entry))
      const statement = statements.get(entry.texts) ?? prepare(entry.texts)
      if (statement === null) return
      const named = {
        values: plan.identity.map((at) => entry.values[at] ?? null),
        texts: plan.identity.map((at) => entry.texts[at] ?? '-').join(''),
      }
      const found = rowOf(statement, [...compared.map((at) => entry.values[at] ?? null), ...named.values])
      if (found === undefined) yield { match: 'no-row', named, columns }
      else if (found === null) yield { match: 'differs', row: named, named, columns }
      else yield { match: isEqual(found) ? 'agrees' : 'differs', row: nameIn(found), named, columns }
    }
    yield null
  }

  function prepare(texts: string): Lookup | null {
    if (statements.size >= statementsMax) statements.clear()
    const { plan, key } = { plan: index.shape.plan, key: table.key }
    const statement = prepareMatch(db, computing as ComputingQuery, { names, key, compared, computed, plan, texts })
    if (statement !== null) statements.set(texts, statement)
    return statement
  }

  function nameIn(row: readonly TypedValue[1][]): RowName {
    const values = names.map((_, i) => typedAt(row.slice(row.length - 2 * names.length), i))
    return { values: values.map(storedOf), texts: values.map(({ kind }) => (kind === 'text' ? 't' : '-')).join('') }
  }

  /** A function may round otherwise than that of the SQLite that wrote the entry. */
  function isEqual([belongs, ...values]: readonly TypedValue[1][]): boolean {
    if (belongs !== 1n) return false
    const differing = compared.filter((_, i) => values[i] !== 1n)
    if (differing.length === 0) return true
    const now = new Columns(Math.max(1, computed.length))
    const rest = values.slice(compared.length)
    now.take(computed.map((_, i) => typedAt(rest, i)))
    const { encoding } = index.shape
    const was = valuesAt(columns, computed, encoding)
    const is = valuesAt(now, [...computed.keys()], encoding)
    return differing.every((at) => {
      const i = computed.indexOf(at)
      return i >= 0 && differByRounding(was[i] ?? null, is[i] ?? null)
    })
  }
}

/**
 * Its first column: whether the row belongs into the index. Then one for each part that is compared, the computed
 * values, and the key of the row.
 */
type Lookup = Database.Statement<unknown[], readonly TypedValue[1][]>

const codesOfFunctions = new Set(['SQLITE_ERROR', 'SQLITE_TOOBIG', 'SQLITE_MISMATCH'])

/** True if a function of an index fails for the values of a row. SQLite says no more. */
export const isFailedFunction = (error: unknown): error is Error =>
  error instanceof Database.SqliteError && codesOfFunctions.has(error.code)

/** Undefined if there is no such row; null if a function of the index fails for its values. */
function rowOf(statement: Lookup, values: readonly unknown[]): readonly TypedValue[1][] | null | undefined {
  try {
    return statement.get(...values)
  } catch (error) {
    if (isFailedFunction(error)) return null
    throw error
  }
}

const typedAt = (row: readonly TypedValue[1][], i: number): ColumnValue =>
  columnValue(String(row[2 * i]), row[2 * i + 1] ?? null)

interface MatchTerms {
  readonly names: readonly string[]
  /** Of a table WITHOUT ROWID: its collations decide which row has a key, and SQLite needs them to find it fast. */
  readonly key: TreeShape['key']
  readonly compared: readonly number[]
  readonly computed: readonly number[]
  readonly plan: TreeShape['plan']
  readonly texts: string
}

/** Null if SQLite does not know a function or a collation of the index. */
function prepareMatch(
  db: Database.Database,
  { terms, from, where }: ComputingQuery,
  { names, key, compared, computed, plan, texts }: MatchTerms,
): Lookup | null {
  const value = (at: number): string => (texts[at] === 't' ? 'CAST(? AS TEXT)' : '?')
  const belongs = where === '' ? '1' : `coalesce(${where.replace(/^ WHERE /, '')}, 0) <> 0`
  // Without a type of their own: values are compared as they are stored.
  const isSame = compared.map((at) => `(+${terms[at]}) IS (${value(at)}) COLLATE BINARY`)
  const shown = [...computed.map((at) => terms[at] ?? 'NULL'), ...names].map(typed)
  const select = [belongs, ...isSame, ...shown].join(', ')
  const isNamed = names.map((name, i) => {
    const { collation = 'unknown' } = key[i] ?? {}
    const collate = collation === 'unknown' ? '' : ` COLLATE ${collationName(collation)}`
    return `${name}${collate} = ${value(plan?.identity[i] ?? -1)}`
  })
  const sql = `SELECT ${select} FROM ${from} WHERE ${isNamed.join(' AND ')}`
  return orNull(() => db.prepare<unknown[], readonly TypedValue[1][]>(sql).raw().safeIntegers())
}

function computingOrNull(db: Database.Database, index: string, table: string): ComputingQuery | null {
  const computing = orNull(() => computationOf(db, index, table))
  return computing?.kind === 'query' ? computing : null
}

function orNull<Value>(work: () => Value): Value | null {
  try {
    return work()
  } catch (error) {
    if (error instanceof Database.SqliteError) return null
    throw error
  }
}

const valuesOf = ({ values, texts }: StoredRow): readonly ColumnValue[] =>
  values.map((value, i) => columnValue(texts[i] === 't' ? 'text' : 'blob', value))
