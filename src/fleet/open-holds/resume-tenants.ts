/**
 * `resume`: ends the holds that stand open. First the tenants are made to serve, whatever state the ledger is in; what became of them is written down afterwards,
 * and whoever cannot be known to serve is said to be unknown.
 */

import type { Settings } from '../../config/settings.ts'
import { HoldLocks } from '../../ledger/run-lock/hold-locks.ts'
import { waitForRun, type RunWait } from '../../ledger/run-lock/wait-for-run.ts'
import type { RunId, TenantId } from '../../model/brand.ts'
import type { OpenHold } from '../../model/event.ts'
import { Failure } from '../../model/failure.ts'
import { orFailure } from '../../model/or-failure.ts'
import { mayBeOurs, type OtherHold } from '../../model/service-way.ts'
import { connectService } from '../../service/connect.ts'
import type { OpenLease, Service } from '../../service/port.ts'
import { lockToResume, openHoldMemory, type HoldMemory, type ReadableMemory } from './hold-memory.ts'
import { endHolds, type OpenHoldOutcome, type HoldLedger, type ResumeCare } from './open-holds.ts'

export interface Resumption {
  /** Of holds that the ledger knew, and of leases and pauses of a named tenant that it did not know. */
  readonly endings: readonly OpenHoldOutcome[]
  /** One of them: a named tenant was resumed although nobody knows whether a hold on it was open. */
  readonly presumed: OpenHold | null
  /** Holds of others that stand open still. */
  readonly others: readonly OtherHold[]
  /** Why the ledger cannot be written, or not even read; null where it can. */
  readonly trouble: Failure | null
  /** What has to be said of the ledger itself. */
  readonly notice: string | null
  /** Whether the ledger could not be read, or holds were lost with what was read before it. */
  readonly unread: boolean
  /** Leases of a holdfast that the service names though the ledger cannot tell of them. */
  readonly leases: readonly OpenLease[]
  /** Whether there is no ledger, and nothing says that there ever was one. */
  readonly isNew: boolean
  /** Whether somebody may stand still of whom neither the ledger nor the service tells. */
  readonly unknown: boolean
}

/**
 * @param only the tenant that a person named; null for all
 * @param waiting for another run to end; null: not at all
 * @throws {Failure} RUN_ACTIVE; TENANT_UNKNOWN when neither the ledger nor the service knows the one that was named
 */
export async function resumeTenants(
  settings: Settings,
  run: RunId,
  only: TenantId | null,
  waiting: RunWait | null,
): Promise<Resumption> {
  await using _lock = await waitForRun(() => lockToResume(settings, run), waiting)
  await using memory = await openHoldMemory(settings, run)
  const known = await readHolds(memory, only)
  const service = await orFailure(connectService(settings.service))
  if (service instanceof Failure) {
    const endings = known.open.map((hold) => ({ hold, how: null, failure: service, complaint: null, unwritten: null }))
    if (endings.length === 0 && only === null && !known.lost)
      return { ...told(memory, known), endings, presumed: null, leases: [], unknown: false }
    throw endings.length === 0 && !known.lost ? service : service.withTenant('maybe-paused')
  }
  await using _service = service
  using locks = HoldLocks.open(settings.ledger.dir)
  const care: ResumeCare = { locks, guard: null }
  const ledger: HoldLedger = {
    openHolds: () => memory.ledger?.openHolds() ?? Promise.resolve([]),
    lastResults: () => memory.ledger?.lastResults() ?? Promise.resolve([]),
    append: appending(memory),
  }
  const endings = await endHolds(known.open, service, ledger, only !== null, care)
  if (only === null) {
    // A ledger that is not there may have been lost with its folder: the service may know better.
    const leases = known.lost || memory.isNew ? await ourLeases(service) : []
    const unknown = leases === null ? known.lost : leases.length > 0
    return { ...told(memory, known), endings, presumed: null, leases: leases ?? [], unknown }
  }
  const beside = await resumeNamed(only, service, memory.isNew ? { ...known, lost: true } : known, run, care)
  const all = [...endings, ...beside]
  if (known.others.length + all.filter((ending) => !isGuess(ending, beside)).length === 0)
    await requireKnown(only, all.length > 0, memory.ledger, service)
  const others = await closeOthers(only, known, all, ledger)
  // What was tried in the place of holds that are named now need not be named beside them.
  const tried = others.closed.length === 0 ? all : all.filter(({ hold }) => hold.holder !== holderOf(run))
  const presumed = tried.find(({ hold }) => hold.holder === holderOf(run))?.hold ?? null
  return {
    ...told(memory, known),
    endings: [...tried, ...others.closed],
    presumed,
    others: others.left,
    leases: [],
    unknown: false,
  }
}

/** What the ledger tells of holds that stand open. */
interface Known {
  readonly open: readonly OpenHold[]
  readonly others: readonly OtherHold[]
  /** Others may stand open that it cannot tell of. */
  readonly lost: boolean
}

async function readHolds({ ledger }: HoldMemory, only: TenantId | null): Promise<Known> {
  if (ledger === null) return { open: [], others: [], lost: true }
  const read = await orFailure(Promise.all([ledger.openHolds(), ledger.otherHolds()]))
  if (read instanceof Failure) return { open: [], others: [], lost: true }
  const isMeant = ({ tenant }: OpenHold): boolean => only === null || tenant === only
  return { open: read[0].filter(isMeant), others: read[1].filter(isMeant), lost: ledger.holdsLost }
}

