/** Known limits of a check, recognized by the reason that a part was not read. */

import type { Reading } from '../model/result/reading.ts'
import type { AcceptedLimit, Limit, SkippedObject } from '../model/result/verdict.ts'
import { matchesGlob } from '../text/glob.ts'
import type { DiagnosisContext } from './context.ts'
import { isDamage } from './messages/refusal.ts'

const patterns: readonly (readonly [RegExp, Limit])[] = [
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
export const limitOf = (why: string): Limit | null => patterns.find(([pattern]) => pattern.test(why))?.[1] ?? null

type AcceptanceContext = Pick<DiagnosisContext, 'tenant' | 'accept'>

/** True if the configuration accepts that this object was not read for this reason. */
export const isAccepted = (part: Pick<SkippedObject, 'object' | 'why'>, accepting: AcceptanceContext): boolean =>
  entriesFor(part, accepting).length > 0

/** The entries of the configuration that accept this. */
function entriesFor(
  { object, why }: Pick<SkippedObject, 'object' | 'why'>,
  { tenant, accept }: AcceptanceContext,
): readonly AcceptedLimit[] {
  const limit = limitOf(why)
  if (limit === null || isOfWholeFile(why) || lacksColumn(why)) return []
  return accept.filter(
    (entry) =>
      entry.limit === limit &&
      (entry.tenants === null || (tenant !== null && isAmong(tenant, entry.tenants))) &&
      (entry.objects === null || isAmong(object, entry.objects)),
  )
}

/** Of a file whose format is not understood, it is not known what was not read. So nobody can accept that. */
const isOfWholeFile = (why: string): boolean => /^its format is not understood\b/.test(why)

/** No newer SQLite finds a column that its table does not have: one of the two statements may be damaged. */
const lacksColumn = (why: string): boolean => /^SQLite does not take its statement: no such column\b/.test(why)

const isAmong = (name: string, globs: readonly string[]): boolean => globs.some((glob) => matchesGlob(name, glob))

/**
 * The parts that were not read, each with its limit, and whether that is accepted. A damaged schema is not a limit.
 */
export function skippedWithLimits(
  reading: Pick<Reading, 'facts' | 'coverage' | 'writtenBy' | 'sqliteVersion'>,
  context: AcceptanceContext,
): readonly SkippedObject[] {
  const refused = reading.facts.flatMap((fact) =>
    fact.kind === 'refused' ? [{ name: fact.name, damaged: isDamage(fact, reading) }] : [],
  )
  const isDamaged = (object: string): boolean =>
    (refused.find(({ name }) => name === object) ?? refused.find(({ damaged }) => damaged))?.damaged === true
  return reading.coverage.skipped.map((part) => {
    const limit = limitOf(part.why)
    if (limit === null || (limit === 'newer-sqlite' && isDamaged(part.object))) return part
    const entries = entriesFor(part, context)
    if (entries.length === 0) return { ...part, limit }
    // No entry names the object, so nothing tells new grammar from a statement that damage has changed.
    const isUnnamed = limit === 'newer-sqlite' && entries.every(({ objects }) => objects === null)
    return { ...part, limit, accepted: true, ...(isUnnamed ? { acceptedUnnamed: true } : {}) }
  })
}
