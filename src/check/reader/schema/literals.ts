/**
 * Child side: text of a schema for statements of ours. In a schema, a name in double quotes that names nothing is a
 * string literal (SQLite documentation, "Quirks", section 8). In statements of ours it is an error in this build
 * (SQLITE_DQS=0), so such names become literals first.
 */
import { quoteName } from '../sqlite/open-database.ts'
import { foldedName, isDoubleQuoted, tokensOf, unquote } from './sql-tokens.ts'

/**
 * @param names folded names that stay names: the columns of the table, and names of the rowid if they are allowed
 */
export function withLiterals(expression: string, names: ReadonlySet<string>): string {
  const tokens = tokensOf(expression)
  let rewritten = ''
  let copied = 0
  for (const [i, { text, from, to }] of tokens.entries()) {
    if (!isDoubleQuoted(text) || names.has(foldedName(unquote(text)))) continue
    // Beside a dot it is the name of a table or a column; before a bracket it is the name of a function.
    const [before, after] = [tokens[i - 1]?.text, tokens[i + 1]?.text]
    if (before === '.' || after === '.' || after === '(') continue
    rewritten += expression.slice(copied, from) + quoteName(unquote(text), "'")
    copied = to
  }
  return rewritten + expression.slice(copied)
}
