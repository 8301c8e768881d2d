/** The patterns of `service.files` that name these databases: few of them, and narrow ones. */
import { basename, dirname, extname } from 'node:path'
import type { OpenDatabase } from '../../hold/live/open-databases.ts'
import { escapedPattern } from '../../text/path-pattern.ts'

export interface NamedDatabases {
  readonly pattern: string
  /** Never empty. */
  readonly databases: readonly OpenDatabase[]
}

/** So many folders with a file of the same name are one pattern. */
const alikeMin = 3

/**
 * Several databases of one folder with the same ending are one pattern, and so is one file name in several folders
 * beside each other. A program makes more of them. Every other database has its own path.
 */
export function patternsFor(databases: readonly OpenDatabase[]): readonly NamedDatabases[] {
  const byEnding = Map.groupBy(databases, ({ path }) => `${dirname(path)}/*${extname(path)}`)
  const [several, single] = partition(
    [...byEnding.values()],
    ([first, ...more]) => more.length > 0 && extname(first?.path ?? '') !== '',
  )
  const rest = single.flat()
  const byName = Map.groupBy(rest, ({ path }) => `${dirname(dirname(path))}\0${basename(path)}`)
  const [alike, others] = partition(
    [...byName.values()],
    (group) => group.length >= alikeMin && dirname(dirname(group[0]?.path ?? '')) !== '/',
  )
  return [
    ...several.map((group) =>
      namedDatabases(group, (path) => `${patternOf(dirname(path))}/*${patternOf(extname(path))}`),
    ),
    ...alike.map((group) =>
      namedDatabases(group, (path) => `${patternOf(dirname(dirname(path)))}/*/${patternOf(basename(path))}`),
    ),
    ...others.flat().map((database) => namedDatabases([database], patternOf)),
  ].toSorted((a, b) => (a.pattern < b.pattern ? -1 : 1))
}

function namedDatabases(databases: readonly OpenDatabase[], pattern: (path: string) => string): NamedDatabases {
  const [first] = databases
  return { pattern: pattern(first?.path ?? ''), databases }
}

/** A byte that is not UTF-8 cannot stand in a YAML file: `?` matches it. */
const patternOf = (path: string): string => escapedPattern(path).replaceAll(/[\udc80-\udcff]/g, '?')

function partition<Item>(items: readonly Item[], isFirst: (item: Item) => boolean): readonly [Item[], Item[]] {
  const parts: [Item[], Item[]] = [[], []]
  for (const item of items) parts[isFirst(item) ? 0 : 1].push(item)
  return parts
}
