/**
 * A row of the schema that SQLite refuses: it is damaged, or this SQLite does not understand it (diagnosis/README.md).
 */

import type { Fact, Reading } from '../../model/result/reading.ts'
import { isNewer } from '../../sqlite/version.ts'

type RefusalFact = Extract<Fact, { kind: 'refused' }>

/** What every SQLite that we know would say about a schema that lost something. */
const lost = [
  /^orphan index|^invalid rootpage|^incomplete input|^unrecognized token|^no such table: /,
  /^there is (?:another|already)|^SQLite gives no reason/,
]
/** What SQLite says about words, options, types, limits or functions that another SQLite may have. */
const foreign = [
  /^near "[\s\S]*": syntax error$|^unknown (?:table option|datatype)|^error in generated column/,
  /^too many |^parser stack overflow|^Expression tree is too large/,
  / prohibited in |^no such (?:function|module|collation)|^unsupported use of /,
  /^wrong number of arguments to function |may not be indexed$/,
  /^AUTOINCREMENT |^default value of column |^cannot create (?:INSTEAD OF|BEFORE) trigger/,
]
const isAmong = (why: string, patterns: readonly RegExp[]): boolean => patterns.some((pattern) => pattern.test(why))

/**
 * True if the row is damaged. A text that is not SQL at all is damage. What a newer SQLite wrote, or words that we do
 * not know, is not.
 */
export function isDamage(
  refused: RefusalFact,
  { writtenBy, sqliteVersion }: Pick<Reading, 'writtenBy' | 'sqliteVersion'>,
): boolean {
  const { why, statement } = refused
  if (statement === 'torn' || isAmong(why, lost)) return true
  if (writtenBy !== null && isNewer(writtenBy, sqliteVersion)) return false
  return statement === 'unlike' || !isAmong(why, foreign)
}
