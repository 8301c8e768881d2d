/**
 * The few facts of a check that `status` and a sweep need of every tenant. They are stored beside the event: to read
 * ten thousand whole results took most of a second.
 */

import type { FailureCode } from '../../model/failure.ts'
import { sealLevels, type SealLevel } from '../../model/result/evidence.ts'
import { damageClasses, type DamageClass } from '../../model/result/finding.ts'
import { checkDepths, type CheckDepth } from '../../model/result/reading.ts'
import type { VerdictWord } from '../../model/result/verdict.ts'
import { jsonOrNull } from '../../text/json-text.ts'

export interface CheckSummary {
  readonly verdict: VerdictWord
  readonly damage: DamageClass
  readonly level: SealLevel
  readonly depth: CheckDepth
  readonly changeCounter: number | null
  readonly size: number | null
  readonly walSalts: string | null
  readonly pauseMs: number | null
  /** See `liveSetMark`; null for older lines, and without a proof. */
  readonly mark: string | null
  readonly ranOutMs: number | null
  /** Any text: a newer holdfast may know failures that this one does not. */
  readonly failure: FailureCode | null
}

const words = {
  verdict: new Set<unknown>(['sound', 'damaged', 'inconclusive', 'failed']),
  damage: new Set<unknown>(damageClasses),
  level: new Set<unknown>(sealLevels),
  depth: new Set<unknown>(checkDepths),
}
const isNumber = (value: unknown): boolean => value === null || typeof value === 'number'
const isText = (value: unknown): boolean => value === null || typeof value === 'string'

/**
 * null for text that `lineRow` did not write. Without a library: it is read for each of 100,000 files when a monitor
 * asks.
 */
export function readCheckSummary(text: string | null): CheckSummary | null {
  const found = text === null ? null : jsonOrNull(text)
  if (typeof found !== 'object' || found === null) return null
  const summary = found as { -readonly [Key in keyof CheckSummary]: unknown }
  if (summary.mark === undefined) summary.mark = null
  if (summary.ranOutMs === undefined) summary.ranOutMs = null
  const fits =
    words.verdict.has(summary.verdict) &&
    words.damage.has(summary.damage) &&
    words.level.has(summary.level) &&
    words.depth.has(summary.depth) &&
    isNumber(summary.changeCounter) &&
    isNumber(summary.size) &&
    isNumber(summary.pauseMs) &&
    isNumber(summary.ranOutMs) &&
    isText(summary.walSalts) &&
    isText(summary.mark) &&
    isText(summary.failure)
  return fits ? (summary as CheckSummary) : null
}
