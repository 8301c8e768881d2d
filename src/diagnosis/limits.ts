/** Known limits of a check, recognized by the reason that a part was not read. */

import type { Reading } from '../model/result/reading.ts'
import type { Limit, Skipped } from '../model/result/verdict.ts'
import { isDamage } from './messages/refusal.ts'

const limits: readonly (readonly [RegExp, Limit])[] = [
  [/^its order: collation |^(?:no such|unknown) collation\b/i, 'unknown-collation'],
  [
    /^(?:no such|unknown) function\b|^(?:SQLite does not take its statement: )?wrong number of arguments to function /i,
    'unknown-function',
  ],
  [/^module [\s\S]+ is not part of this SQLite$|^(?:no such|unknown) module\b/i, 'unknown-module'],
  [/^(?:no such|unknown) tokenizer\b/i, 'unknown-tokenizer'],
  [
    /^SQLite does not take (?:its statement|the statement of its table)\b|^its format is not understood\b/,
    'newer-sqlite',
  ],
]

/** The limit that a reason stands for; null if it is none of them. */
export const limitOf = (why: string): Limit | null => limits.find(([pattern]) => pattern.test(why))?.[1] ?? null

/** The parts that were not read, each with its limit. A damaged schema is not a limit. */
export function skippedWithLimits(
  reading: Pick<Reading, 'facts' | 'coverage' | 'writtenBy' | 'sqliteVersion'>,
): readonly Skipped[] {
  const refused = reading.facts.flatMap((fact) =>
    fact.kind === 'refused' ? [{ name: fact.name, damaged: isDamage(fact, reading) }] : [],
  )
  const isDamaged = (object: string): boolean =>
    (refused.find(({ name }) => name === object) ?? refused.find(({ damaged }) => damaged))?.damaged === true
  return reading.coverage.skipped.map((part) => {
    const limit = limitOf(part.why)
    return limit === null || (limit === 'newer-sqlite' && isDamaged(part.object)) ? part : { ...part, limit }
  })
}
