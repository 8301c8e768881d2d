/** How the text of a column becomes a value: the same for both kinds of database. */

import { loadPg } from './optional-packages.ts'

/** @param text null: the value is NULL */
export type ReadColumn = (type: number, text: string | null) => unknown
type ParseText = (text: string) => unknown

/** Object ids of types, as PostgreSQL has them in pg_type. */
const int8 = 20
const numeric = 1700
const date = 1082
const int8Array = 1016

/** @throws {Failure} FLEET_PACKAGE_MISSING */
export async function columnTypes(): Promise<{
  readonly parserOf: (type: number) => ParseText
  readonly read: ReadColumn
}> {
  const { types } = (await loadPg()).default
  const ours = new Map<number, ParseText>([
    // Beyond 2^53 a number loses digits. Fences and counts stay far below.
    [int8, Number],
    [numeric, Number],
    [date, (text) => text],
    [int8Array, (text) => (text === '{}' ? [] : text.slice(1, -1).split(',').map(Number))],
  ])
  const parserOf = (type: number): ParseText => ours.get(type) ?? (types.getTypeParser(type, 'text') as ParseText)
  return { parserOf, read: (type, text) => (text === null ? null : parserOf(type)(text)) }
}
