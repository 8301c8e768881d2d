/**
 * The few facts of a check that `status` and a sweep need of every tenant. They are stored beside the event: to read
 * ten thousand whole results took most of a second.
 */

import * as z from 'zod/mini'
import type { FailureCode } from '../../model/failure.ts'
import { sealLevels } from '../../model/result/evidence.ts'
import { damageClasses } from '../../model/result/finding.ts'

const shape = z.object({
  verdict: z.enum(['sound', 'damaged', 'inconclusive', 'failed']),
  damage: z.enum(damageClasses),
  level: z.enum(sealLevels),
  depth: z.enum(['quick', 'full']),
  changeCounter: z.nullable(z.number()),
  size: z.nullable(z.number()),
  walSalts: z.nullable(z.string()),
  pauseMs: z.nullable(z.number()),
  ranOutMs: z._default(z.nullable(z.number()), null),
  /** Any text: a newer holdfast may know failures that this one does not. */
  failure: z.nullable(
    z.pipe(
      z.string(),
      z.transform((code) => code as FailureCode),
    ),
  ),
})
export type CheckSummary = z.infer<typeof shape>

/** null for text that `lineRow` did not write. */
export function readCheckSummary(text: string | null): CheckSummary | null {
  try {
    return text === null ? null : (shape.safeParse(JSON.parse(text)).data ?? null)
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}
