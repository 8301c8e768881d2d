/** Where two facts tell of one thing: repeated messages, our accounting and SQLite's. */
import type { Finding, FoundObject, Rule } from '../../model/result/finding.ts'
import type { Reading } from '../../model/result/reading.ts'
import { count } from '../../text/count.ts'
import { limitOf } from '../limits.ts'
import { nameObject, sentence } from '../sentence.ts'
import type { Observation } from './observation.ts'

/**
 * Messages that name a page or a row's position are the same message when they come twice (the whole file is checked
 * first, then table by table). Messages without such a mark are one per row, and all count.
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
 * Tables and indexes for which the schema has no tree, or none that SQLite takes: its words on their entries, and over
 * what it broke off, say nothing more.
 */
export interface Lacking {
  readonly names: ReadonlySet<string>
  /** Tables that are among them, or have an index that is. */
  readonly tables: ReadonlySet<string>
}

export function lackingTrees({ facts }: Pick<Reading, 'facts'>): Lacking {
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
 * Of an index that calls functions which are not known here, SQLite may say that it has not as many entries as its
 * table: whoever has the functions may keep it in a way of their own. An index without a tree has none. What SQLite
 * says of pages stays.
 */
export function withoutForeignIndexes(
  observations: readonly Observation[],
  { coverage }: Pick<Reading, 'coverage'>,
  lacking: Lacking,
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
 * SQLite takes a page that the free list names for lost to its tree, and counts the entries without it. Where the
 * census has counted them with it, and they agree with the rows, that count is no finding.
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

/**
 * Our own page accounting gives the trail and the object: where both say the same of the same page, SQLite's word is
 * left out.
 */
export function mergeFound(
  observations: readonly Observation[],
  found: readonly Finding[],
): { readonly observations: readonly Observation[]; readonly found: readonly Finding[] } {
  const distinct = [...new Map(found.map((finding) => [JSON.stringify(finding), finding])).values()]
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
  const said = ({ rule, bearing, page, target, object }: Observation): boolean => {
    if (bearing !== 'unread' && counted.has(JSON.stringify([rule, object.kind, object.name]))) return true
    if (bearing !== 'damage' && bearing !== 'leak') return false
    // SQLite does not say whose record it is.
    if (rule === 'record-malformed' && object.kind === 'file' && anyMalformed) return true
    return [page, target, object.name].some((at) => at !== null && known.has(keyOf(rule, bearing, at, object.kind)))
  }
  return { observations: observations.filter((observation) => !said(observation)), found: foldFound(distinct) }
}

/** What SQLite says of an object in other words, and without rows, where the census has given the rows. */
function countedAs(rule: Rule, kind: FoundObject['kind']): readonly Rule[] {
  // An entry without a row may look to SQLite like a key that the table holds twice: the census has asked the rows.
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

/** An index and its table hold different things, row by row. */
export const disagreementRules: ReadonlySet<Rule> = new Set<Rule>([
  'row-missing-from-index',
  'entry-without-row',
  'entry-differs-from-row',
])

/**
 * SQLite tells these of another page than the accounting does, or of none; the accounting counts every fault of the
 * object.
 */
const wholeObjectRules = new Set<string>(['freelist-broken', 'pointer-map-wrong', 'wrong-depth'])

/**
 * A page that the free list names twice is another matter than one that a tree shares: the milder must not hide the
 * graver.
 */
const keyOf = (rule: string, severity: string, place: number | string, kind: string): string =>
  JSON.stringify([
    rule === 'page-unreadable' ? 'page-malformed' : rule,
    severity,
    place,
    rule === 'page-used-twice' && kind === 'freelist',
  ])

/** Lost pages in one finding that lists them; other faults of one object apart up to a bound, and the rest counted. */
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
        ? sentence({ rule, bearing: 'leak', object, page: null, pages, total, details: [] })
        : `${count(total, 'more finding')} like this in ${nameObject(object)}; the first: ${first.text}`
    return [...inOrder.slice(0, apart), { rule, severity, source, object, total, text }]
  })
}

const foundApartMax = 20

/**
 * Content that applications write themselves is a notice, unless its table is damaged: then the damage may be what
 * wrote it. Foreign keys stay notices.
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
