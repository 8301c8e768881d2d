/** Results on their way to the database, as tests make them. */
import { weekOf } from '../../../src/fleet/jobs/week-of-run.ts'
import type { OutgoingResult } from '../../../src/fleet/results/outgoing-result.ts'
import { newRunId } from '../../../src/ledger/run-lock/run-id.ts'
import { tenantId } from '../../../src/model/brand.ts'

const hourMs = 3_600_000
/** Two runs of the fleet, the older first. */
export const runs = [newRunId(Date.now() - 2 * hourMs), newRunId(Date.now() - hourMs)] as const

export function outgoing(tenant: string, more: Partial<OutgoingResult> = {}): OutgoingResult {
  return {
    run: runs[0],
    week: weekOf(more.run ?? runs[0]),
    tenant: tenantId(tenant),
    path: `/srv/${tenant}.db`,
    attempt: 1,
    verdict: 'sound',
    damage: 'none',
    failure: null,
    settles: true,
    checkedAt: Date.now(),
    report: null,
    content: null,
    ...more,
  }
}

export const outgoingDamaged = (tenant: string, more: Partial<OutgoingResult> = {}): OutgoingResult =>
  outgoing(tenant, { verdict: 'damaged', damage: 'index', ...more })
