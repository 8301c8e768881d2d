/** Merges facts about the same thing: repeated messages, and what both our page accounting and SQLite report. */

import type { Finding, FoundObject, Rule } from '../../model/result/finding.ts'
import type { Reading } from '../../model/result/reading.ts'
import { count } from '../../text/count.ts'
import { limitOf } from '../limits.ts'
import { nameObject, writeSentence } from '../sentence.ts'
import type { Observation } from './observation.ts'

/**
 * Leaves out messages that came twice, because the check reads the whole file first and then table by table. Only
 * messages with a page or a position of a row can be recognized. Others come once for each row, and all count.
 */
export function withoutRepeats(observations: readonly Observation[]): readonly Observation[] {
  const seen = new Set<string>()
  return observations.filter((observation) => {
    const { page, target, ordinal, rule } = observation
    if (page === null && target === null && ordinal === null && !oncePerObject.has(rule)) return true
    const text = JSON.stringify(observation)
    if (seen.has(text)) return false
    seen.add(text)
    return true
  })
}

const oncePerObject = new Set([
  'index-count-differs',
  'fts-broken',
  'rtree-broken',
  'freelist-broken',
  'pointer-map-wrong',
  'page-unreadable',
  'schema-unreadable',
  'not-a-database',
])

/**
 * Tables and indexes for which the schema has no tree, or one that SQLite refuses. What SQLite says about their
 * entries, or about stopping there, is no news.
 */
export interface ObjectsWithoutTree {
  readonly names: ReadonlySet<string>
  /** These tables, and those with such an index. */
  readonly tables: ReadonlySet<string>
}

export function objectsWithoutTree({ facts }: Pick<Reading, 'facts'>): ObjectsWithoutTree {
  const lacking = facts.flatMap((fact): readonly Pick<FoundObject, 'name' | 'table'>[] => {
    if (fact.kind === 'refused') return [{ name: fact.name, table: fact.table }]
    return fact.kind === 'found' && fact.finding.rule === 'schema-incomplete' ? [fact.finding.object] : []
  })
  return {
    names: new Set(lacking.map(({ name }) => name)),
    tables: new Set(lacking.flatMap(({ table }) => table ?? [])),
  }
}

/**
 * Leaves out what SQLite says about the number of entries of an index with functions that it does not know. A program
 * with these functions may keep other entries. The same for an index without a tree. What SQLite says about pages
 * stays.
 */
export function withoutForeignIndexes(
  observations: readonly Observation[],
  { coverage }: Pick<Reading, 'coverage'>,
  lacking: ObjectsWithoutTree,
): readonly Observation[] {
  const foreign = new Set(
    coverage.skipped.flatMap(({ object, why }) => (limitOf(why) === 'unknown-function' ? [object] : [])),
  )
  const unjudged = (object: FoundObject): boolean =>
    foreign.has(object.name) || lacking.names.has(object.name) || lacking.names.has(object.table ?? '')
  return observations.filter(
    ({ rule, object }) => !(object.kind === 'index' && ofEntries.has(rule) && unjudged(object)),
  )
}

/**
 * Leaves out wrong counts. SQLite counts entries without a page that the free list names. If the census counted them
 * with this page, and they agree with the rows, the count of SQLite is wrong.
 */
export function withoutMiscounts(
  observations: readonly Observation[],
  { engine, depth, facts, content, coverage }: Reading,
): readonly Observation[] {
  if (engine !== 'census' || depth !== 'full') return observations
  const found = facts.flatMap((fact) => (fact.kind === 'found' ? [fact.finding] : []))
  const calledFree = new Set(
    found.flatMap(({ rule, object, other }) =>
      rule === 'page-used-twice' && [object.kind, other?.kind].includes('freelist') ? [object.table, other?.table] : [],
    ),
  )
  const unsure = new Set([
    ...coverage.skipped.map(({ object }) => object),
    ...found.flatMap(({ rule, object }) => (rule === 'page-used-twice' ? [] : [object.name])),
  ])
  const counted = new Set(content.flatMap(({ name }) => (unsure.has(name) ? [] : [name])))
  return observations.filter(
    ({ rule, object }) =>
      rule !== 'index-count-differs' ||
      object.table === null ||
      unsure.has(object.name) ||
      !calledFree.has(object.table) ||
      !counted.has(object.table),
  )
}

const ofEntries = new Set<Rule>([
  'index-count-differs',
  'row-missing-from-index',
  'entry-differs-from-row',
  'imprecise-real',
  'unique-violated',
])

/** Leaves out what SQLite says about a page if our page accounting says the same: ours has the trail and the object. */
export function mergeFound(
  observations: readonly Observation[],
  found: readonly Finding[],
): { readonly observations: readonly Observation[]; readonly found: readonly Finding[] } {
  const distinct = withLostPages(
    [...new Map(found.map((finding) => [JSON.stringify(finding), finding])).values()],
    observations,
  )
  const known = new Set(
    distinct.flatMap(({ rule, page, severity, object }) => [
      ...(page === undefined ? [] : [keyOf(rule, severity, page, object.kind)]),
      ...(wholeObjectRules.has(rule) ? [keyOf(rule, severity, object.name, object.kind)] : []),
    ]),
  )
  const counted = new Set(
    distinct.flatMap(({ rule, object }) =>
      countedAs(rule, object.kind).map((one) => JSON.stringify([one, object.kind, object.name])),
    ),
  )
  const anyMalformed = distinct.some(({ rule }) => rule === 'record-malformed')
  const isKnown = ({ rule, bearing, page, target, object }: Observation): boolean => {
    if (bearing !== 'unread' && counted.has(JSON.stringify([rule, object.kind, object.name]))) return true
    if (bearing !== 'damage' && bearing !== 'leak') return false
    // SQLite does not report which table or index has the record.
    if (rule === 'record-malformed' && object.kind === 'file' && anyMalformed) return true
    return [page, target, object.name].some((at) => at !== null && known.has(keyOf(rule, bearing, at, object.kind)))
  }
  return { observations: observations.filter((observation) => !isKnown(observation)), found: foldFound(distinct) }
}

