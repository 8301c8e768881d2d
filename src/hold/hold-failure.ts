/** What an error in a hold means for a file, and what is known of the tenant then. */
import { unforeseenFailure } from '../host/failures/system-failure.ts'
import { Failure } from '../model/failure.ts'
import { withSuppressed } from '../model/suppressed.ts'
import type { TenantKeeper } from './hold-request.ts'
import type { HoldRecord } from './record.ts'

/**
 * Of a failure and the failures of its cleanup the gravest: a tenant that may still be paused outweighs all.
 * @param path what was worked on, for an error of the system that does not name it
 * @throws {unknown} what is no failure, as it is
 */
export function gravestOf(error: unknown, path: string | null = null): Failure {
  const all = withSuppressed(error)
  const paused = all.find((one) => one instanceof Failure && one.code === 'RESUME_FAILED')
  const failure = paused ?? unforeseenFailure(all.at(-1), path)
  if (failure instanceof Failure) return failure
  throw error
}

/** What a service that has gone on by itself makes us see: the cause is told, not the symptom. */
const followsFromWaking = new Set<Failure['code']>(['IN_USE', 'LOCK_BUSY', 'WRITER_SEEN', 'COPY_CHANGED'])

/**
 * The failure of one file, with what is known of its tenant. A pause that was cleaned up without complaint was seen to
 * end; of one that was refused the service may have said that it serves again.
 * @param paused whether the tenant may have stood still for any of its files
 */
export function withTenantState(failure: Failure, keeper: TenantKeeper, record: HoldRecord, paused: boolean): Failure {
  if (keeper.kind === 'nobody') return failure.withTenant('untouched')
  if (failure.code === 'RESUME_FAILED') return failure
  if (record.endedBySelf !== null && followsFromWaking.has(failure.code)) {
    const how =
      record.endedBySelf === 'expired'
        ? 'its quiesce ended before we ended it'
        : 'the service was restarted while it stood still'
    return new Failure('LEASE_LOST', `${keeper.tenant}: ${how}; it showed as ${failure.code}: ${failure.message}`, {
      cause: failure,
      tenant: 'active',
    })
  }
  return failure.withTenant(paused || failure.tenantState === 'active' ? 'active' : 'untouched')
}
