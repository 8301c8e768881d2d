/** The module and its options in the statement of a virtual table, and the tables in which modules keep their data. */
import { tokensOf, unquote } from './sql-tokens.ts'

/**
 * Name of the module in `CREATE VIRTUAL TABLE name USING module(…)`; null if the text is no such statement. Names may
 * be quoted, and then contain any characters.
 */
export function moduleOf(sql: string): string | null {
  const tokens = tokensOf(sql)
  const using = tokens.findIndex(({ text }) => /^using$/i.test(text))
  const name = using < 0 ? undefined : tokens[using + 1]
  return name === undefined ? null : unquote(name.text)
}

/**
 * The table or view that the option `content` of a full-text index names; null if there is no such option or its value
 * is empty. FTS3 knows no such option.
 */
export function contentOption(sql: string): string | null {
  const tokens = tokensOf(sql).map(({ text }) => text)
  // An option begins behind a bracket or a comma. A column is no option: `=` never follows its name.
  const at = tokens.findIndex(
    (text, i) => /^content$/i.test(text) && /^[(,]$/.test(tokens[i - 1] ?? '') && tokens[i + 1] === '=',
  )
  const value = at < 0 ? '' : unquote(tokens[at + 2] ?? '')
  return value === '' || value === ',' || value === ')' ? null : value
}

const fts = ['content', 'docsize', 'segdir', 'segments', 'stat']
const rtree = ['node', 'parent', 'rowid']

/**
 * Shadow tables of the modules in this SQLite (xShadowName), by the end of their names. `pragma table_list` would list
 * them too, but it expands every view.
 */
const shadowParts: Readonly<Record<string, readonly string[]>> = {
  fts3: fts,
  fts4: fts,
  fts5: ['config', 'content', 'data', 'docsize', 'idx'],
  rtree,
  rtree_i32: rtree,
  geopoly: rtree,
}

/** True if the module keeps its data in a table with this end of its name. */
export const isShadow = (module: string | null, part: string): boolean =>
  shadowParts[module?.toLowerCase() ?? '']?.includes(part.toLowerCase()) ?? false
