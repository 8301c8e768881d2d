/**
 * Which files a sweep takes, and in which order: the status tenant, what the last sweep did not reach, never checked,
 * damaged, oldest check. Pure.
 */

import type { LastResult } from '../../ledger/ledger.ts'
import { ageOf } from '../../model/age.ts'
import type { SweepScope } from '../../model/event.ts'
import type { Target } from '../begin/target.ts'
import { matchesId, requireMatches } from './id-pattern.ts'
import { isPartOfSweep, type KnownResults } from './known-results.ts'

/** `due`: the most urgent first. `registry`: as the service lists them. The status tenant is first in both. */
export const sweepOrders = ['due', 'registry'] as const
export type SweepOrder = (typeof sweepOrders)[number]

export interface SelectionCriteria {
  /** Patterns of tenant ids; null for all. */
  readonly only: readonly string[] | null
  readonly order: SweepOrder
  readonly statusTenant: string | null
  readonly known: KnownResults
  /** The last sweep, if it ended before it had reached all that it took: what it left comes first. Null if it did. */
  readonly unfinished: SweepScope | null
  /** ms since 1970. A check with a time in the future counts as very old. */
  readonly now: number
}

/** @throws {Failure} TENANT_UNKNOWN when a pattern matches no tenant */
export function select(targets: readonly Target[], criteria: SelectionCriteria): readonly Target[] {
  const chosen = criteria.only === null ? targets : selectMatching(targets, criteria.only)
  return chosen
    .map((target) => ({ target, rank: rankOf(target, criteria) }))
    .toSorted((a, b) => a.rank[0] - b.rank[0] || a.rank[1] - b.rank[1])
    .map(({ target }) => target)
}

/** So many targets, from the first on, belong to the status tenant. */
export function countLeading(targets: readonly Target[], statusTenant: string | null): number {
  const first = targets.findIndex(({ tenant }) => tenant !== statusTenant)
  return first === -1 ? targets.length : first
}

function rankOf(target: Target, criteria: SelectionCriteria): readonly [number, number] {
  const { statusTenant, order, known, unfinished, now } = criteria
  if (target.tenant === statusTenant) return [0, 0] // I1.9: monitoring depends on it.
  if (order === 'registry') return [1, 0]
  const result = known.of(target)
  const whenOf = (at: number): number => (ageOf(at, now) === null ? 0 : at)
  if (unfinished !== null && wasLeft(target, result, unfinished, now)) return [1, whenOf(result?.at ?? 0)]
  if (!result) return [2, 0]
  // A file counts as damaged, and as old, until a full check finds it sound.
  if (result.verdict !== 'sound' || result.settled?.verdict === 'damaged') return [3, whenOf(result.at)]
  return [4, whenOf(result.settled?.at ?? 0)]
}

const wasLeft = ({ tenant }: Target, result: LastResult | null, sweep: SweepScope, now: number): boolean =>
  !isPartOfSweep(result, sweep, now) && takes(sweep, tenant)

const takes = ({ only }: SweepScope, tenant: Target['tenant']): boolean =>
  only === null || (tenant !== null && only.some((pattern) => matchesId(tenant, pattern)))

function selectMatching(targets: readonly Target[], patterns: readonly string[]): readonly Target[] {
  requireMatches(patterns, new Set(targets.flatMap(({ tenant }) => tenant ?? [])))
  return targets.filter(({ tenant }) => tenant !== null && patterns.some((pattern) => matchesId(tenant, pattern)))
}
