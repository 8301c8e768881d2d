/** Child side: the rows of sqlite_schema, with their statements, from the pages of the damaged file. */
import type { StoredValue } from '../read/record-header.ts'
import { sqliteText } from './sqlite-text.ts'

/** A row of sqlite_schema. */
export interface SchemaStatement {
  readonly type: string
  readonly name: string
  readonly table: string
  /** 0 for an object without a b-tree. */
  readonly root: number
  readonly sql: string | null
  /** True if only a backup says at which page its tree begins, and the schema has changed since, or may have. */
  readonly rootOfBackup?: true
}

/** What can be read of a row of sqlite_schema that is no statement any more. */
export type DamagedStatement = Pick<SchemaStatement, 'root' | 'sql'>

const types = new Set(['table', 'index', 'view', 'trigger'])

/** Null if no row of sqlite_schema can be like this. */
export function schemaStatement(values: readonly StoredValue[], encoding: number): SchemaStatement | null {
  const [type, name, table, root] = values
  const texts = [type, name, table].map((value) => (value instanceof Uint8Array ? sqliteText(value, encoding) : null))
  const [typeText, nameText, tableText] = texts
  if (typeText == null || nameText == null || tableText == null || !types.has(typeText) || nameText === '') return null
  if (root !== null && typeof root !== 'bigint') return null
  return { type: typeText, name: nameText, table: tableText, ...damagedStatement(values, encoding) }
}

export function damagedStatement(values: readonly StoredValue[], encoding: number): DamagedStatement {
  const [, , , root, sql] = values
  return {
    root: typeof root !== 'bigint' || root < 0n || root > 0xffff_ffffn ? 0 : Number(root),
    sql: sql instanceof Uint8Array ? sqliteText(sql, encoding) : null,
  }
}
