/**
 * Holds that a crash left open are found in the ledger and resumed. A hold ends only when the tenant was seen serving,
 * or does not exist any more (I4.1, I2.2).
 */

import PQueue from 'p-queue'
import type { GuardedHold } from '../../hold/pause/guarded-hold.ts'
import { resumeUntilSeen, resumeWaitMs } from '../../hold/pause/resume.ts'
import { monotonicMs } from '../../host/clock.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import type { HoldLocks } from '../../ledger/run-lock/hold-locks.ts'
import type { TenantId } from '../../model/brand.ts'
import type { HoldEnd, OpenHold } from '../../model/event.ts'
import { Failure } from '../../model/failure.ts'
import { orFailure } from '../../model/or-failure.ts'
import type { Service } from '../../service/port.ts'
import { TenantListing } from './gone-tenants.ts'

export interface OpenHoldOutcome {
  readonly hold: OpenHold
  /** null if the tenant was not seen serving. */
  readonly how: HoldEnd | null
  /** null if the tenant was seen serving, or is gone. */
  readonly failure: Failure | null
  /** Message of the resume command that failed for a tenant that is gone; null otherwise. */
  readonly complaint: string | null
  /** Why the end could not be written, so that the ledger still has the hold as open; null if it was written. */
  readonly unwritten: Failure | null
}

/** The calls of the ledger that are used here. `append` may fail: the tenants come first. */
export type HoldLedger = Pick<Ledger, 'openHolds' | 'lastResults' | 'append'>

/** What protects a resume: from a second process that does the same, and from our own death. */
export interface ResumeGuards {
  /** null if they cannot be opened. */
  readonly locks: HoldLocks | null
  /** The guardian resumes the tenant if we are killed meanwhile; null if there is no guardian. */
  readonly guard: ((hold: GuardedHold) => Disposable) | null
  /** Called as soon as a resume has failed that will be tried again. */
  readonly onResumeRetry: (tenant: TenantId, why: Error) => void
}

/** Tenants that are resumed in parallel. */
const parallel = 4

/** @param only the tenant to resume; null for all. @returns one outcome for each hold that was open */
export async function resumeOpenHolds(
  service: Service,
  ledger: HoldLedger,
  only: TenantId | null,
  guards: ResumeGuards,
): Promise<readonly OpenHoldOutcome[]> {
  const open = (await ledger.openHolds()).filter(({ tenant }) => only === null || tenant === only)
  return endHolds(open, service, ledger, only !== null, guards)
}

/** @param named true if a person named the tenant: then an empty list of tenants is believed as well */
export async function endHolds(
  open: readonly OpenHold[],
  service: Service,
  ledger: HoldLedger,
  named: boolean,
  guards: ResumeGuards,
): Promise<readonly OpenHoldOutcome[]> {
  if (open.length === 0) return []
  const listing = new TenantListing(service, ledger, named)
  const queue = new PQueue({ concurrency: parallel })
  // Holds of one tenant end one after the other: no second resume starts beside the first.
  const tenants = [...new Set(open.map(({ tenant }) => tenant))].map((tenant) =>
    open.filter((hold) => hold.tenant === tenant),
  )
  const endings = await queue.addAll(
    tenants.map((holds) => () => endInTurn(holds, (hold) => endAlone(hold, service, ledger, listing, guards))),
  )
  return endings.flat()
}

async function endInTurn(
  holds: readonly OpenHold[],
  end: (hold: OpenHold) => Promise<OpenHoldOutcome>,
): Promise<readonly OpenHoldOutcome[]> {
  const endings: OpenHoldOutcome[] = []
  for (const hold of holds) endings.push(await end(hold))
  return endings
}

const failedOutcome = (hold: OpenHold, failure: Failure): OpenHoldOutcome => ({
  hold,
  how: null,
  failure,
  complaint: null,
  unwritten: null,
})

