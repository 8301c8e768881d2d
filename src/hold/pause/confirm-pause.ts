/** Whether the service confirms that a tenant was quiesced from its answer to our resume, without a gap. */
import type { TenantId } from '../../model/brand.ts'
import { Failure } from '../../model/failure.ts'
import type { QuiesceAnswer } from '../../service/port.ts'
import type { ResumeOutcome } from './resume.ts'

/**
 * @param answer the service's answer to the quiesce; null if none was seen
 * @throws {Failure} LEASE_LOST unless the service confirms the pause: what was copied meanwhile proves nothing then;
 * TENANT_GONE
 */
export function requireConfirmed(tenant: TenantId, answer: QuiesceAnswer | null, outcome: ResumeOutcome): void {
  const { how, refused, resumed } = outcome
  if (how === 'tenant-gone')
    throw new Failure('TENANT_GONE', `the service removed ${tenant} while it was paused, or right after that`)
  if (how === 'service-restarted') throw restartedFailure(tenant)
  if (refused !== null && how !== 'resumed') throw notResumedFailure(tenant, refused)
  if (resumed === null) throw leaseLost(`the service did not confirm that ${tenant} was quiesced until the end`)
  if ((answer?.bootId ?? null) !== resumed.bootId) throw restartedFailure(tenant)
  if (how === 'expired') throw leaseLost(`the service ended the quiesce of ${tenant} before holdfast did`)
  if (resumed.continuous === false) throw leaseLost(`the service says that ${tenant} was not quiesced all the time`)
}

const notResumedFailure = (tenant: TenantId, why: string): Failure =>
  new Failure(
    'LEASE_LOST',
    `${tenant} was not resumed when holdfast asked for it (${why}); it was seen serving again later`,
    { hint: 'the service refused the resume or lost it: check its log; `holdfast doctor --tenant ID` tests each call' },
  )

const restartedFailure = (tenant: TenantId): Failure =>
  leaseLost(`the service was restarted while ${tenant} was quiesced`)

const leaseLost = (message: string): Failure => new Failure('LEASE_LOST', message)
