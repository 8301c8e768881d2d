/** What a hold comes to for a file that has no snapshot, and whether another attempt may help. */
import { invariant } from '../model/bug.ts'
import type { Failure } from '../model/failure.ts'
import type { FileHold } from './file-hold.ts'
import { withTenantState } from './hold-failure.ts'
import type { HoldResult, TenantConnection } from './hold-request.ts'

/**
 * Failures that another attempt may settle. LEASE_LOST is not one of them: each such attempt may pause the tenant for
 * a whole TTL.
 */
const worthRetrying = new Set<Failure['code']>(['COPY_CHANGED', 'WRITER_SEEN'])

export function isWorthRetrying({ failure, record }: FileHold, connection: TenantConnection | null): boolean {
  return failure !== null && worthRetrying.has(withTenantState(failure, connection, record, true).code)
}

/** These are `inconclusive` even if the tenant was not paused for them. */
const undecidedBeforePause = new Set<Failure['code']>(['SERVICE_BUSY', 'QUIESCE_TIMEOUT', 'NOT_SQLITE', 'EMPTY_FILE'])

/**
 * @param ofAll what ended the hold for all files, or null. A tenant that may still be paused outweighs the failure of
 * one file.
 * @param paused whether the tenant may have been paused for any of its files
 */
export function withoutSnapshot(
  { failure: own, record }: FileHold,
  ofAll: Failure | null,
  connection: TenantConnection | null,
  paused: boolean,
): HoldResult {
  const maybePaused = ofAll?.code === 'RESUME_FAILED'
  const met = maybePaused && record.begun ? ofAll : (own ?? ofAll)
  invariant(met, 'a file without a snapshot has a failure')
  const failure = maybePaused ? met.withTenant(ofAll.tenantState) : withTenantState(met, connection, record, paused)
  return { kind: record.begun || undecidedBeforePause.has(failure.code) ? 'undecided' : 'refused', failure, record }
}
