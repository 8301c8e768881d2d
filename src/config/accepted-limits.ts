/** `check.accept`: limits of a check that the configuration accepts, as a word or as a section. */

import * as z from 'zod/mini'
import { knownLimits, type AcceptedLimit } from '../model/result/verdict.ts'
import { list, nonEmpty, oneOf, optional, plainText, required, valueNotes } from './value.ts'

/** A list of words and sections. A mistake in a section is reported with its line. */
export function acceptedLimits() {
  const entry = z.pipe(
    z.transform((given: unknown) => (typeof given === 'string' ? { limit: given } : given)),
    z.strictObject(
      {
        limit: required(oneOf(...knownLimits)),
        tenants: optional(patterns('a list of patterns of ids such as [acme, "b*"]', 'the pattern of an id'), null),
        objects: optional(patterns('a list of patterns of names such as ["vec_*"]', 'the pattern of a name'), null),
      },
      {
        error: ({ code }) =>
          code === 'invalid_type' ? 'expected a word such as unknown-module, or a section with limit' : undefined,
      },
    ),
  )
  const schema = z.pipe(
    z.transform((given: unknown) => given ?? []),
    z.array(entry, { error: () => 'expected a list such as [unknown-collation]' }),
  )
  const allowed =
    `a list; each item is one of ${knownLimits.join(', ')}, or a section with such a word as limit, ` +
    'and with tenants or objects, which are lists of patterns'
  valueNotes.add(schema, { allowed, unit: null, required: false })
  return schema
}

/**
 * Entries that accept more than they seem to. A statement of the schema that SQLite does not take may be new grammar,
 * or damage that changed one byte of it.
 */
export const doubtfulEntries = (accept: readonly AcceptedLimit[]): readonly string[] =>
  accept.some(({ limit, objects }) => limit === 'newer-sqlite' && objects === null)
    ? [
        'check.accept has newer-sqlite without objects: it also accepts a statement of the schema that damage has ' +
          'changed, and such a file is then called sound; name what uses the newer grammar, such as ' +
          '{ limit: newer-sqlite, objects: ["notes_*"] }',
      ]
    : []

const patterns = (expected: string, item: string) => nonEmpty(list(expected, plainText(item)))
