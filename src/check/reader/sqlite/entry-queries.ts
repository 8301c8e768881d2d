/**
 * Child side: statements that list what a finding is about, for people to run in the SQLite shell. They read the tree
 * of the table and that of the index separately, so neither can hide what the other holds.
 */
import Database from 'better-sqlite3'
import type { Finding, Rule } from '../../../model/result/finding.ts'
import { computationOf, tableNamesOf, rowNames } from './computed-entries.ts'
import type { ComputingQuery } from './computed-entries.ts'
import { quoteName } from './open-database.ts'

/** The parts of a statement: the entries of an index (`INDEXED BY`), and the rows of its table (`NOT INDEXED`). */
interface StatementParts {
  readonly entries: string
  readonly rows: string
  readonly names: string
  /** What names a row, and all that the index holds of it, compared byte by byte. */
  readonly whole: string
}

const queries: Partial<Record<Rule, (sources: StatementParts) => string>> = {
  'row-missing-from-index': ({ names, rows, entries }) => without(names, rows, entries),
  'entry-without-row': ({ names, rows, entries }) => without(names, entries, rows),
  'entry-differs-from-row': ({ names, whole, rows, entries }) =>
    `SELECT ${names} FROM (${without(whole, rows, entries)}) INTERSECT SELECT ${names} FROM ${entries}`,
}

/** What `one` has and `other` has not. */
const without = (names: string, one: string, other: string): string =>
  `SELECT ${names} FROM ${one} EXCEPT SELECT ${names} FROM ${other}`

/** The same findings, with a query if rows and entries of an index disagree. */
export function withEntryQueries(db: Database.Database, findings: readonly Finding[]): readonly Finding[] {
  const known = new Map<string, StatementParts | null>()
  return findings.map((finding) => {
    const { rule, object } = finding
    const query = queries[rule]
    if (query === undefined || object.kind !== 'index' || object.table === null) return finding
    const sources = known.has(object.name) ? known.get(object.name) : sourcesOf(db, object.name, object.table)
    known.set(object.name, sources ?? null)
    return sources ? { ...finding, query: query(sources) } : finding
  })
}

/** null if no statement can be made. */
function sourcesOf(db: Database.Database, index: string, table: string): StatementParts | null {
  try {
    const computing = computationOf(db, index, table)
    const names = rowNames(tableNamesOf(db, table))
    if (computing.kind !== 'query' || names.length === 0) return null
    const { from, where, terms } = computing
    return {
      entries: `${quoteName(table)} INDEXED BY ${quoteName(index)}${where}`,
      rows: from + where,
      names: names.join(', '),
      whole: [...names, ...terms.filter((term) => !names.includes(term)).map((term) => `${term} COLLATE BINARY`)].join(
        ', ',
      ),
    }
  } catch (error) {
    if (error instanceof Database.SqliteError) return null
    throw error
  }
}

/**
 * Lists the rows that share a key with another.
 * @param collations of the columns that must be unique together
 * @returns null if columns have taken all names of the rowid
 */
export function sharedKeysQuery(
  { terms, from, where }: ComputingQuery,
  names: readonly string[],
  collations: readonly string[],
): string | null {
  if (names.length === 0) return null
  const keys = terms.slice(0, collations.length)
  const compared = keys.map((term, i) => `${term} COLLATE ${collations[i] ?? 'BINARY'}`)
  const one = compared.length === 1 ? compared.join('') : `(${compared.join(', ')})`
  const shared = `SELECT ${keys.join(', ')} FROM ${from}${where} GROUP BY ${compared.join(', ')} HAVING count(*) > 1`
  return `SELECT ${names.join(', ')} FROM ${from}${where === '' ? ' WHERE' : `${where} AND`} ${one} IN (${shared})`
}
