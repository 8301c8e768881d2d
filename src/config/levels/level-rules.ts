/** `hold.require`: one seal level, or a list of levels, each with the tenants for which it counts. */

import * as z from 'zod/mini'
import { sealLevels } from '../../model/result/evidence.ts'
import type { LevelRule, RequiredLevel } from '../settings.ts'
import { list, nonEmpty, oneOf, optional, plainText, required, valueNotes } from '../value.ts'

/** The strongest first, as a person reads them. */
const levels = sealLevels.filter((level): level is RequiredLevel => level !== 'none').toReversed()

/** A mistake in a section of the list is reported with its line. */
export function levelRules(fallback: readonly LevelRule[]) {
  const level = oneOf(...levels)
  const rule = z.pipe(
    z.transform((given: unknown) => (typeof given === 'string' ? { level: given } : given)),
    z.strictObject(
      {
        level: required(level),
        tenants: optional(
          nonEmpty(list('a list of patterns of ids such as ["wiki-*"]', plainText('a pattern of ids'))),
          null,
        ),
      },
      {
        error: ({ code }) =>
          code === 'invalid_type' ? 'expected a level such as sealed, or a section with level and tenants' : undefined,
      },
    ),
  )
  const rules = z.array(rule, { error: () => `expected ${level.expected}, or a list of levels` })
  /** One word stands for itself: its mistake is reported at the key, not at an item of a list. */
  const asList = z.transform((given: unknown, context) => {
    if (given === undefined) return fallback
    if (typeof given !== 'string') return given
    const read = level.read(given)
    if (read !== null) return [given]
    const found = given.length > 40 ? 'a long text' : `the text ${JSON.stringify(given)}`
    context.issues.push({ code: 'custom', message: `expected ${level.expected}, found ${found}`, input: given })
    return z.NEVER
  })
  const schema = z.pipe(asList, rules)
  valueNotes.add(schema, {
    allowed:
      `${level.expected}, or a list of such levels and of sections with a level and tenants, ` +
      'which is a list of patterns of ids',
    unit: null,
    required: false,
  })
  return schema
}
