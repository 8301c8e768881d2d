/**
 * A row of the schema that SQLite refuses: wrong under the rules of whoever wrote it, or merely not understood here
 * (diagnosis/README.md, "Understood or not").
 */
import type { Fact, Reading } from '../../model/result/reading.ts'
import { isNewer } from '../../sqlite/version.ts'

type Refused = Extract<Fact, { kind: 'refused' }>

/** What any SQLite that we know would say of a schema that lost something. */
const lost = [
  /^orphan index|^invalid rootpage|^incomplete input|^unrecognized token|^no such table: /,
  /^there is (?:another|already)|^SQLite gives no reason/,
]
/** Words, options, types, limits or functions that another SQLite may have. */
const foreign = [
  /^near "[\s\S]*": syntax error$|^unknown (?:table option|datatype)|^error in generated column/,
  /^too many |^parser stack overflow|^Expression tree is too large/,
  / prohibited in |^no such (?:function|module|collation)|^unsupported use of |^wrong number of arguments to function |may not be indexed$/,
  /^AUTOINCREMENT |^default value of column |^cannot create (?:INSTEAD OF|BEFORE) trigger/,
]
const isAmong = (why: string, patterns: readonly RegExp[]): boolean => patterns.some((pattern) => pattern.test(why))

/**
 * Is it damage? A statement that is no SQL at all is, by anybody's rules. What a newer SQLite wrote is not ours to
 * judge, nor are words that we do not know.
 */
export function isDamage(
  refused: Refused,
  { writtenBy, sqliteVersion }: Pick<Reading, 'writtenBy' | 'sqliteVersion'>,
): boolean {
  const { why, statement } = refused
  if (statement === 'torn' || isAmong(why, lost)) return true
  if (writtenBy !== null && isNewer(writtenBy, sqliteVersion)) return false
  return statement === 'unlike' || !isAmong(why, foreign)
}
