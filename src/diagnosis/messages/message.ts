/**
 * What each message of `integrity_check` and `quick_check` implicates (diagnosis/README.md). The texts follow btree.c,
 * pragma.c, fts3.c, fts5_main.c, fts5_index.c and rtree.c of 3.40 to 3.54. Before 3.42 the prefixes had no root page.
 */

import { observe } from './observation.ts'
import type { Observation } from './observation.ts'
import { readRowMessage } from './row-message.ts'
import { theFile, theFreelist } from './schema-view.ts'
import type { SchemaView } from './schema-view.ts'
import { readTreeMessage } from './tree-message.ts'
import type { TreeLocation } from './tree-message.ts'

/** What one message says: at least one observation, or none for a heading. */
export function readMessage(text: string, schema: SchemaView): readonly Observation[] {
  if (isHeading(text)) return []
  const whole = readRowMessage(text, schema)
  if (whole) return [whole]
  // The b-tree part is one row of many lines. Names of objects may contain newlines too, so a text is split into lines
  // only if it was not understood as a whole.
  const lines = text.split('\n').filter((line) => line !== '' && !isHeading(line))
  if (lines.length > 1 && lines.some((line) => readLine(line, schema)))
    return lines.map((line) => readLine(line, schema) ?? notUnderstood(line))
  const [line] = lines
  return [(line === undefined ? null : readLine(line, schema)) ?? notUnderstood(text)]
}

const isHeading = (line: string): boolean => /^\*\*\* in database [^\n]* \*\*\*\n?$/.test(line) || line.trim() === ''

const readLine = (line: string, schema: SchemaView): Observation | null =>
  readRowMessage(line, schema) ?? readPlaced(line, schema)

function readPlaced(line: string, schema: SchemaView): Observation | null {
  for (const [pattern, placeOf] of prefixes) {
    const match = pattern.exec(line)
    if (match) return readTreeMessage(line.slice(match[0].length), placeOf(match, schema), schema)
  }
  return readTreeMessage(line, { object: null, page: null }, schema)
}

type LocationOf = (match: RegExpExecArray, schema: SchemaView) => TreeLocation
const number = (text: string | undefined): number => Number(text ?? Number.NaN)

/**
 * In an auto-vacuum file SQLite says `right child` also for cells that come after it: the page is right, this word is
 * not.
 */
const prefixes: readonly (readonly [RegExp, LocationOf])[] = [
  [
    /^Tree (\d+) page (\d+)(?: cell \d+| right child)?: /,
    ([, root, page], schema) => ({ object: schema.atRoot(number(root)), page: number(page) }),
  ],
  [
    /^(?:On tree page|On page|Page) (\d+)(?: cell -?\d+| at right child)?: (?!never used|pointer map referenced)/,
    ([, page], schema) => ({ object: schema.ownerOf(number(page)) ?? theFile, page: number(page) }),
  ],
  [/^(?:Main freelist|Freelist): /, () => ({ object: theFreelist, page: null })],
  [/^List of tree roots: /, () => ({ object: null, page: null })],
]

function notUnderstood(text: string): Observation {
  return observe('engine-says', theFile, { detail: text })
}
