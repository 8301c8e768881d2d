/** Known limits of a check, by the reason that a part was not read (interfaces.md, "Accepting a known limit"). */

export type Limit = 'unknown-collation' | 'unknown-function' | 'unknown-module' | 'unknown-tokenizer' | 'newer-sqlite'

const limits: readonly (readonly [RegExp, Limit])[] = [
  [/^its order: collation |^(?:no such|unknown) collation\b/i, 'unknown-collation'],
  [/^(?:no such|unknown) function\b|^wrong number of arguments to function /i, 'unknown-function'],
  [/^module [\s\S]+ is not part of this SQLite$|^(?:no such|unknown) module\b/i, 'unknown-module'],
  [/^(?:no such|unknown) tokenizer\b/i, 'unknown-tokenizer'],
  [
    /^SQLite does not take (?:its statement|the statement of its table)\b|^its format is not understood\b/,
    'newer-sqlite',
  ],
]

/** null where the reason is none of them. */
export const limitOf = (why: string): Limit | null => limits.find(([pattern]) => pattern.test(why))?.[1] ?? null
