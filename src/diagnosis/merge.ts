/** Where two facts tell of one thing: repeated messages, throws that a broken page explains, our accounting and SQLite's. */
import type { Finding, FoundObject, Rule } from '../model/finding.ts'
import type { Observation } from './observation.ts'
import type { SchemaView } from './schema-view.ts'
import { nameObject, sentence } from './sentence.ts'

/**
 * Messages that name a page or a row's position are the same message when they come twice (the whole file is checked first, then table by table).
 * Messages without such a mark are one per row, and all count.
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

const oncePerObject = new Set(['index-count-differs', 'fts-broken', 'rtree-broken', 'freelist-broken', 'pointer-map-wrong', 'page-unreadable', 'schema-unreadable', 'not-a-database'])

export interface Explained {
  readonly observations: readonly Observation[]
  /** True for a part that was not read because SQLite broke off over damage that is already named. */
  covers(part: { readonly what: string | null }): boolean
}

const treeRules = new Set(['page-malformed', 'page-out-of-range', 'wrong-depth', 'overflow-broken', 'page-unreadable'])

/**
 * SQLite looks every row up in every index, and throws CORRUPT when a page of the index is broken. Where the b-tree part of the check found broken
 * pages in indexes and nowhere else, such a throw tells of them, not of the table: without this, a broken index page would always read as table damage.
 */
export function explainThrows(observations: readonly Observation[], found: readonly Finding[], schema: SchemaView): Explained {
  const isThrow = ({ rule, page, bearing }: Observation): boolean => rule === 'page-unreadable' && page === null && bearing === 'damage'
  const throws = observations.filter(isThrow)
  const others = observations.filter((observation) => !isThrow(observation))
  if (throws.length === 0) return { observations, covers: () => false }

  const broken = [...others.filter(({ bearing }) => bearing === 'damage'), ...found.filter(({ severity }) => severity === 'damage')].filter(({ rule }) => treeRules.has(rule))
  const indexesOnly = broken.length > 0 && broken.every(({ object }) => object.kind === 'index')
  const brokenIndexOf = (table: string | null): Pick<Observation, 'object'> | undefined =>
    broken.toSorted((a, b) => (a.object.name < b.object.name ? -1 : 1)).find(({ object }) => table === null || object.table === table || object.name === table)
  const named = throws.some(({ object }) => object.kind !== 'file')
  const covered = new Set<string>()
  const kept = throws.flatMap((thrown): readonly Observation[] => {
    // The whole check broke off, and going table by table has since shown where.
    if (thrown.object.kind === 'file' && named) return []
    const table = thrown.object.kind === 'file' ? null : thrown.object.name
    const index = indexesOnly ? brokenIndexOf(table) : undefined
    if (!index) return [thrown]
    for (const name of table === null ? [] : [table, ...schema.indexesOf(table)]) covered.add(name)
    return [{ ...thrown, object: index.object }]
  })
  const allExplained = kept.every(({ object }) => object.kind === 'index')
  return { observations: [...others, ...kept], covers: ({ what }) => (what === null ? allExplained : covered.has(what)) }
}

/** Our own page accounting gives the trail and the object: where both say the same of the same page, SQLite's word is left out. */
export function mergeFound(observations: readonly Observation[], found: readonly Finding[]): { readonly observations: readonly Observation[]; readonly found: readonly Finding[] } {
  const distinct = [...new Map(found.map((finding) => [JSON.stringify(finding), finding])).values()]
  const known = new Set(distinct.flatMap(({ rule, page, severity, object }) => [
    ...(page === undefined ? [] : [keyOf(rule, severity, page, object.kind)]),
    ...(wholeObjectRules.has(rule) ? [keyOf(rule, severity, object.name, object.kind)] : []),
  ]))
  const counted = new Set(distinct.flatMap(({ rule, object }) => countedAs(rule, object.kind).map((one) => JSON.stringify([one, object.kind, object.name]))))
  const anyMalformed = distinct.some(({ rule }) => rule === 'record-malformed')
  const said = ({ rule, bearing, page, target, object }: Observation): boolean => {
    if (bearing !== 'damage' && bearing !== 'leak') return false
    if (counted.has(JSON.stringify([rule, object.kind, object.name]))) return true
    // SQLite does not say whose record it is.
    if (rule === 'record-malformed' && object.kind === 'file' && anyMalformed) return true
    return [page, target, object.name].some((at) => at !== null && known.has(keyOf(rule, bearing, at, object.kind)))
  }
  return { observations: observations.filter((observation) => !said(observation)), found: foldFound(distinct) }
}

/** What SQLite says of an object in other words, and without rows, where the census has given the rows. */
function countedAs(rule: Rule, kind: FoundObject['kind']): readonly Rule[] {
  if (kind === 'index' && disagreements.has(rule)) return ['index-count-differs', 'row-missing-from-index', 'entry-differs-from-row']
  return rule === 'unique-violated' || rule === 'key-out-of-order' ? [rule] : []
}

/** An index and its table hold different things, row by row. */
export const disagreements: ReadonlySet<Rule> = new Set<Rule>(['row-missing-from-index', 'entry-without-row', 'entry-differs-from-row'])

/** SQLite tells these of another page than the accounting does, or of none; the accounting counts every fault of the object. */
const wholeObjectRules = new Set<string>(['freelist-broken', 'pointer-map-wrong', 'wrong-depth'])

/** A page that the free list names twice is another matter than one that a tree shares: the milder must not hide the graver. */
const keyOf = (rule: string, severity: string, place: number | string, kind: string): string =>
  JSON.stringify([rule === 'page-unreadable' ? 'page-malformed' : rule, severity, place, rule === 'page-used-twice' && kind === 'freelist'])

/** Lost pages in one finding that lists them; other faults of one object apart up to a bound, and the rest counted. */
function foldFound(found: readonly Finding[]): readonly Finding[] {
  const groups = Map.groupBy(found, ({ rule, severity, object }) => JSON.stringify([rule, severity, object.kind, object.name]))
  return [...groups.values()].flatMap((group): readonly Finding[] => {
    const inOrder = group.toSorted((a, b) => (a.page ?? 0) - (b.page ?? 0) || (a.text < b.text ? -1 : 1))
    const apart = group[0]?.rule === 'page-unowned' ? (group.length > 1 ? 0 : 1) : foundApartMax
    const [first, ...others] = inOrder.slice(apart)
    if (!first) return inOrder
    const rest = [first, ...others]
    const pages = [...new Set(rest.flatMap(({ page }) => page ?? []))]
    const total = rest.reduce((sum, finding) => sum + (finding.total ?? 1), 0)
    const { rule, severity, source, object } = first
    const text = rule === 'page-unowned' ? sentence({ rule, bearing: 'leak', object, page: null, pages, total, details: [] }) : `${total} more of ${nameObject(object)}, the first: ${first.text}`
    return [...inOrder.slice(0, apart), { rule, severity, source, object, total, text }]
  })
}

const foundApartMax = 20

/** Content that applications write themselves is a notice, unless its table is damaged: then the damage may be what wrote it. Foreign keys stay notices. */
export function judgeContent(findings: readonly Finding[]): readonly Finding[] {
  const touched = new Set(findings.filter(({ severity }) => severity === 'damage').flatMap(({ object }) => object.table ?? []))
  return findings.map((finding) => (finding.severity === 'notice' && contentRules.has(finding.rule) && touched.has(finding.object.table ?? '') ? { ...finding, severity: 'damage' } : finding))
}

const contentRules = new Set(['type-mismatch', 'check-failed'])
