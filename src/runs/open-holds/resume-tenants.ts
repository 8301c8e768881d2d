/**
 * `resume`: ends the holds that stand open. The tenants are resumed first, whatever state the ledger is in, and the
 * ledger is written afterwards. If holdfast does not know whether a tenant serves, the answer says so.
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
import { lockToResume, openLedgerForResume, type LedgerToResume, type ReadableLedger } from './ledger-to-resume.ts'
import { endHolds, type OpenHoldOutcome, type HoldLedger, type ResumeGuards } from './open-holds.ts'

export interface Resumption {
  /** Of holds in the ledger. For a named tenant also of leases and pauses that the ledger does not have. */
  readonly endings: readonly OpenHoldOutcome[]
  /** One of them, if the named tenant was resumed although it is not known whether a hold on it was open. */
  readonly presumed: OpenHold | null
  /** Holds of others that are still open. */
  readonly others: readonly OtherHold[]
  /** Why the ledger cannot be written or not even read; null if it can be written. */
  readonly unwritable: Failure | null
  /** A sentence about the ledger itself; null if there is none. */
  readonly notice: string | null
  /** True if the ledger could not be read, or holds were lost with an earlier one. */
  readonly unread: boolean
  /** Leases of a holdfast that the service lists and the ledger does not have. */
  readonly leases: readonly OpenLease[]
  /** True if there is no ledger, and nothing shows that there ever was one. */
  readonly isNew: boolean
  /** True if a tenant may be paused that neither the ledger nor the service can name. */
  readonly unknown: boolean
}

/**
 * @param only the tenant that a person named; null for all
 * @param waiting how to wait if another run works on this service; null: do not wait
 * @throws {Failure} RUN_ACTIVE; TENANT_UNKNOWN if neither the ledger nor the service knows the named tenant
 */
export async function resumeTenants(
  settings: Settings,
  run: RunId,
  only: TenantId | null,
  waiting: RunWait | null,
  onResumeRetry: ResumeGuards['onResumeRetry'],
): Promise<Resumption> {
  await using _lock = await waitForRun(() => lockToResume(settings, run), waiting)
  await using opened = await openLedgerForResume(settings, run)
  const known = await readHolds(opened, only)
  const service = await orFailure(connectService(settings.service))
  if (service instanceof Failure) return withoutService(service, opened, known, only)
  await using _service = service
  using locks = HoldLocks.open(settings.ledger.dir)
  const guards: ResumeGuards = { locks, guard: null, onResumeRetry }
  const endings = await endHolds(known.open, service, holdLedgerOf(opened), only !== null, guards)
  return only === null
    ? await resumptionOfAll(endings, opened, known, service)
    : await resumeNamedTenant(only, endings, opened, known, service, run, guards)
}

/** @throws {Failure} `unreachable`, unless all tenants were meant and none is known to be paused */
function withoutService(
  unreachable: Failure,
  opened: LedgerToResume,
  known: KnownHolds,
  only: TenantId | null,
): Resumption {
  const endings = known.open.map((hold) => ({
    hold,
    how: null,
    failure: unreachable,
    complaint: null,
    unwritten: null,
  }))
  if (endings.length === 0 && only === null && !known.lost)
    return { ...ledgerFields(opened, known), endings, presumed: null, leases: [], unknown: false }
  throw endings.length === 0 && !known.lost ? unreachable : unreachable.withTenant('maybe-paused')
}

async function resumptionOfAll(
  endings: readonly OpenHoldOutcome[],
  opened: LedgerToResume,
  known: KnownHolds,
  service: Service,
): Promise<Resumption> {
  // A ledger that is not there may have been lost with its folder: the service may know of leases.
  const leases = known.lost || opened.isNew ? await ourLeases(service) : []
  const unknown = leases === null ? known.lost : leases.length > 0
  return { ...ledgerFields(opened, known), endings, presumed: null, leases: leases ?? [], unknown }
}

/** @param endings of the holds on it that the ledger knew */
async function resumeNamedTenant(
  tenant: TenantId,
  endings: readonly OpenHoldOutcome[],
  opened: LedgerToResume,
  known: KnownHolds,
  service: Service,
  run: RunId,
  guards: ResumeGuards,
): Promise<Resumption> {
  const beside = await resumeNamed(tenant, service, opened.isNew ? { ...known, lost: true } : known, run, guards)
  const all = [...endings, ...beside]
  if (known.others.length + all.filter((ending) => !isGuess(ending, beside)).length === 0)
    await requireKnown(tenant, all.length > 0, opened.ledger, service)
  const others = await closeOthers(tenant, known, all, holdLedgerOf(opened))
  // If holds of others were closed, they are reported in the place of the hold that was presumed.
  const tried = others.closed.length === 0 ? all : all.filter(({ hold }) => hold.holder !== holderOf(run))
  const presumed = tried.find(({ hold }) => hold.holder === holderOf(run))?.hold ?? null
  return {
    ...ledgerFields(opened, known),
    endings: [...tried, ...others.closed],
    presumed,
    others: others.left,
    leases: [],
    unknown: false,
  }
}

