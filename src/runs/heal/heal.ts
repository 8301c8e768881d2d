/**
 * Self-healing, after the sweep: the damaged tenants that may be healed are repaired one after the other, as
 * `repair --apply` does. A change that did not come out well ends it.
 */

import type { RunId, TenantId } from '../../model/brand.ts'
import { Failure } from '../../model/failure.ts'
import type { HealReport, LeftTenant } from '../../model/result/heal-report.ts'
import type { RemedyOutcome } from '../../model/result/remedy.ts'
import type { Result } from '../../model/result/report.ts'
import type { ServiceRun } from '../begin/service-run.ts'
import type { ProgressObserver } from '../progress-tracker.ts'
import { remedyTenants } from '../remedies/remedy-tenants.ts'
import type { SweepTotals } from '../sweep.ts'
import { whyNotHealed, whyNotToday, linesRead, type HealCandidates } from './heal-candidates.ts'

export interface HealOptions {
  readonly run: RunId
  /** Of holdfast. */
  readonly version: string
}

/**
 * @param found by the sweep @param swept how the sweep ended
 * @throws {Failure} INTERRUPTED, LEDGER_UNUSABLE and others that end a run
 */
export async function heal(
  service: ServiceRun,
  found: HealCandidates,
  swept: SweepTotals,
  { run, version }: HealOptions,
  { onProgress }: ProgressObserver,
): Promise<HealReport> {
  const { limit } = service.settings.heal
  const results: RemedyOutcome[] = []
  const left: LeftTenant[] = [...found.left]
  let stopped = whyNotAtAll(found, swept)
  let tried = 0
  for (const tenant of found.candidates) {
    const why = stopped ?? (await whyNot(tenant))
    if (why === null) stopped = await healOne(tenant)
    else left.push({ tenant, why })
  }
  return { limit, results: results.map(({ result }) => result), left, leftTotal: left.length + found.leftOut, stopped }

  async function whyNot(tenant: TenantId): Promise<string | null> {
    if (tried >= limit) return `heal.limit allows ${limit} in one sweep`
    const lines = await service.ledger.history(tenant, linesRead)
    return whyNotToday(lines, Date.now())
  }

  /** @returns why no other tenant may be changed; null if one may */
  async function healOne(tenant: TenantId): Promise<string | null> {
    tried++
    let harm: string | null = null
    const refuse = (result: Result): Failure | null => {
      if (result.verdict !== 'damaged') return null
      harm ??= found.harmIn(result)
      const why = harm ?? whyNotHealed(result)
      return why === null ? null : new Failure('REMEDY_REFUSED', `sweep --heal does not mend this: ${why}`)
    }
    const outcomes: RemedyOutcome[] = []
    const totals = await remedyTenants(service, [tenant], requestFor({ run, version }, refuse), {
      onSelected: () => {},
      onPlanned: () => {},
      onAway: () => {},
      onProgress,
      onOutcome: (outcome) => void outcomes.push(outcome),
    })
    results.push(...outcomes)
    if (harm !== null) return harm
    const unwell = outcomes.find(({ result }) => !isWell(result))
    if (unwell !== undefined)
      return `${tenant}: ${unwell.result.failure?.message ?? 'it is not sound after its change'}`
    return totals.stopped?.message ?? null
  }
}

function whyNotAtAll(found: HealCandidates, { stopped, notCovered, registry }: SweepTotals): string | null {
  if (stopped !== null || notCovered > 0) return 'the sweep did not reach all tenants'
  if (registry !== 'live') return 'the service gave no valid list of tenants'
  return found.harm === null ? null : `something may have written while holdfast held a file (${found.harm})`
}

const requestFor = (
  { run, version }: HealOptions,
  refuse: (result: Result) => Failure | null,
): Parameters<typeof remedyTenants>[2] => ({
  id: run,
  version,
  action: { kind: 'mend' },
  restore: null,
  apply: true,
  method: null,
  quarantine: null,
  backups: null,
  refuse,
})

/** Nothing to do any more, or changed and sound. */
const isWell = ({ failure, plan, applied }: RemedyOutcome['result']): boolean =>
  failure === null && (applied === null ? plan.do === 'nothing' : applied.verdict === 'sound')
