/** The files that a sweep checks, in order, and those that it need not check. */

import type { LastResult, Ledger } from '../../ledger/ledger.ts'
import type { Result } from '../../model/result/report.ts'
import type { Target } from '../begin/target.ts'
import { earlierPartOf } from './earlier-part.ts'
import { freshTargets } from './fresh-tenants.ts'
import { KnownResults } from './known-results.ts'
import { countLeading, select } from './selection.ts'
import type { SweepPlan } from './sweep-plan.ts'

export interface SelectedTargets {
  /** In their order. */
  readonly targets: readonly Target[]
  /** So many targets, from the first on, belong to the status tenant. */
  readonly leading: number
  /** Number of files that are not checked, because an earlier check of them still counts. */
  readonly notDue: number
  /** Results of the interrupted sweep that this one continues. Their files are not among the targets. */
  readonly earlier: ReadonlyMap<Target, Result>
}

export interface SelectionTerms {
  readonly statusTenant: string | null
  readonly roots: readonly string[]
  readonly lastResults: readonly LastResult[]
  /** ms since 1970. */
  readonly now: number
}

/**
 * @param listed every file of every tenant, as the service lists them
 * @throws {Failure} TENANT_UNKNOWN when a pattern matches no tenant; LEDGER_UNUSABLE
 */
export async function selectByPlan(
  listed: readonly Target[],
  { scope, order, maxAgeMs, continues, unfinished }: SweepPlan,
  { statusTenant, roots, lastResults, now }: SelectionTerms,
  ledger: Pick<Ledger, 'checks'>,
  signal: AbortSignal,
): Promise<SelectedTargets> {
  const known = new KnownResults(lastResults)
  const selected = select(listed, { only: scope.only, order, statusTenant, known, unfinished, now })
  const earlier = await earlierPartOf(continues ? selected : [], { known, scope, now }, ledger)
  const rest = selected.filter((target) => !earlier.sound.has(target) && !earlier.others.has(target))
  const fresh = maxAgeMs === null ? new Set() : await freshTargets(rest, { known, maxAgeMs, now, roots }, signal)
  const targets = rest.filter((target) => !fresh.has(target))
  return {
    targets,
    leading: countLeading(targets, statusTenant),
    notDue: selected.length - targets.length - earlier.others.size,
    earlier: earlier.others,
  }
}
