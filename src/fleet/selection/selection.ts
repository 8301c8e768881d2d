/** Which files a sweep takes, and in which order (operations.md, Sweep). Pure. */

import type { LastResult } from '../../ledger/ledger.ts'
import { ageOf } from '../../model/age.ts'
import type { Target } from '../run/run-context.ts'
import { matchesId, requireMatches } from './id-pattern.ts'

export interface SelectionCriteria {
  /** Patterns of tenant ids; null for all. */
  readonly only: readonly string[] | null
  readonly statusTenant: string | null
  readonly lastResults: readonly LastResult[]
  /** ms since 1970: what was checked at a time that lies ahead comes as if it had been long ago. */
  readonly now: number
}

export interface SelectedTargets {
  readonly targets: readonly Target[]
  /** So many of them, from the first on, come before all others. */
  readonly leading: number
}

/** @throws {Failure} TENANT_UNKNOWN when a pattern matches no tenant */
export function select(
  targets: readonly Target[],
  { only, statusTenant, lastResults, now }: SelectionCriteria,
): SelectedTargets {
  const last = new Map(lastResults.map((result) => [keyOf(result), result]))
  const leads = ({ tenant }: Target): boolean => tenant === statusTenant // I1.9: without it nobody would see the rest.
  const whenOf = (at: number): number => (ageOf(at, now) === null ? 0 : at)
  const rank = (target: Target): readonly [number, number] => {
    const result = last.get(keyOf(target))
    if (leads(target)) return [0, 0]
    if (!result) return [1, 0]
    // Damage stands until a full check finds the file sound, and only such a check makes it younger.
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
