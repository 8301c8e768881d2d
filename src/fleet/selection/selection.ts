/** Which files a sweep takes, and in which order: the status tenant, never checked, damaged, oldest check. Pure. */

import type { LastResult } from '../../ledger/ledger.ts'
import { ageOf } from '../../model/age.ts'
import type { Target } from '../run/target.ts'
import { matchesId, requireMatches } from './id-pattern.ts'

export interface SelectionCriteria {
  /** Patterns of tenant ids; null for all. */
  readonly only: readonly string[] | null
  readonly statusTenant: string | null
  readonly lastResults: readonly LastResult[]
  /** ms since 1970. A check with a time in the future counts as very old. */
  readonly now: number
}

export interface SelectedTargets {
  readonly targets: readonly Target[]
  /** So many targets, from the first on, belong to the status tenant. */
  readonly leading: number
}

/** @throws {Failure} TENANT_UNKNOWN when a pattern matches no tenant */
export function select(
  targets: readonly Target[],
  { only, statusTenant, lastResults, now }: SelectionCriteria,
): SelectedTargets {
  const last = new Map(lastResults.map((result) => [keyOf(result), result]))
  const leads = ({ tenant }: Target): boolean => tenant === statusTenant // I1.9: monitoring depends on it.
  const whenOf = (at: number): number => (ageOf(at, now) === null ? 0 : at)
  const rank = (target: Target): readonly [number, number] => {
    const result = last.get(keyOf(target))
    if (leads(target)) return [0, 0]
    if (!result) return [1, 0]
    // A file counts as damaged, and as old, until a full check finds it sound.
    if (result.verdict !== 'sound' || result.settled?.verdict === 'damaged') return [2, whenOf(result.at)]
    return [3, whenOf(result.settled?.at ?? 0)]
  }
  const chosen = only === null ? targets : matching(targets, only)
  const ordered = chosen
    .map((target) => ({ target, rank: rank(target) }))
    .toSorted((a, b) => a.rank[0] - b.rank[0] || a.rank[1] - b.rank[1])
    .map(({ target }) => target)
  return { targets: ordered, leading: chosen.filter(leads).length }
}

function matching(targets: readonly Target[], patterns: readonly string[]): readonly Target[] {
  requireMatches(patterns, new Set(targets.flatMap(({ tenant }) => tenant ?? [])))
  return targets.filter(({ tenant }) => tenant !== null && patterns.some((pattern) => matchesId(tenant, pattern)))
}

const keyOf = ({ tenant, ...file }: Target | LastResult): string =>
  JSON.stringify([tenant, 'named' in file ? file.named : file.path])
