/**
 * The tenants that `--max-age` leaves out. All files of such a tenant had a full, sealed, sound check that is younger.
 * Nothing else was found since, and the files look as they did then. A quick check counts for nothing here.
 */

import { looksUnchanged } from '../../hold/live/looks-unchanged.ts'
import { nullOnAbort, startDeadline } from '../../host/clock.ts'
import type { LastResult } from '../../ledger/ledger.ts'
import { ageOf } from '../../model/age.ts'
import type { Target } from '../begin/target.ts'
import type { KnownResults } from './known-results.ts'
import { groupTargets } from './target-groups.ts'

export interface FreshnessTerms {
  readonly known: KnownResults
  readonly maxAgeMs: number
  /** ms since 1970. */
  readonly now: number
  /** A file outside of them is due: its hold says why it is refused. */
  readonly roots: readonly string[]
}

/** So long files are looked at: a dead mount must not block the run. What was not looked at by then is due. */
const looksMsMax = 20_000
/** A call that hangs blocks one of the few threads of the pool. */
const parallelLooks = 2

/** @returns all targets of the tenants that are not due */
export async function freshTargets(
  targets: readonly Target[],
  terms: FreshnessTerms,
  signal: AbortSignal,
): Promise<ReadonlySet<Target>> {
  using deadline = startDeadline(looksMsMax)
  const over = AbortSignal.any([signal, deadline.signal])
  const late = nullOnAbort(over)
  const candidates = groupTargets(targets).filter((group) => group.every((target) => mayBeFresh(target, terms)))
  const fresh = new Set<Target>()
  for (let at = 0; at < candidates.length && !over.aborted; at += parallelLooks) {
    const some = candidates.slice(at, at + parallelLooks)
    const unchanged = await Promise.race([Promise.all(some.map((group) => areUnchanged(group, terms))), late])
    for (const [i, isFresh] of (unchanged ?? []).entries())
      if (isFresh) for (const target of some[i] ?? []) fresh.add(target)
  }
  return fresh
}

const mayBeFresh = (target: Target, { known, maxAgeMs, now }: FreshnessTerms): boolean =>
  isYoungEnough(known.of(target), maxAgeMs, now)

/** A check that came later and was not sound makes the file due, whatever it failed by. */
function isYoungEnough(result: LastResult | null, maxAgeMs: number, now: number): boolean {
  if (result === null || result.verdict !== 'sound' || result.settled === null) return false
  const { verdict, depth, level, at } = result.settled
  const isWhole = verdict === 'sound' && depth === 'full' && level === 'sealed'
  return isWhole && (ageOf(at, now) ?? Infinity) < maxAgeMs
}

async function areUnchanged(group: readonly Target[], { known, roots }: FreshnessTerms): Promise<boolean> {
  for (const target of group) {
    const mark = known.of(target)?.settledMark ?? null
    if (mark === null || !(await looksUnchanged(target.named, roots, mark))) return false
  }
  return true
}
