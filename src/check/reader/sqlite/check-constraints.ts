/** Child side: the CHECK constraints of a table, from its statement: no pragma of SQLite gives them. */
import { tokensOf } from '../schema/sql-tokens.ts'

/** The conditions as written in the statement, which SQLite has accepted. */
export function checksOf(statement: string): readonly string[] {
  const tokens = tokensOf(statement)
  const checks: string[] = []
  let depth = 0
  let from: number | null = null
  for (const [i, { text, from: start, to }] of tokens.entries()) {
    if (text === ')') depth--
    if (from !== null && text === ')' && depth === 1) {
      checks.push(statement.slice(from, start))
      from = null
    }
    if (text !== '(') continue
    // CHECK is a reserved word: as a name it would have quotes.
    if (depth === 1 && /^check$/i.test(tokens[i - 1]?.text ?? '')) from = to
    depth++
  }
  return checks
}