/** Ends the hold while no other process does the same. */
async function endAlone(
  hold: OpenHold,
  service: Service,
  ledger: HoldLedger,
  listing: TenantListing,
  { locks, guard, onResumeRetry }: ResumeGuards,
): Promise<OpenHoldOutcome> {
  const { tenant, holder } = hold
  // At most the time between the two entries of the ledger: a clock that was wrong then must not cost years here.
  const leftMs = Math.min(Math.max(0, hold.endsBy - Date.now()), Math.max(0, hold.endsBy - hold.askedAt))
  const endsByMs = monotonicMs() + leftMs
  // A process that has the lock for longer than a resume can take is stuck or was stopped, so we go on without the
  // lock. `endEarlierCommands` below waits for its commands.
  await locks?.takeWithin(holder, resumeWaitMs(endsByMs, service))
  try {
    // The process that had the lock may have ended the hold. If the ledger fails here, the tenant is still resumed.
    const open = await orFailure(ledger.openHolds())
    if (!(open instanceof Failure) && !open.some((one) => one.holder === holder))
      return { hold, how: 'resumed', failure: null, complaint: null, unwritten: null }
    using _guarded = guard?.({ tenant, holder, endsByMs })
    await service.endEarlierCommands({ holder, latest: null })
    return await end(hold, endsByMs, service, ledger, listing, (why) => onResumeRetry(tenant, why))
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return failedOutcome(hold, error)
  } finally {
    locks?.release(holder)
  }
}

async function end(
  hold: OpenHold,
  endsByMs: number,
  service: Service,
  ledger: Pick<Ledger, 'append'>,
  listing: TenantListing,
  onRetry: (why: Error) => void,
): Promise<OpenHoldOutcome> {
  const { tenant, holder } = hold
  const { how, heldMs, complaint } = await resumeOrMiss(hold, endsByMs, service, listing, onRetry)
  const unwritten = await orFailure(ledger.append({ kind: 'hold-ended', tenant, holder, how, heldMs }))
  return { hold, how, failure: null, complaint, unwritten: unwritten instanceof Failure ? unwritten : null }
}

type ObservedHoldEnd = Pick<OpenHoldOutcome, 'complaint'> & { readonly how: HoldEnd; readonly heldMs: number | null }

/** @throws {Failure} RESUME_FAILED */
async function resumeOrMiss(
  hold: OpenHold,
  endsByMs: number,
  service: Service,
  listing: TenantListing,
  onRetry: (why: Error) => void,
): Promise<ObservedHoldEnd> {
  const { tenant, holder, leaseId, fence } = hold
  if (await listing.lacksQuickly(hold)) return endGone(hold, service)
  const answer = leaseId === null ? null : { leaseId, fence }
  const outcome = await orFailure(
    resumeUntilSeen({ service, tenant, holder, wasHealthy: false, answer, endsByMs, resumed: null, onRetry }),
  )
  if (!(outcome instanceof Failure))
    return { how: outcome.how, heldMs: outcome.resumed?.heldMs ?? null, complaint: null }
  if (await listing.lacks(hold)) return endGone(hold, service)
  throw outcome
}

/**
 * With hooks the tenant may still be paused, so the command runs once more. Whatever it says, this tenant will never be
 * seen serving.
 */
async function endGone({ tenant, holder }: OpenHold, service: Service): Promise<ObservedHoldEnd> {
  const resumed =
    service.via === 'admin-api'
      ? null
      : await orFailure(service.resume({ tenant, leaseId: holder, fence: null }, unhurried))
  return { how: 'tenant-gone', heldMs: null, complaint: resumed instanceof Failure ? resumed.message : null }
}

/** Each call has a deadline of its own, and a resume is not interrupted. */
const unhurried = new AbortController().signal

/** @throws {Failure} as `failureToResume` */
export function requireAllResumed(endings: readonly OpenHoldOutcome[]): void {
  const failure = failureToResume(endings)
  if (failure !== null) throw failure
}

/** @returns RESUME_FAILED, which names the tenants that were not seen serving; null where there are none */
export function failureToResume(endings: readonly OpenHoldOutcome[]): Failure | null {
  const failed = endings.filter(({ failure }) => failure !== null)
  const [first] = failed
  if (!first?.failure) return null
  const reasons = [...Map.groupBy(failed, ({ failure }) => failure?.message ?? '')].map(([why, alike]) => {
    const tenants = [...new Set(alike.map(({ hold }) => hold.tenant))]
    return tenants.length === 1 && why.includes(tenants[0] ?? '') ? why : `${tenants.join(', ')}: ${why}`
  })
  const left =
    failed.length === 1
      ? 'a hold of an earlier run has not ended'
      : `${failed.length} holds of earlier runs have not ended`
  const text = `${left}: ${reasons.join('; ')}`
  return new Failure('RESUME_FAILED', text, { cause: first.failure, hint: first.failure.hint })
}
