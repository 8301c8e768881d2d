/** Child side: the CHECK constraints of a table, taken from its statement: SQLite gives them by no pragma. */
import { tokensOf } from '../schema/sql-tokens.ts'

/** The conditions as they stand in the statement, which SQLite has accepted before. */
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
    // CHECK is a reserved word: as a name it stands in quotes.
    if (depth === 1 && /^check$/i.test(tokens[i - 1]?.text ?? '')) from = to
    depth++
  }
  return checks
}
