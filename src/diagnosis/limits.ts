/** Known limits of a check, by the reason that a part was not read (interfaces.md, "Accepting a known limit"). */

import type { Limit, Skipped } from '../model/verdict.ts'

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

/** null where the reason is none of them. */
export const limitOf = (why: string): Limit | null => limits.find(([pattern]) => pattern.test(why))?.[1] ?? null

/** The same parts, each with the limit that kept it from being read. */
export const withLimits = (skipped: readonly Skipped[]): readonly Skipped[] =>
  skipped.map((part) => {
    const limit = limitOf(part.why)
    return limit === null ? part : { ...part, limit }
  })
