/** Child side: rebuilds one full-text index from the text, by the command of its own module. */
import type Database from 'better-sqlite3'
import { foldedName, tokensOf, unquoted } from '../../../check/reader/schema/sql-tokens.ts'
import type { Token } from '../../../check/reader/schema/sql-tokens.ts'
import { moduleOf } from '../../../check/reader/schema/virtual-table-module.ts'
import { quoteName } from '../../../check/reader/sqlite/open-database.ts'
import type { NotDone } from '../protocol.ts'
import { notDone, other } from './not-done.ts'

export function rebuildText(
  db: Database.Database,
  table: string,
): { readonly kind: 'done'; readonly source: string } | NotDone {
  try {
    const sql = db
      .prepare<[string], string>(
        "SELECT sql FROM sqlite_schema WHERE type = 'table' AND rootpage = 0 AND name = ? COLLATE NOCASE",
      )
      .pluck()
      .get(table)
    const module = sql === undefined ? null : moduleOf(sql)
    if (sql === undefined || module === null || !/^fts[345]$/i.test(module))
      return other(`the schema has no full-text table ${table}`)
    const source = sourceOf(sql, module) ?? `${table}_content`
    if (source === '') return other(`${table} stores no text: nothing is there that its index could be rebuilt from`)
    const name = quoteName(table)
    db.exec(`INSERT INTO ${name}(${name}) VALUES('rebuild')`)
    return { kind: 'done', source }
  } catch (error) {
    return notDone(error)
  }
}

/** The option `content` of FTS4 and FTS5: empty for a table without text, null if it is not given. FTS3 has none. */
function sourceOf(sql: string, module: string): string | null {
  if (foldedName(module) === 'fts3') return null
  for (const [key, equals, value] of argumentsOf(sql))
    if (key !== undefined && foldedName(unquoted(key.text)) === 'content' && equals?.text === '=')
      return value === undefined ? '' : unquoted(value.text)
  return null
}

/** The arguments of the module: what stands in its brackets, between commas. */
function argumentsOf(sql: string): readonly (readonly Token[])[] {
  const tokens = tokensOf(sql)
  const using = tokens.findIndex(({ text }) => /^using$/i.test(text))
  const list: Token[][] = [[]]
  let depth = 0
  for (const token of tokens.slice(using + 2)) {
    if (token.text === ')' && --depth <= 0) break
    if (token.text === ',' && depth === 1) list.push([])
    else if (depth > 0) list.at(-1)?.push(token)
    if (token.text === '(') depth++
  }
  return list
}
