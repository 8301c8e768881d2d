/** Child side: describes a schema, to compare it with another. Statements leave the child as digests only. */
import { createHash } from 'node:crypto'
import type Database from 'better-sqlite3'
import type { DescribedObject, SchemaDescription } from '../../../comparison/schema.ts'
import { ordinaryTables, readObjects } from './schema-objects.ts'
import { tokensOf } from './sql-tokens.ts'

const encodings = ['UTF-8', 'UTF-16le', 'UTF-16be'] as const

/** @throws what SQLite throws */
export function describeSchema(db: Database.Database): SchemaDescription {
  const pragma = (name: string): unknown => db.pragma(name, { simple: true })
  const encodingName = pragma('encoding')
  const statements = db
    .prepare<[], readonly [string, string]>("SELECT name, coalesce(CAST(sql AS TEXT), '') FROM sqlite_schema")
    .raw()
    .all()
  const columns = Map.groupBy(
    db
      .prepare<[], readonly [string, string]>(
        `SELECT t.name, c.name FROM (${ordinaryTables}) t, pragma_table_xinfo(t.name, 'main') c ORDER BY t.name, c.cid`,
      )
      .raw()
      .all(),
    ([table]) => table,
  )
  const statementOf = new Map(statements)
  return {
    encoding: encodings.find((encoding) => encoding === encodingName) ?? 'UTF-8',
    userVersion: Number(pragma('user_version')),
    applicationId: Number(pragma('application_id')),
    objects: readObjects(db)
      .objects.filter(({ name }) => !name.startsWith('sqlite_'))
      .map(({ kind, name, table, shadowOf }): DescribedObject => ({
        kind,
        name,
        table,
        shadowOf,
        statement: createHash('sha256')
          .update(plainStatement(statementOf.get(name) ?? ''))
          .digest('hex')
          .slice(0, 32),
        columns: kind === 'table' ? (columns.get(name) ?? []).map(([, column]) => column) : [],
      })),
  }
}

/**
 * A statement without what makes no difference to SQLite: ALTER TABLE, and tools that dump and load, write statements
 * in their own way. If two results are equal, the statements mean the same. The reverse is not always true. One
 * exception: outside of DEFAULT, a word in double quotes that names nothing is a string, and its case is not seen.
 */
export function plainStatement(sql: string): string {
  const tokens = tokensOf(sql).map(({ text }) => text)
  return tokens.map((token, at) => (isDefault(tokens[at - 1]) ? unquoted(token) : plainToken(token))).join('\u0000')
}

/** A word behind it is a string, in double quotes or in none. */
const isDefault = (token = ''): boolean => token.toLowerCase() === 'default'

function plainToken(token: string): string {
  if (token.startsWith("'")) return token
  const name = unquoted(token)
  return /^[\w$]+$/.test(name) ? name.toLowerCase() : name
}

const unquoted = (token: string): string => /^["`[]([a-z_][\w$]*)["`\]]$/i.exec(token)?.[1] ?? token
