/**
 * What SQLite throws is put down to what our own reading found wrong; where it found nothing, to the schema or to
 * nothing known, never to the rows.
 */
import type { Finding, FoundObject, Rule } from '../../model/result/finding.ts'
import type { Reading } from '../../model/result/reading.ts'
import type { Observation } from './observation.ts'
import { theSchema } from './schema-view.ts'
import type { SchemaView } from './schema-view.ts'

export interface Explained {
  readonly observations: readonly Observation[]
  /** True for a part that was not read because SQLite broke off over damage that is already named. */
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
/** Wrong in a table or an index: reason enough for SQLite to break off. */
const reasons = new Set<Rule>([
  ...treeRules,
  'page-used-twice',
  'record-malformed',
  'rowid-out-of-order',
  'key-out-of-order',
  'index-out-of-order',
])
/** Wrong in the file: SQLite finds pages by it. */
const reasonsAnywhere = new Set<Rule>(['pointer-map-wrong', 'truncated', 'header-wrong', 'freelist-broken'])

/**
 * Tables of which our own reading came to the end: all pages of the file were accounted for, and all rows of the table
 * were decoded.
 */
export function wholeTables({ coverage, content }: Pick<Reading, 'coverage' | 'content'>): ReadonlySet<string> {
  if (coverage.pagesRead < coverage.pages || coverage.skipped.some(({ object }) => object === 'pages')) return new Set()
  return new Set(content.flatMap(({ name, digest }) => (digest === null ? [] : [name])))
}

/**
 * SQLite looks every row up in every index, and throws CORRUPT when a page of the index is broken. Where the b-tree
 * part of the check found broken pages in indexes and nowhere else, such a throw tells of them, not of the table:
 * without this, a broken index page would always read as table damage.
 * @param whole tables that were read wholly, and of which SQLite cannot know more than we do
 * @param lacking tables that have no tree, or an index without one
 */
export function explainThrows(
  observations: readonly Observation[],
  found: readonly Finding[],
  schema: SchemaView,
  whole: ReadonlySet<string>,
  lacking: ReadonlySet<string>,
): Explained {
  const isThrow = ({ rule, page, bearing }: Observation): boolean =>
    rule === 'page-unreadable' && page === null && bearing === 'damage'
  const throws = observations.filter(isThrow)
  const others = observations.filter((observation) => !isThrow(observation))
  if (throws.length === 0) return { observations, covers: () => false }

  const wrong = [
    ...others.filter(({ bearing }) => bearing === 'damage'),
    ...found.filter(({ severity }) => severity === 'damage'),
  ]
  const broken = wrong.filter(({ rule }) => treeRules.has(rule))
  const indexesOnly = broken.length > 0 && broken.every(({ object }) => object.kind === 'index')
  const brokenIndexOf = (table: string | null): Pick<Observation, 'object'> | undefined =>
    broken
      .toSorted((a, b) => (a.object.name < b.object.name ? -1 : 1))
      .find(({ object }) => table === null || isOf(object, table))
  const named = throws.some(({ object }) => object.kind !== 'file')
  const covered = new Set<string>()
  const kept = throws.flatMap((thrown): readonly Observation[] => {
    // The whole check broke off, and going table by table has since shown where.
    if (thrown.object.kind === 'file' && named) return []
    const table = thrown.object.kind === 'file' ? null : thrown.object.name
    const cover = (): void => {
      for (const name of table === null ? [] : [table, ...schema.indexesOf(table)]) covered.add(name)
    }
    const index = indexesOnly ? brokenIndexOf(table) : undefined
    if (index) {
      cover()
      return [{ ...thrown, object: index.object }]
    }
    // SQLite looked for an index without a tree.
    if (table === null ? lacking.size > 0 : lacking.has(table)) {
      cover()
      return []
    }
    const reason = wrong.some(
      ({ rule, object }) => reasonsAnywhere.has(rule) || (reasons.has(rule) && (table === null || isOf(object, table))),
    )
    if (reason || (table !== null && !whole.has(table)) || whole.size === 0) return [thrown]
    return [{ ...thrown, rule: 'engine-says', object: table === null ? theSchema : thrown.object }]
  })
  const allExplained = kept.every(({ object }) => object.kind === 'index')
  return {
    observations: [...others, ...kept],
    covers: ({ what }) => (what === null ? allExplained : covered.has(what)),
  }
}

const isOf = (object: FoundObject, table: string): boolean => object.table === table || object.name === table
