/** Child side: what the records of a tree look like, by the schema. */
import type { Collation, IndexPlan, KeyPart, TextEncoding } from '../../../../census/plan.ts'
import type { ColumnValue } from '../../../../sqlite/column-value.ts'
import { isText, type RecordHeader, type StoredValue } from './record-header.ts'

type Affinity = 'INTEGER' | 'TEXT' | 'BLOB' | 'REAL' | 'NUMERIC'

export interface ShapeColumn {
  readonly name: string
  /** Position in table_xinfo. */
  readonly cid: number
  readonly affinity: Affinity
  /** The type of a column of a STRICT table, in capitals; null in other tables. */
  readonly strict: string | null
  readonly notNull: boolean
  /** The value in rows that are older than the column. */
  readonly absent: ColumnValue
}

/** A tree of the schema. */
export interface TreeShape {
  /** Position in the list of trees. */
  readonly id: number
  readonly kind: 'rowid-table' | 'keyed-table' | 'index'
  readonly name: string
  /** For an index, its table. */
  readonly table: string
  readonly root: number
  /** Only a backup says that it begins there: since then the page may have become that of another tree. */
  readonly rootOfBackup: boolean
  /** In storage order. Empty for an index. */
  readonly columns: readonly ShapeColumn[]
  /** Position of the INTEGER PRIMARY KEY in `columns`; -1 if there is none. */
  readonly alias: number
  /** What orders the entries of an index or the rows of a table WITHOUT ROWID. */
  readonly key: readonly KeyPart[]
  readonly ordered: boolean
  readonly encoding: TextEncoding
  /** Columns of a record, at most. */
  readonly columnsMax: number
  /** Of an index. */
  readonly plan: IndexPlan | null
}

/** The fewest columns that a record of this table may have: those behind were added later. */
export function columnsMin({ kind, columns, key, columnsMax }: TreeShape): number {
  if (kind === 'index') return columnsMax
  let least = columns.length
  for (let column = columns[least - 1]; column !== undefined && least > 1; column = columns[least - 1]) {
    if (column.notNull && column.absent.kind === 'null') break
    if (kind === 'keyed-table' && least <= key.length) break
    least--
  }
  return least
}

/** Why a row cannot be in its table; null if it can. */
export function violationOf(shape: TreeShape, header: RecordHeader): string | null {
  for (let i = 0; i < shape.columns.length; i++) {
    const column = shape.columns[i]
    const isUnknown = i >= header.count && i < header.countMost
    if (column === undefined || i === shape.alias || isUnknown) continue
    const type = i < header.count ? (header.types[i] ?? 0) : null
    const isNull = type === null ? column.absent.kind === 'null' : type === 0
    if (isNull && (column.notNull || (shape.kind === 'keyed-table' && i < shape.key.length)))
      return `NULL in the NOT NULL column ${column.name}`
    if (type !== null && type !== 0 && column.strict !== null && !fitsStrict(column.strict, type))
      return `a value of another type in the STRICT column ${column.name}`
  }
  return null
}

function fitsStrict(strict: string, type: number): boolean {
  switch (strict) {
    case 'INT':
    case 'INTEGER':
      return type !== 7 && type < 12
    case 'REAL':
      return type < 12
    case 'TEXT':
      return isText(type)
    case 'BLOB':
      return type >= 12 && !isText(type)
    default:
      return true
  }
}

/**
 * True if SQLite could have written such a record into this table. It is stricter than `violationOf`: it decides to
 * which table a page belongs that nothing names.
 * @param countMin fewest columns
 */
export function looksLike(shape: TreeShape, header: RecordHeader, countMin: number): boolean {
  if (header.countMost < countMin || header.count > shape.columnsMax) return false
  if (shape.kind === 'index') return true
  if (violationOf(shape, header) !== null) return false
  for (let i = 0; i < header.count; i++) {
    const type = header.types[i] ?? 0
    if (i === shape.alias && type !== 0) return false
    if (shape.columns[i]?.affinity === 'TEXT' && type > 0 && type < 12) return false
  }
  return true
}

/** A default as it is stored. */
export function storedOf(value: ColumnValue): StoredValue {
  if (value.kind === 'null') return null
  return value.kind === 'integer' || value.kind === 'real' ? value.value : value.bytes
}

/** SQLite documentation, "Datatypes", section 3.1. */
export function affinityOfType(type: string, strict: boolean): Affinity {
  if (/INT/i.test(type)) return 'INTEGER'
  if (/CHAR|CLOB|TEXT/i.test(type)) return 'TEXT'
  if (/BLOB/i.test(type) || type === '' || (strict && /^ANY$/i.test(type))) return 'BLOB'
  return /REAL|FLOA|DOUB/i.test(type) ? 'REAL' : 'NUMERIC'
}

export const collationName = (collation: Collation): string => (collation === 'unknown' ? 'BINARY' : collation)
