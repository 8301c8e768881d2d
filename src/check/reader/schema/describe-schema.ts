/** Child side: describes a schema, to compare it with another. Statements leave the child as digests only. */
import { createHash } from 'node:crypto'
import type Database from 'better-sqlite3'
import type { DescribedObject, SchemaDescription } from '../../../comparison/schema.ts'
import { quoteName } from '../sqlite/open-database.ts'
import { ordinaryTables, readObjects } from './schema-objects.ts'
import { foldedName, isDoubleQuoted, tokensOf, unquote } from './sql-tokens.ts'

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
  const names = new Set([...columns.values()].flat().map(([, column]) => foldedName(column)))
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
          .update(plainStatement(statementOf.get(name) ?? '', kind === 'virtual-table' ? null : names))
          .digest('hex')
          .slice(0, 32),
        columns: kind === 'table' ? (columns.get(name) ?? []).map(([, column]) => column) : [],
      })),
  }
}

/**
 * A statement without what makes no difference to SQLite: ALTER TABLE, and tools that dump and load, write statements
 * in their own way. If two results are equal, the statements mean the same. The reverse is not always true.
 * @param columns folded names of all columns of the schema. In double quotes, a word that is none of them, and has no
 * place where only a name may be, is a string. null: such words count as names, so their case is not seen.
 */
export function plainStatement(sql: string, columns: ReadonlySet<string> | null = null): string {
  const tokens = tokensOf(sql).map(({ text }) => text)
  const plain = tokens.map((token, at) => {
    if (isDefault(tokens[at - 1])) return unquoted(token)
    return columns !== null && isString(tokens, at, columns) ? quoteName(unquote(token), "'") : plainToken(token)
  })
  return plain.join('\u0000')
}

/** Words before the name of an object, a constraint, a collation or a result column. */
const beforeNames =
  /^(?:table|exists|index|view|trigger|on|references|constraint|collate|as|from|join|into|update|delete|of|using|\.)$/i

/** True for a word in double quotes that names nothing (SQLite documentation, "Quirks", section 8). */
function isString(tokens: readonly string[], at: number, columns: ReadonlySet<string>): boolean {
  const [before = '', token = '', after = ''] = [tokens[at - 1], tokens[at], tokens[at + 1]]
  if (!isDoubleQuoted(token) || columns.has(foldedName(unquote(token)))) return false
  return !beforeNames.test(before) && after !== '.' && after !== '('
}

/** A word behind it is a string, in double quotes or in none. */
const isDefault = (token = ''): boolean => token.toLowerCase() === 'default'

function plainToken(token: string): string {
  if (token.startsWith("'")) return token
  const name = unquoted(token)
  return /^[\w$]+$/.test(name) ? name.toLowerCase() : name
}

const unquoted = (token: string): string => /^["`[]([a-z_][\w$]*)["`\]]$/i.exec(token)?.[1] ?? token
