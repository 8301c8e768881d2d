/**
 * The map of a file as text: one sign for each cell, in the order of the file. Small letters are objects. Everything
 * wrong has another sign, so that it can be seen without colour.
 */

import { createColors } from 'picocolors'
import type { Finding } from '../../model/result/finding.ts'
import { pageStates } from '../../model/result/page-map.ts'
import type { BadPageRange, DrawnMap, PageState } from '../../model/result/page-map.ts'
import type { Result } from '../../model/result/report.ts'
import { count, groupDigits } from '../../text/count.ts'
import { wrapIndented, wrapLabelled, wrap } from '../../text/layout.ts'
import { renderTable } from '../../text/table.ts'
import { humanBytes } from '../../text/units.ts'
import { legibleName, legibleObject, legibleSentence } from './legible.ts'
import type { TextOptions } from './result-words.ts'

/** The letters of objects; a reader could not distinguish more. Without o and x, which look like signs. */
const letters = 'abcdefghijklmnpq'
const otherSign = '+'
const signs: Readonly<Record<Exclude<PageState, 'owned'>, string>> = {
  damaged: 'X',
  disagreeing: '#',
  unread: '?',
  unowned: '!',
  free: '.',
  reserved: '=',
  behind: '-',
}
/** What a page shows that is no page of an object. */
export const pageStateWords: Readonly<Record<Exclude<PageState, 'owned'>, string>> = {
  damaged: 'damaged',
  disagreeing: 'entries that do not agree with their rows',
  unread: 'not read: the system refused',
  unowned: 'belong to no object',
  free: 'free',
  reserved: 'pointer map and lock bytes',
  behind: 'behind the end of the database',
}
const cellsAcross = [64, 32, 16] as const
/** On a narrower terminal the names need these columns. */
const bytesFromWidth = 60
const kindsShownMax = 8
const rangesShownMax = 12
const placelessShownMax = 5

/** The lines of each result that has a map. */
export function describeMaps(results: readonly Result[], options: TextOptions): readonly string[] {
  return results.flatMap((result) => {
    const { map } = result
    if (map === undefined) return []
    const title = wrap(
      `Map of ${result.tenant === null ? '' : `${legibleName(result.tenant)}  `}${legibleName(result.path)}`,
      options.width,
    ).map((line) => createColors(options.color).bold(line))
    if (map.kind === 'none')
      return ['', ...title, ...wrapIndented(`No map: ${legibleSentence(map.why, [result.path])}`, options)]
    const owners = lettersOf(map)
    return [
      '',
      ...title,
      ...scale(map, options),
      ...picture(map, owners, options),
      ...legend(map, owners, options),
      ...placeLines(map, result.findings, options),
    ]
  })
}

/** The letters of owners, by position: first those with damage, as far as there are letters, then the largest. */
function lettersOf({ owners }: DrawnMap): ReadonlyMap<number, string> {
  const chosen = owners
    .map(({ damagedPages }, position) => ({ position, isDamaged: damagedPages > 0 }))
    .toSorted((a, b) => Number(b.isDamaged) - Number(a.isDamaged))
    .slice(0, letters.length)
  return new Map(
    chosen
      .map(({ position }) => position)
      .toSorted((a, b) => a - b)
      .map((position, i) => [position, letters[i] ?? otherSign]),
  )
}

function scale({ pages, pageSize, pagesPerCell }: DrawnMap, options: TextOptions): readonly string[] {
  const cell =
    pagesPerCell === 1
      ? 'a cell is a page'
      : `a cell is ${count(pagesPerCell, 'page')}: it shows the worst of them, otherwise the most common`
  return wrapIndented(`${count(pages, 'page')} of ${pageSize} bytes; ${cell}`, options)
}

/** Rows of cells, each after the number of its first page. */
function picture(map: DrawnMap, owners: ReadonlyMap<number, string>, options: TextOptions): readonly string[] {
  const cells = map.cells.flatMap(({ first, last, state, owner }) => {
    const sign = state === 'owned' ? ((owner === null ? undefined : owners.get(owner)) ?? otherSign) : signs[state]
    return Array.from({ length: Math.ceil((last - first + 1) / map.pagesPerCell) }, () => sign)
  })
  const numberWidth = String(map.pages).length
  const across = cellsAcross.find((cells) => 2 + numberWidth + 2 + cells <= options.width) ?? 16
  const paint = painter(options)
  return Array.from({ length: Math.ceil(cells.length / across) }, (_, row) => {
    const page = String(row * across * map.pagesPerCell + 1).padStart(numberWidth)
    return `  ${page}  ${runsOf(cells.slice(row * across, (row + 1) * across))
      .map((run) => paint(run))
      .join('')}`
  })
}

/** Joins neighbours with the same sign: a colour for each cell would be most of the output. */
function runsOf(cells: readonly string[]): readonly string[] {
  const runs: string[] = []
  for (const sign of cells) {
    if (runs.at(-1)?.startsWith(sign) === true) runs.push(runs.pop() + sign)
    else runs.push(sign)
  }
  return runs
}

/** Colours a text that begins with a sign. */
function painter(options: TextOptions): (text: string) => string {
  const colors = createColors(options.color)
  const ownerColors = [colors.cyan, colors.green, colors.blue, colors.magenta]
  return (text) => {
    const sign = text[0] ?? ''
    if (sign === signs.damaged || sign === signs.disagreeing) return colors.bold(colors.bgRed(colors.white(text)))
    if (sign === signs.unread || sign === signs.unowned) return colors.bold(colors.yellow(text))
    const letter = letters.indexOf(sign)
    return letter < 0 ? colors.dim(text) : (ownerColors[letter % ownerColors.length] ?? colors.cyan)(text)
  }
}

