/**
 * Child side: indexes whose entries another version of SQLite computed, and which differ from our results only by
 * rounding. By the rules of their writer they are not damaged, and a rebuild with this version would break them.
 */
import type Database from 'better-sqlite3'
import type { EntryPair, UnmatchedEntries } from '../../../census/differences/unmatched-entries.ts'
import { fromSql } from '../../../census/plan.ts'
import type { IndexPlan } from '../../../census/plan.ts'
import { differByRounding } from '../../../census/record/rounding.ts'
import type { SkippedObject } from '../../../model/result/verdict.ts'
import { readHeader } from '../../../sqlite/header.ts'
import { versionText } from '../../../sqlite/version.ts'
import type { PageCounter } from '../pages/page-counter.ts'
import type { EntryComputation } from './computed-entries.ts'

type Query = Extract<EntryComputation, { kind: 'query' }>

/** @returns those indexes, as what this SQLite cannot judge */
export function findRoundingDifferences(
  { plan, file }: PageCounter,
  db: Database.Database,
  queries: ReadonlyMap<number, Query>,
  unmatched: UnmatchedEntries,
): readonly SkippedObject[] {
  const ours = db.prepare<[], string>('SELECT sqlite_version()').pluck().get()
  const firstPage = new Uint8Array(plan.pageSize)
  const header = file.read(1, firstPage) === 'unread' ? null : readHeader(firstPage.subarray(0, 100))
  const writer = header?.kind === 'header' ? versionText(header.header.sqliteVersion) : null
  if (writer === null || writer === ours) return []
  return [...unmatched.trees].flatMap((tree): readonly SkippedObject[] => {
    const [index, query] = [plan.trees[tree], queries.get(tree)]
    if (index?.kind !== 'index' || query === undefined) return []
    const pairs = unmatched.pairsOf(tree, file)
    if (pairs === null || !pairs.every((pair) => isRounded(index, query, pair))) return []
    const why =
      `SQLite ${writer} wrote the file, and SQLite ${ours} rounds ${pairs.length} of its computed values otherwise: ` +
      `check it with that version (PRAGMA integrity_check)`
    return [{ object: index.object.name, why }]
  })
}

const isRounded = ({ parts }: IndexPlan, { terms }: Query, { expected, actual }: EntryPair): boolean =>
  parts.every(({ source }, i) => {
    const [one = null, other = null] = [expected[i], actual[i]]
    if (source === fromSql && dependsOnVersion(terms[i] ?? '')) return differByRounding(one, other)
    return JSON.stringify(one) === JSON.stringify(other)
  })

/**
 * Arithmetic is the same in all versions; functions, casts and text made of numbers are not. A term has brackets. A
 * generated column is only a name, so its expression may be anything.
 */
const dependsOnVersion = (term: string): boolean =>
  !term.startsWith('(') || /[\w"\]`]\s*\(|\|\||->|\bcast\b/i.test(term.slice(1))
