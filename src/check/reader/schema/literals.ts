import { quoteName } from '../sqlite/open-database.ts'
/**
 * Child side: schema text by the rules that schemas have. A name in double quotes that names nothing is a string
 * literal there, whatever SQLite was built with (SQLite documentation, "Quirks", section 8). Statements of our own have
 * stricter rules in this build (SQLITE_DQS=0), so such names become literals first.
 */
import { foldedName, isDoubleQuoted, tokensOf, unquoted } from './sql-tokens.ts'

/**
 * @param names what a name may stand for, folded: the columns of the table, and the names of the rowid where they are
 * allowed
 */
export function withLiterals(expression: string, names: ReadonlySet<string>): string {
  const tokens = tokensOf(expression)
  let rewritten = ''
  let copied = 0
  for (const [i, { text, from, to }] of tokens.entries()) {
    if (!isDoubleQuoted(text) || names.has(foldedName(unquoted(text)))) continue
    // Beside a dot it is a name of a table or a column, and in front of a bracket the name of a function.
    const [before, after] = [tokens[i - 1]?.text, tokens[i + 1]?.text]
    if (before === '.' || after === '.' || after === '(') continue
    rewritten += expression.slice(copied, from) + quoteName(unquoted(text), "'")
    copied = to
  }
  return rewritten + expression.slice(copied)
}
