/**
 * Explains an error of SQLite by the damage that our own reading found. If it found none, the cause is the schema or
 * unknown, never the rows.
 */

import type { Finding, FoundObject, Rule } from '../../model/result/finding.ts'
import type { Reading } from '../../model/result/reading.ts'
import type { Observation } from './observation.ts'
import { theSchema } from './schema-view.ts'
import type { SchemaView } from './schema-view.ts'

export interface ThrowExplanation {
  readonly observations: readonly Observation[]
  /** True for a part that was not read because SQLite stopped at damage that a finding already names. */
  covers(part: { readonly what: string | null }): boolean
}

/** A broken page of a tree. */
const treeRules = new Set<Rule>([
  'page-malformed',
  'page-out-of-range',
  'wrong-depth',
  'overflow-broken',
  'page-unreadable',
])
/** Damage of a table or an index at which SQLite may stop. */
const reasons = new Set<Rule>([
  ...treeRules,
  'page-used-twice',
  'record-malformed',
  'rowid-out-of-order',
  'key-out-of-order',
  'index-out-of-order',
])
const virtualTableRules = new Set<Rule>(['fts-broken', 'rtree-broken'])
/** Damage of the file by which SQLite may not find pages. */
const reasonsAnywhere = new Set<Rule>(['pointer-map-wrong', 'truncated', 'header-wrong', 'freelist-broken'])

/**
 * Tables that our own reading finished: all pages of the file are accounted for, and all rows of the table are decoded.
 */
export function wholeTables({ coverage, content }: Pick<Reading, 'coverage' | 'content'>): ReadonlySet<string> {
  if (coverage.pagesRead < coverage.pages || coverage.skipped.some(({ object }) => object === 'pages')) return new Set()
  return new Set(content.flatMap(({ name, digest }) => (digest === null ? [] : [name])))
}

/**
 * SQLite looks up every row in every index, and throws CORRUPT at a broken page of an index. If the b-tree part of the
 * check found broken pages only in indexes, such an error is about them, not about the table. Without this, a broken
 * index page would always look like table damage.
 * @param whole tables that our reading finished, so that SQLite cannot know more
 * @param lacking tables without a tree, or with an index without one
 */
export function explainThrows(
  observations: readonly Observation[],
  found: readonly Finding[],
  schema: SchemaView,
  whole: ReadonlySet<string>,
  lacking: ReadonlySet<string>,
): ThrowExplanation {
  const others = observations.filter((observation) => !isThrow(observation))
  const throws = observations.filter((observation) => isThrow(observation) && !isOfVirtualTable(observation, others))
  if (throws.length === 0) return { observations: others, covers: () => false }
  const wrong: readonly RuleAndObject[] = [
    ...others.filter(({ bearing }) => bearing === 'damage'),
    ...found.filter(({ severity }) => severity === 'damage'),
  ]
  const ofTables = throws.filter(({ object }) => object.kind !== 'file')
  // If the whole check stopped, the checks table by table have shown where.
  const explained = (ofTables.length > 0 ? ofTables : throws).map((thrown) =>
    explainThrow(thrown, wrong, whole, lacking),
  )
  const covered = new Set(
    explained.flatMap(({ table, isNamed }) => (isNamed && table !== null ? [table, ...schema.indexesOf(table)] : [])),
  )
  const kept = explained.flatMap(({ observation }) => observation ?? [])
  const allNamed = kept.every(({ object }) => object.kind === 'index')
  return { observations: [...others, ...kept], covers: ({ what }) => (what === null ? allNamed : covered.has(what)) }
}

type RuleAndObject = Pick<Observation, 'rule' | 'object'>

const isThrow = ({ rule, page, bearing }: Observation): boolean =>
  rule === 'page-unreadable' && page === null && bearing === 'damage'

/** True for an error of the whole check that came again when the table of a module was checked alone. */
const isOfVirtualTable = ({ object, detail }: Observation, others: readonly Observation[]): boolean =>
  object.kind === 'file' && others.some((other) => virtualTableRules.has(other.rule) && other.detail === detail)

/**
 * `table`: null for an error of the whole check. `observation`: null if a fact names the cause already. `isNamed`: the
 * cause is named, so that parts which were not read because of it are covered.
 */
interface ExplainedThrow {
  readonly table: string | null
  readonly observation: Observation | null
  readonly isNamed: boolean
}

function explainThrow(
  thrown: Observation,
  wrong: readonly RuleAndObject[],
  whole: ReadonlySet<string>,
  lacking: ReadonlySet<string>,
): ExplainedThrow {
  const table = thrown.object.kind === 'file' ? null : thrown.object.name
  const index = brokenIndex(table, wrong)
  if (index) return { table, observation: { ...thrown, object: index }, isNamed: true }
  // SQLite searched in an index without a tree.
  if (table === null ? lacking.size > 0 : lacking.has(table)) return { table, observation: null, isNamed: true }
  const reason = wrong.some(
    ({ rule, object }) => reasonsAnywhere.has(rule) || (reasons.has(rule) && (table === null || isOf(object, table))),
  )
  if (reason || (table !== null && !whole.has(table)) || whole.size === 0)
    return { table, observation: thrown, isNamed: false }
  const object = table === null ? theSchema : thrown.object
  return { table, observation: { ...thrown, rule: 'engine-says', object }, isNamed: false }
}

/** The first broken index of the table, or of any table for null; undefined if anything but indexes is broken. */
function brokenIndex(table: string | null, wrong: readonly RuleAndObject[]): FoundObject | undefined {
  const broken = wrong.flatMap(({ rule, object }) => (treeRules.has(rule) ? [object] : []))
  if (broken.some(({ kind }) => kind !== 'index')) return undefined
  return broken.toSorted((a, b) => (a.name < b.name ? -1 : 1)).find((object) => table === null || isOf(object, table))
}

const isOf = (object: FoundObject, table: string): boolean => object.table === table || object.name === table
