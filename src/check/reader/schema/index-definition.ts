/**
 * Child side: splits a CREATE INDEX statement of sqlite_schema: the text of each term, and the condition of a partial
 * index. No pragma of SQLite gives them. SQLite has accepted the statement, so the parts are found and not judged.
 */
import { tokensOf } from './sql-tokens.ts'
import type { Token } from './sql-tokens.ts'

interface IndexDefinition {
  /** The expressions of the statement without ASC and DESC, in the order of the key. */
  readonly terms: readonly string[]
  /** Condition of a partial index; null for other indexes. */
  readonly where: string | null
}

/** null if SQLite would not have written such a statement. */
export function readIndexDefinition(sql: string): IndexDefinition | null {
  const tokens = tokensOf(sql)
  const on = tokens.findIndex(({ text }) => /^on$/i.test(text))
  const open = tokens.findIndex(({ text }, at) => at > on && text === '(')
  if (on < 0 || open < 0) return null
  const { parts, end } = partsBetween(tokens, open)
  if (end === null || parts.some((part) => part.length === 0)) return null
  const rest = tokens.slice(end + 1).filter(({ text }) => text !== ';')
  const [where, first] = rest
  if (where !== undefined && (!/^where$/i.test(where.text) || first === undefined)) return null
  return {
    terms: parts.map((part) => textOf(sql, withoutOrder(part))),
    where: first === undefined ? null : textOf(sql, rest.slice(1)),
  }
}

/** The parts between the bracket at `open` and its closing bracket, split at the commas outside of inner brackets. */
function partsBetween(
  tokens: readonly Token[],
  open: number,
): { readonly parts: readonly (readonly Token[])[]; readonly end: number | null } {
  const parts: Token[][] = [[]]
  let depth = 0
  for (let at = open; at < tokens.length; at++) {
    const token = tokens[at] as Token
    if (token.text === '(') depth++
    if (token.text === ')') depth--
    if (depth === 0) return { parts, end: at }
    if (depth === 1 && token.text === ',') parts.push([])
    else if (at > open) parts.at(-1)?.push(token)
  }
  return { parts, end: null }
}

/**
 * COLLATE at the end stays: in `a = 'x' COLLATE NOCASE` it is part of the comparison; elsewhere it changes no value.
 */
const withoutOrder = (part: readonly Token[]): readonly Token[] =>
  part.length > 1 && /^(?:asc|desc)$/i.test(part.at(-1)?.text ?? '') ? part.slice(0, -1) : part

const textOf = (sql: string, tokens: readonly Token[]): string =>
  sql.slice(tokens[0]?.from ?? 0, tokens.at(-1)?.to ?? 0)
