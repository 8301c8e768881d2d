/** What the statement of a virtual table says of its module, and which tables modules keep their data in. */
import { tokensOf, unquoted } from './sql-tokens.ts'

/**
 * Name of the module in `CREATE VIRTUAL TABLE name USING module(…)`; null where the text is none. Names may be quoted,
 * and hold anything then.
 */
export function moduleOf(sql: string): string | null {
  const tokens = tokensOf(sql)
  const using = tokens.findIndex(({ text }) => /^using$/i.test(text))
  const name = using < 0 ? undefined : tokens[using + 1]
  return name === undefined ? null : unquoted(name.text)
}

const fts = ['content', 'docsize', 'segdir', 'segments', 'stat']
const rtree = ['node', 'parent', 'rowid']

/**
 * Shadow tables of the modules in this SQLite (xShadowName), by the end of their names. `pragma table_list` tells them
 * too, but to do so it expands every view.
 */
const shadowParts: Readonly<Record<string, readonly string[]>> = {
  fts3: fts,
  fts4: fts,
  fts5: ['config', 'content', 'data', 'docsize', 'idx'],
  rtree,
  rtree_i32: rtree,
  geopoly: rtree,
}

/** Is the table with this end of its name one in which the module keeps its data? */
export const isShadow = (module: string | null, part: string): boolean =>
  shadowParts[module?.toLowerCase() ?? '']?.includes(part.toLowerCase()) ?? false