/**
 * Our page accounting lists the first lost pages and counts the others. Those that SQLite names beside the listed ones
 * are among the others: they are listed too, and not counted again.
 */
function withLostPages(found: readonly Finding[], observations: readonly Observation[]): readonly Finding[] {
  const isCount = ({ rule, page, total }: Finding): boolean =>
    rule === 'page-unowned' && page === undefined && total !== undefined
  const [counted] = found.filter(isCount)
  if (counted === undefined) return found
  const listed = new Set(found.flatMap(({ rule, page }) => (rule === 'page-unowned' ? (page ?? []) : [])))
  const named = observations.flatMap(({ rule, page }) => (rule === 'page-unowned' ? (page ?? []) : []))
  const others = [...new Set(named)].filter((page) => !listed.has(page)).toSorted((a, b) => a - b)
  const { total = 0, ...lost } = counted
  const pages = others.slice(0, total)
  return [
    ...found.filter((finding) => finding !== counted),
    ...pages.map((page): Finding => ({ ...lost, page })),
    ...(total > pages.length ? [{ ...lost, total: total - pages.length }] : []),
  ]
}

/** Rules by which SQLite reports, without rows, what the census has reported with rows. */
function countedAs(rule: Rule, kind: FoundObject['kind']): readonly Rule[] {
  // SQLite may take an entry without a row for a key that the table holds twice; the census has read the rows.
  if (kind === 'index' && disagreementRules.has(rule))
    return ['index-count-differs', 'row-missing-from-index', 'entry-differs-from-row', 'unique-violated']
  return namedByRow.has(rule) ? [rule] : []
}

const namedByRow = new Set<Rule>([
  'unique-violated',
  'key-out-of-order',
  'null-in-not-null',
  'type-mismatch',
  'check-failed',
  'foreign-key-violated',
])

/** Rules that say that an index and its table disagree row by row. */
export const disagreementRules: ReadonlySet<Rule> = new Set<Rule>([
  'row-missing-from-index',
  'entry-without-row',
  'entry-differs-from-row',
])

/**
 * SQLite reports these for another page than the page accounting, or for no page; the accounting counts every fault of
 * the object.
 */
const wholeObjectRules = new Set<string>(['freelist-broken', 'pointer-map-wrong', 'wrong-depth'])

/** A page that the free list names twice is milder than one that a tree shares, and must not hide it. */
const keyOf = (rule: string, severity: string, place: number | string, kind: string): string =>
  JSON.stringify([
    rule === 'page-unreadable' ? 'page-malformed' : rule,
    severity,
    place,
    rule === 'page-used-twice' && kind === 'freelist',
  ])

/**
 * One finding lists all lost pages. Other faults of one object are listed up to a limit, and one finding counts the
 * rest.
 */
function foldFound(found: readonly Finding[]): readonly Finding[] {
  const groups = Map.groupBy(found, ({ rule, severity, object }) =>
    JSON.stringify([rule, severity, object.kind, object.name]),
  )
  return [...groups.values()].flatMap((group): readonly Finding[] => {
    const inOrder = group.toSorted((a, b) => (a.page ?? 0) - (b.page ?? 0) || (a.text < b.text ? -1 : 1))
    const apart = group[0]?.rule === 'page-unowned' ? (group.length > 1 ? 0 : 1) : foundApartMax
    const [first, ...others] = inOrder.slice(apart)
    if (!first) return inOrder
    const rest = [first, ...others]
    const pages = [...new Set(rest.flatMap(({ page }) => page ?? []))]
    const total = rest.reduce((sum, finding) => sum + (finding.total ?? 1), 0)
    const { rule, severity, source, object } = first
    const text =
      rule === 'page-unowned'
        ? writeSentence({ rule, bearing: 'leak', object, page: null, pages, total, details: [] })
        : `${count(total, 'more finding')} like this in ${nameObject(object)}; the first: ${first.text}`
    return [...inOrder.slice(0, apart), { rule, severity, source, object, total, text }]
  })
}

const foundApartMax = 20

/**
 * Content that applications write themselves is a notice. It is damage if its table is damaged, because then the damage
 * may have written it. Foreign keys stay notices.
 */
export function judgeContent(findings: readonly Finding[]): readonly Finding[] {
  const touched = new Set(
    findings.filter(({ severity }) => severity === 'damage').flatMap(({ object }) => object.table ?? []),
  )
  return findings.map((finding) =>
    finding.severity === 'notice' && contentRules.has(finding.rule) && touched.has(finding.object.table ?? '')
      ? { ...finding, severity: 'damage' }
      : finding,
  )
}

const contentRules = new Set(['type-mismatch', 'check-failed'])