/** The meaning of the signs: objects with their share, then the rest of the file, then what is wrong. */
function legend(map: DrawnMap, owners: ReadonlyMap<number, string>, options: TextOptions): readonly string[] {
  const row = (sign: string, name: string, pages: number, damaged: number | null): readonly string[] => [
    `  ${sign} ${name}`,
    groupDigits(pages),
    `${((pages / Math.max(1, map.pages)) * 100).toFixed(1)} %`,
    ...(options.width < bytesFromWidth ? [] : [humanBytes(pages * map.pageSize)]),
    damaged === null || damaged === 0 ? '-' : String(damaged),
  ]
  const lettered = [...owners].flatMap(([position, letter]) => {
    const owner = map.owners[position]
    return owner === undefined ? [] : [{ letter, owner }]
  })
  const rest = map.owners.length - lettered.length + map.ownersMore
  const restPages = map.counts.owned - lettered.reduce((sum, { owner }) => sum + owner.pages, 0)
  const restDamaged = map.owners
    .filter((_, position) => !owners.has(position))
    .reduce((sum, { damagedPages }) => sum + damagedPages, 0)
  const rows = [
    ...lettered.map(({ letter, owner }) => row(letter, legibleObject(owner.object), owner.pages, owner.damagedPages)),
    ...(rest > 0 ? [row(otherSign, count(rest, 'more object'), restPages, restDamaged)] : []),
    ...(['free', 'reserved', 'behind', 'unowned', 'unread', 'disagreeing', 'damaged'] as const)
      .filter((state) => map.counts[state] > 0 || map.cells.some((cell) => cell.state === state))
      .map((state) => row(signs[state], pageStateWords[state], map.counts[state], null)),
  ]
  const paint = painter(options)
  const columns = [
    { head: '    CELL', align: 'left' },
    { head: 'PAGES', align: 'right' },
    { head: 'SHARE', align: 'right' },
    ...(options.width < bytesFromWidth ? [] : [{ head: 'BYTES', align: 'right' } as const]),
    { head: 'DAMAGED', align: 'right' },
  ] as const
  return renderTable(columns, rows, {
    ...options,
    paint: (cell, column) => (column === 0 ? `  ${paint(cell.slice(2, 3))}${cell.slice(3)}` : cell),
  })
}

/** What is wrong, in which object, and on which pages; then findings that are on no page. */
function placeLines(map: DrawnMap, findings: readonly Finding[], options: TextOptions): readonly string[] {
  const [kindsMax, rangesMax] = options.verbose ? [Infinity, 100] : [kindsShownMax, rangesShownMax]
  const kinds = [
    ...Map.groupBy(map.places, ({ state, rule, object }) =>
      JSON.stringify([state, rule, object?.kind, object?.name]),
    ).values(),
  ].toSorted((a, b) => rank(a) - rank(b))
  // A finding without a page that only counts pages which are named one by one is on the map already.
  const placed = new Set(map.places.map(({ rule, object }) => `${rule} ${object?.name}`))
  const placeless = findings.filter(
    ({ severity, rule, object, page }) =>
      severity !== 'notice' && (page === undefined || page > map.pages) && !placed.has(`${rule} ${object.name}`),
  )
  const line = (label: string, text: string): readonly string[] =>
    wrapLabelled(label, text, { indent: 2, labelWidth: 24, width: options.width })
  return [
    ...kinds
      .slice(0, kindsMax)
      .flatMap((places) => line(places[0]?.rule ?? 'not read', `${ownerOf(places)}${rangesOf(places, rangesMax)}`)),
    ...(kinds.length > kindsMax
      ? line('', `and ${count(kinds.length - kindsMax, 'more kind')} of damage; --verbose shows them`)
      : []),
    ...(map.placesMore > 0 ? line('', `and ${count(map.placesMore, 'more page')}, not listed`) : []),
    ...placeless
      .slice(0, placelessShownMax)
      .flatMap((finding) =>
        line(finding.rule, `on no page of the map: ${legibleSentence(finding.text, [finding.object.name])}`),
      ),
    ...(placeless.length > placelessShownMax
      ? line('', `and ${count(placeless.length - placelessShownMax, 'more finding')} on no page`)
      : []),
  ]
}

const rank = ([place]: readonly BadPageRange[]): number => pageStates.indexOf(place?.state ?? 'owned')

function ownerOf([place]: readonly BadPageRange[]): string {
  const object = place?.object ?? null
  return object === null || object.kind === 'file' ? '' : `${legibleObject(object)}, `
}

/** `page 152`, `pages 8-9, 12, 15 and 110 more` */
function rangesOf(places: readonly BadPageRange[], rangesMax: number): string {
  const shown = places.slice(0, rangesMax)
  const hidden = pagesOf(places.slice(rangesMax))
  const ranges = shown.map(({ first, last }) => (first === last ? String(first) : `${first}-${last}`)).join(', ')
  return `${pagesOf(places) === 1 ? 'page' : 'pages'} ${ranges}${hidden > 0 ? ` and ${groupDigits(hidden)} more` : ''}`
}

const pagesOf = (places: readonly BadPageRange[]): number =>
  places.reduce((sum, { first, last }) => sum + last - first + 1, 0)
