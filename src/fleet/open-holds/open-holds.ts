/**
 * Holds that a crash left open: found in the ledger, resumed, and ended only when the tenant was seen serving, or is no
 * more (I4.1, I2.2).
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
import { Listing } from './gone-tenants.ts'

export interface OpenHoldOutcome {
  readonly hold: OpenHold
  /** null when the tenant was not seen serving. */
  readonly how: HoldEnd | null
  /** null when the tenant was seen serving, or is gone. */
  readonly failure: Failure | null
  /** What the resume command of a tenant that is gone said when it failed; null otherwise. */
  readonly complaint: string | null
  /** Why the end does not stand in the ledger, where the hold therefore stands open still; null where it does. */
  readonly unwritten: Failure | null
}

/** What it takes of the ledger. It need not be writable: the tenants come first. */
export type HoldLedger = Pick<Ledger, 'openHolds' | 'lastResults' | 'append'>

/** What keeps two processes from resuming one tenant at a time. */
export interface ResumeCare {
  /** null where they cannot be had. */
  readonly locks: HoldLocks | null
  /** Has the tenant resumed, should we be killed in the middle of it; null where there is no guardian. */
  readonly guard: ((hold: GuardedHold) => Disposable) | null
}

const atOnce = 4

/** @param only the tenant to resume; null for all. @returns one ending for each hold that stood open */
export async function resumeOpenHolds(
  service: Service,
  ledger: HoldLedger,
  only: TenantId | null,
  care: ResumeCare,
): Promise<readonly OpenHoldOutcome[]> {
  const open = (await ledger.openHolds()).filter(({ tenant }) => only === null || tenant === only)
  return endHolds(open, service, ledger, only !== null, care)
}

/** @param named whether a person named the tenant: then an empty list of tenants is believed as well */
export async function endHolds(
  open: readonly OpenHold[],
  service: Service,
  ledger: HoldLedger,
  named: boolean,
  care: ResumeCare,
): Promise<readonly OpenHoldOutcome[]> {
  if (open.length === 0) return []
  const listing = new Listing(service, ledger, named)
  const queue = new PQueue({ concurrency: atOnce })
  // Of one tenant one after the other: no second resume is started beside the first.
  const tenants = [...new Set(open.map(({ tenant }) => tenant))].map((tenant) =>
    open.filter((hold) => hold.tenant === tenant),
  )
  const endings = await queue.addAll(
    tenants.map((holds) => () => endInTurn(holds, (hold) => endAlone(hold, service, ledger, listing, care))),
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

const failed = (hold: OpenHold, failure: Failure): OpenHoldOutcome => ({
  hold,
  how: null,
  failure,
  complaint: null,
  unwritten: null,
})

/** While no other process is at it. */
async function endAlone(
  hold: OpenHold,
  service: Service,
  ledger: HoldLedger,
  listing: Listing,
  { locks, guard }: ResumeCare,
): Promise<OpenHoldOutcome> {
  const { tenant, holder } = hold
  // By the clock that wrote it: one that was wrong then must not keep us here for years.
  const leftMs = Math.min(Math.max(0, hold.endsBy - Date.now()), Math.max(0, hold.endsBy - hold.askedAt))
  const endsByMs = monotonicMs() + leftMs
  // Whoever has the lock for longer than a resume can take is stuck, or was stopped. What its commands still do is
  // waited for below.
  await locks?.takeWithin(holder, resumeWaitMs(endsByMs, service))
  try {
    // Whoever had the lock may have ended it. A ledger that fails now keeps nobody standing.
    const open = await orFailure(ledger.openHolds())
    if (!(open instanceof Failure) && !open.some((one) => one.holder === holder))
      return { hold, how: 'resumed', failure: null, complaint: null, unwritten: null }
    using _guarded = guard?.({ tenant, holder, endsByMs })
    await service.endEarlierCommands({ holder, news: null })
    return await end(hold, endsByMs, service, ledger, listing)
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return failed(hold, error)
  } finally {
    locks?.release(holder)
  }
}

async function end(
  hold: OpenHold,
  endsByMs: number,
  service: Service,
  ledger: Pick<Ledger, 'append'>,
  listing: Listing,
): Promise<OpenHoldOutcome> {
  const { tenant, holder } = hold
  const { how, heldMs, complaint } = await resumeOrMiss(hold, endsByMs, service, listing)
  const unwritten = await orFailure(ledger.append({ kind: 'hold-ended', tenant, holder, how, heldMs }))
  return { hold, how, failure: null, complaint, unwritten: unwritten instanceof Failure ? unwritten : null }
}

type Ended = Pick<OpenHoldOutcome, 'complaint'> & { readonly how: HoldEnd; readonly heldMs: number | null }

/** @throws {Failure} RESUME_FAILED */
async function resumeOrMiss(hold: OpenHold, endsByMs: number, service: Service, listing: Listing): Promise<Ended> {
  const { tenant, holder, leaseId, fence } = hold
  if (await listing.lacksAtFirstSight(hold)) return endGone(hold, service)
  const answer = leaseId === null ? null : { leaseId, fence }
  const sight = await orFailure(
    resumeUntilSeen({ service, tenant, holder, wasHealthy: false, answer, endsByMs, resumed: null }),
  )
  if (!(sight instanceof Failure)) return { how: sight.how, heldMs: sight.resumed?.heldMs ?? null, complaint: null }
  if (await listing.lacks(hold)) return endGone(hold, service)
  throw sight
}

/**
 * With hooks the pause may stand all the same, so the command is run once more; whatever it says, nobody will ever see
 * this tenant serve.
 */
async function endGone({ tenant, holder }: OpenHold, service: Service): Promise<Ended> {
  const resumed =
    service.via === 'admin-api'
      ? null
      : await orFailure(service.resume({ tenant, leaseId: holder, fence: null }, unhurried))
  return { how: 'tenant-gone', heldMs: null, complaint: resumed instanceof Failure ? resumed.message : null }
}

/** Each call has a deadline of its own, and a resume is not interrupted. */
const unhurried = new AbortController().signal

/** @throws {Failure} as `notResumed` */
export function requireAllResumed(endings: readonly OpenHoldOutcome[]): void {
  const failure = notResumed(endings)
  if (failure !== null) throw failure
}

/** @returns RESUME_FAILED, which names the tenants that were not seen serving; null where there are none */
export function notResumed(endings: readonly OpenHoldOutcome[]): Failure | null {
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
