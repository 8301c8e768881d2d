/** Holds that a crash left open: found in the ledger, resumed, and ended only when the tenant was seen serving, or is no more (I4.1, I2.2). */
import PQueue from 'p-queue'
import { monotonicMs, startDeadline } from '../host/clock.ts'
import { resumeUntilSeen } from '../hold/resume.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { TenantId } from '../model/brand.ts'
import type { HoldEnd, OpenHold } from '../model/event.ts'
import { Failure } from '../model/failure.ts'
import { orFailure } from '../model/or-failure.ts'
import type { Service } from '../service/port.ts'
import { isGone } from './registry.ts'

export interface HoldEnding {
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
export type HoldMemory = Pick<Ledger, 'openHolds' | 'lastResults' | 'append'>

const atOnce = 4

/** @param only the tenant to resume; null for all. @returns one ending for each hold that stood open */
export async function resumeOpenHolds(service: Service, ledger: HoldMemory, only: TenantId | null): Promise<readonly HoldEnding[]> {
  const open = (await ledger.openHolds()).filter(({ tenant }) => only === null || tenant === only)
  return endHolds(open, service, ledger, only !== null)
}

/** @param named whether a person named the tenant: then an empty list of tenants is believed as well */
export async function endHolds(open: readonly OpenHold[], service: Service, ledger: Pick<Ledger, 'lastResults' | 'append'>, named: boolean): Promise<readonly HoldEnding[]> {
  if (open.length === 0) return []
  const registry = new Listing(service, ledger, named)
  const queue = new PQueue({ concurrency: atOnce })
  // Of one tenant one after the other: no second resume is started beside the first.
  const tenants = [...new Set(open.map(({ tenant }) => tenant))].map((tenant) => open.filter((hold) => hold.tenant === tenant))
  const endings = await queue.addAll(tenants.map((holds) => () => endInTurn(holds, (hold) => end(hold, service, ledger, registry))))
  return endings.flat()
}

async function endInTurn(holds: readonly OpenHold[], end: (hold: OpenHold) => Promise<HoldEnding>): Promise<readonly HoldEnding[]> {
  const endings: HoldEnding[] = []
  for (const hold of holds) endings.push(await end(hold))
  return endings
}

async function end(hold: OpenHold, service: Service, ledger: Pick<Ledger, 'append'>, registry: Listing): Promise<HoldEnding> {
  const { tenant, holder } = hold
  const ended = await resumeOrMiss(hold, service, registry)
  if (ended instanceof Failure) return { hold, how: null, failure: ended, complaint: null, unwritten: null }
  const { how, heldMs, complaint } = ended
  const unwritten = await orFailure(ledger.append({ kind: 'hold-ended', tenant, holder, how, heldMs }))
  return { hold, how, failure: null, complaint, unwritten: unwritten instanceof Failure ? unwritten : null }
}

type Ended = Pick<HoldEnding, 'complaint'> & { readonly how: HoldEnd; readonly heldMs: number | null }

async function resumeOrMiss(hold: OpenHold, service: Service, registry: Listing): Promise<Ended | Failure> {
  const { tenant, holder, leaseId, fence } = hold
  // A tenant that is gone is never seen to serve. A list that takes its time must not keep another one waiting.
  if (await soon(registry.lacks(hold))) return endGone(hold, service)
  // By the clock that wrote it: one that was wrong then must not keep us here for years.
  const leftMs = Math.min(Math.max(0, hold.endsBy - Date.now()), Math.max(0, hold.endsBy - hold.askedAt))
  const sight = await orFailure(resumeUntilSeen({ service, tenant, holder, wasHealthy: false, answer: leaseId === null ? null : { leaseId, fence }, endsByMs: monotonicMs() + leftMs }))
  if (!(sight instanceof Failure)) return { how: sight.how, heldMs: sight.resumed?.heldMs ?? null, complaint: null }
  return (await registry.lacks(hold)) ? endGone(hold, service) : sight
}

const listingMsMax = 1_000

/** false where it takes longer. */
async function soon(answer: Promise<boolean>): Promise<boolean> {
  using deadline = startDeadline(listingMsMax)
  const late = new Promise<boolean>((resolve) => { deadline.signal.addEventListener('abort', () => resolve(false), { once: true }) })
  return await Promise.race([answer, late])
}

/** With hooks the pause may stand all the same, so the command is run once more; whatever it says, nobody will ever see this tenant serve. */
async function endGone({ tenant, holder }: OpenHold, service: Service): Promise<Ended> {
  const resumed = service.via === 'admin-api' ? null : await orFailure(service.resume({ tenant, leaseId: holder, fence: null }, unhurried))
  return { how: 'tenant-gone', heldMs: null, complaint: resumed instanceof Failure ? resumed.message : null }
}

/** Each call has a deadline of its own, and a resume is not interrupted. */
const unhurried = new AbortController().signal

/** Which tenants are there, asked for once. */
class Listing {
  readonly #service: Service
  readonly #ledger: Pick<Ledger, 'lastResults'>
  readonly #named: boolean
  #ids: Promise<ReadonlySet<TenantId> | null> | null = null

  constructor(service: Service, ledger: Pick<Ledger, 'lastResults'>, named: boolean) {
    this.#service = service
    this.#ledger = ledger
    this.#named = named
  }

  /** The service answers, and surely knows neither the tenant nor a lease of this holder. */
  async lacks({ tenant, holder }: OpenHold): Promise<boolean> {
    this.#ids ??= this.#ask()
    const ids = await this.#ids
    if (ids === null || ids.has(tenant)) return false
    if (this.#service.via === 'hooks') return true
    const [status, leases] = await Promise.all([orFailure(this.#service.tenant(tenant, unhurried)), orFailure(this.#service.leases(unhurried))])
    return status instanceof Failure && status.code === 'ADMIN_REFUSED' && !(leases instanceof Failure) && !leases.some((lease) => lease.holder === holder)
  }

  /** null for no answer, and for one that cannot be the truth. */
  async #ask(): Promise<ReadonlySet<TenantId> | null> {
    const tenants = await orFailure(this.#service.tenants(unhurried))
    if (tenants instanceof Failure) return null
    if (tenants.length === 0 && !this.#named && (await this.#knowsOthers())) return null
    return new Set(tenants.map(({ id }) => id))
  }

  async #knowsOthers(): Promise<boolean> {
    const results = await orFailure(this.#ledger.lastResults())
    return results instanceof Failure || results.some((result) => !isGone(result))
  }
}

/** @throws {Failure} RESUME_FAILED naming the tenants that were not seen serving */
export function requireAllResumed(endings: readonly HoldEnding[]): void {
  const failed = endings.filter(({ failure }) => failure !== null)
  const [first] = failed
  if (!first?.failure) return
  const tenants = failed.map(({ hold }) => hold.tenant).join(', ')
  throw new Failure('RESUME_FAILED', `an earlier run left a hold open, and these tenants were not seen serving: ${tenants}`, { cause: first.failure, hint: first.failure.hint })
}
