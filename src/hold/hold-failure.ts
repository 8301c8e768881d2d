/** What an error in a hold means for a file, and what is then known about the tenant. */
import { unforeseenFailure } from '../host/failures/system-failure.ts'
import { Failure } from '../model/failure.ts'
import { withSuppressed } from '../model/suppressed-errors.ts'
import type { TenantConnection } from './hold-request.ts'
import type { HoldRecord } from './record.ts'

/**
 * The gravest of an error and the errors of its cleanup: a tenant that may still be paused outweighs all others.
 * @param path the file, for an error of the system that does not name it
 * @throws {unknown} an error that is no failure, as it is
 */
export function gravestOf(error: unknown, path: string | null = null): Failure {
  const all = withSuppressed(error)
  const paused = all.find((one) => one instanceof Failure && one.code === 'RESUME_FAILED')
  const failure = paused ?? unforeseenFailure(all.at(-1), path)
  if (failure instanceof Failure) return failure
  throw error
}

/** A service that ended the pause by itself causes these. The report then names the cause, not the symptom. */
const symptomsOfLostLease = new Set<Failure['code']>(['IN_USE', 'LOCK_BUSY', 'WRITER_SEEN', 'COPY_CHANGED'])

/**
 * The failure of one file, with what is known about its tenant. If the pause was cleaned up without an error, the
 * tenant was seen serving. If the service refused the pause, it may have said that the tenant is active.
 * @param paused whether the tenant may have been paused for any of its files
 */
export function withTenantState(
  failure: Failure,
  connection: TenantConnection | null,
  record: HoldRecord,
  paused: boolean,
): Failure {
  if (connection === null) return failure.withTenant('untouched')
  if (failure.code === 'RESUME_FAILED' || failure.code === 'TENANT_GONE') return failure
  if (record.endedBySelf !== null && symptomsOfLostLease.has(failure.code)) {
    const how =
      record.endedBySelf === 'expired'
        ? 'its quiesce ended before we ended it'
        : 'the service was restarted while the tenant was quiesced'
    return new Failure('LEASE_LOST', `${connection.tenant}: ${how}; it showed as ${failure.code}: ${failure.message}`, {
      cause: failure,
      tenant: 'active',
    })
  }
  return failure.withTenant(paused || failure.tenantState === 'active' ? 'active' : 'untouched')
}
