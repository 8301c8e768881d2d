/**
 * The newest results of many files, as one text between the ledger's process and ours. As objects those of 100,000
 * files took half a second of both processes.
 */

import type { TenantId } from '../../model/brand.ts'
import type { FailureCode } from '../../model/failure.ts'
import type { LastResult, RecordedCheck } from '../ledger.ts'
import type { CheckSummary } from './check-summary.ts'

type PackedCheck = readonly [
  at: number,
  run: string,
  verdict: RecordedCheck['verdict'],
  damage: RecordedCheck['damage'],
  level: RecordedCheck['level'],
  depth: RecordedCheck['depth'],
  changeCounter: number | null,
  size: number | null,
  walSalts: string | null,
  pauseMs: number | null,
]

/** `settled`: 0 if it is the newest check. */
export type PackedResult = readonly [
  tenant: string,
  path: string,
  failure: string | null,
  settledMark: string | null,
  newest: PackedCheck,
  settled: PackedCheck | 0 | null,
]

export const packCheck = (
  at: number,
  run: string,
  { verdict, damage, level, depth, changeCounter, size, walSalts, pauseMs }: CheckSummary,
): PackedCheck => [at, run, verdict, damage, level, depth, changeCounter, size, walSalts, pauseMs]

/** @param packed a list of `PackedResult` as JSON */
export function unpackResults(packed: string): readonly LastResult[] {
  const runs = new Map<string, string>()
  const unpackCheck = (check: PackedCheck): RecordedCheck => {
    const [at, named, verdict, damage, level, depth, changeCounter, size, walSalts, pauseMs] = check
    // One string for each run, not one for each file.
    const run = runs.get(named) ?? named
    runs.set(run, run)
    return { at, run, verdict, damage, level, depth, changeCounter, size, walSalts, pauseMs }
  }
  return (JSON.parse(packed) as readonly PackedResult[]).map(
    ([tenant, path, failure, settledMark, newest, settled]) => ({
      ...unpackCheck(newest),
      tenant: tenant as TenantId,
      path,
      failure: failure as FailureCode | null,
      settled: settled === null ? null : unpackCheck(settled === 0 ? newest : settled),
      settledMark,
    }),
  )
}