/** The open holds that the ledger knows. */
interface KnownHolds {
  readonly open: readonly OpenHold[]
  readonly others: readonly OtherHold[]
  /** True if there may be open holds that it does not know. */
  readonly lost: boolean
}

async function readHolds({ ledger }: LedgerToResume, only: TenantId | null): Promise<KnownHolds> {
  if (ledger === null) return { open: [], others: [], lost: true }
  const read = await orFailure(Promise.all([ledger.openHolds(), ledger.otherHolds()]))
  if (read instanceof Failure) return { open: [], others: [], lost: true }
  const isMeant = ({ tenant }: OpenHold): boolean => only === null || tenant === only
  return { open: read[0].filter(isMeant), others: read[1].filter(isMeant), lost: ledger.holdsLost }
}

type LedgerFields = Pick<Resumption, 'others' | 'unwritable' | 'notice' | 'unread' | 'isNew'>

const ledgerFields = ({ ledger, unwritable, isNew }: LedgerToResume, { others, lost }: KnownHolds): LedgerFields => ({
  others,
  unwritable,
  notice: ledger?.notice ?? null,
  unread: lost,
  isNew,
})

/** A ledger that cannot be read answers with nothing. */
const holdLedgerOf = ({ ledger, unwritable }: LedgerToResume): HoldLedger => ({
  openHolds: () => ledger?.openHolds() ?? Promise.resolve([]),
  lastResults: () => ledger?.lastResults() ?? Promise.resolve([]),
  append: (event) =>
    ledger?.append(event) ??
    Promise.reject(unwritable ?? new Failure('LEDGER_UNUSABLE', 'there is no ledger to write to')),
})

/** Holders of holdfast have this name. */
const isOurs = ({ holder }: OpenLease): boolean => holder.startsWith('holdfast-')

const holderOf = (run: RunId): string => `holdfast-${run}`

/** null if the service cannot list its leases. With hooks only holdfast knows which tenant is paused. */
async function ourLeases(service: Service): Promise<readonly OpenLease[] | null> {
  if (service.via === 'hooks') return null
  const leases = await orFailure(service.leases(unhurried))
  return leases instanceof Failure ? null : leases.filter(isOurs)
}

/** Each call has a deadline of its own, and a resume is not interrupted. */
const unhurried = new AbortController().signal

/**
 * Ends what may keep a tenant paused although it is not an open hold in the ledger. That is a lease of a holdfast, or
 * with hooks a pause that the ledger lost, or that another way began. If the ledger is whole and has no hold, there is
 * none: a pause by another program is not resumed.
 */
async function resumeNamed(
  tenant: TenantId,
  service: Service,
  { open, others, lost }: KnownHolds,
  run: RunId,
  guards: ResumeGuards,
): Promise<readonly OpenHoldOutcome[]> {
  const now = Date.now()
  const presumedHold = (more: Partial<OpenHold>): OpenHold => ({
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
    return [
      { hold: presumedHold({}), how: null, failure: leases.withTenant('unknown'), complaint: null, unwritten: null },
    ]
  const unknown = leases.filter(
    (lease) => isOurs(lease) && lease.tenant === tenant && !open.some(({ holder }) => holder === lease.holder),
  )
  const holds = unknown.map(({ holder, leaseId, fence, expiresInMs }) =>
    presumedHold({ holder, leaseId, fence, endsBy: now + expiresInMs }),
  )
  if (holds.length + open.length === 0 && (others.some(mayBeOurs) || (lost && service.via === 'hooks')))
    holds.push(presumedHold({}))
  // The ledger has none of these holds, so it gets no end of them.
  return endHolds(
    holds,
    service,
    {
      openHolds: () => Promise.resolve(holds),
      lastResults: () => Promise.resolve([]),
      append: () => Promise.resolve(),
    },
    true,
    guards,
  )
}

/**
 * A person named the tenant, and it was seen serving: so a hold that was made in another way does not pause it any
 * more. About a hold of another service this says nothing.
 */
async function closeOthers(
  tenant: TenantId,
  { others }: KnownHolds,
  endings: readonly OpenHoldOutcome[],
  ledger: Pick<HoldLedger, 'append'>,
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

/** True for a tenant without a known hold that the service does not list: its name may have been mistyped. */
const isGuess = (ending: OpenHoldOutcome, beside: readonly OpenHoldOutcome[]): boolean =>
  ending.how === 'tenant-gone' && beside.includes(ending)

/** A tenant that was ever held is in the ledger; any other may be in the service's list. */
async function requireKnown(
  tenant: TenantId,
  commandWasRun: boolean,
  ledger: ReadableLedger | null,
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