type Told = Pick<Resumption, 'others' | 'trouble' | 'notice' | 'unread' | 'isNew'>

const told = ({ ledger, trouble, isNew }: HoldMemory, { others, lost }: Known): Told => ({
  others,
  trouble,
  notice: ledger?.notice ?? null,
  unread: lost,
  isNew,
})

const appending =
  ({ ledger, trouble }: HoldMemory): ReadableMemory['append'] =>
  (event) =>
    ledger?.append(event) ?? Promise.reject(trouble ?? new Failure('LEDGER_UNUSABLE', 'there is no ledger to write to'))

/** Holders of holdfast call themselves so. */
const isOurs = ({ holder }: OpenLease): boolean => holder.startsWith('holdfast-')

const holderOf = (run: RunId): string => `holdfast-${run}`

/** null where the service has none to tell of: with hooks nobody but us knows who stands still. */
async function ourLeases(service: Service): Promise<readonly OpenLease[] | null> {
  if (service.via === 'hooks') return null
  const leases = await orFailure(service.leases(unhurried))
  return leases instanceof Failure ? null : leases.filter(isOurs)
}

/** Each call has a deadline of its own, and a resume is not interrupted. */
const unhurried = new AbortController().signal

/**
 * What may keep a tenant still beyond what the ledger tells: a lease of a holdfast, or, with hooks, a pause that the
 * ledger lost or another way began. A ledger that is whole and knows of no hold is believed: what somebody else paused
 * is not ours to resume.
 */
async function resumeNamed(
  tenant: TenantId,
  service: Service,
  { open, others, lost }: Known,
  run: RunId,
  care: ResumeCare,
): Promise<readonly OpenHoldOutcome[]> {
  const now = Date.now()
  const standing = (more: Partial<OpenHold>): OpenHold => ({
    holder: holderOf(run),
    run,
    tenant,
    askedAt: now,
    endsBy: now,
    leaseId: null,
    fence: null,
    ...more,
  })
  const leases = await orFailure(service.leases(unhurried))
  if (leases instanceof Failure)
    return [{ hold: standing({}), how: null, failure: leases.withTenant('unknown'), complaint: null, unwritten: null }]
  const unknown = leases.filter(
    (lease) => isOurs(lease) && lease.tenant === tenant && !open.some(({ holder }) => holder === lease.holder),
  )
  const holds = unknown.map(({ holder, leaseId, fence, expiresInMs }) =>
    standing({ holder, leaseId, fence, endsBy: now + expiresInMs }),
  )
  if (holds.length + open.length === 0 && (others.some(mayBeOurs) || (lost && service.via === 'hooks')))
    holds.push(standing({}))
  // Nothing of them stands in the ledger, so nothing is to be written.
  return endHolds(
    holds,
    service,
    {
      openHolds: () => Promise.resolve(holds),
      lastResults: () => Promise.resolve([]),
      append: () => Promise.resolve(),
    },
    true,
    care,
  )
}

/**
 * A person named the tenant, and it was seen serving: then what was asked for in another way keeps it still no longer.
 * Of another service that says nothing.
 */
async function closeOthers(
  tenant: TenantId,
  { others }: Known,
  endings: readonly OpenHoldOutcome[],
  ledger: Pick<ReadableMemory, 'append'>,
): Promise<{ readonly closed: readonly OpenHoldOutcome[]; readonly left: readonly OtherHold[] }> {
  const ours = others.filter(mayBeOurs)
  if (ours.length === 0 || endings.some(({ failure }) => failure !== null)) return { closed: [], left: others }
  const closed = await Promise.all(
    ours.map(async (hold) => {
      const unwritten = await orFailure(
        ledger.append({ kind: 'hold-ended', tenant, holder: hold.holder, how: 'seen-serving', heldMs: null }),
      )
      return {
        hold,
        how: 'seen-serving',
        failure: null,
        complaint: null,
        unwritten: unwritten instanceof Failure ? unwritten : null,
      } as const
    }),
  )
  return { closed, left: others.filter((hold) => !mayBeOurs(hold)) }
}

/** A tenant of whom no hold was known, and whom the service does not list: whoever typed it may have meant another. */
const isGuess = (ending: OpenHoldOutcome, beside: readonly OpenHoldOutcome[]): boolean =>
  ending.how === 'tenant-gone' && beside.includes(ending)

/** Who was ever held is in the ledger; who never was, the service may list. */
async function requireKnown(
  tenant: TenantId,
  commandWasRun: boolean,
  ledger: ReadableMemory | null,
  service: Service,
): Promise<void> {
  const lines = ledger === null ? [] : await orFailure(ledger.history(tenant, 1))
  if (lines instanceof Failure || lines.length > 0) return
  if ((await service.tenants(unhurried)).some(({ id }) => id === tenant)) return
  throw new Failure(
    'TENANT_UNKNOWN',
    'neither the ledger nor the service knows ' +
      `${tenant}${commandWasRun ? '; its resume command was run all the same' : ''}`,
  )
}
