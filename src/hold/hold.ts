/**
 * The hold: quiesce, lock, probe, seal, prove, copy, prove, release (hold.md). The critical section of holdfast and, with
 * its folder, the only code that ever sees a live path. Every line registers its release before it asks for the thing.
 */
import { nextTurn } from '../host/clock.ts'
import { collectGarbage } from '../host/garbage.ts'
import type { SealLevel } from '../model/evidence.ts'
import { invariant } from '../model/bug.ts'
import type { TenantId } from '../model/brand.ts'
import { Failure } from '../model/failure.ts'
import { withSuppressed } from '../model/suppressed.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Service } from '../service/port.ts'
import { accuser } from './accusation.ts'
import { Announcement } from './announcement.ts'
import type { Companions } from './companions.ts'
import { copyLiveSet } from './copy.ts'
import { Draft, type Snapshot } from './draft.ts'
import { holdersOf } from './holders.ts'
import { LiveFiles } from './live-files.ts'
import { resolveLivePath } from './live-path.ts'
import { lockLiveSet } from './lock.ts'
import { longestPauseMs, Pause, unserved, type PauseLimits, type Pausing, type Still } from './pause.ts'
import { predictPauseMs, preflight, requireNoLostPause, requireShortPause, requireSpace, type Contents, type Outlook } from './preflight.ts'
import { prove, proveAgain } from './proof.ts'
import { HoldRecord, type HoldStep, type HoldTimings } from './record.ts'
import { probeLock, seal, type Sealed } from './seal.ts'
import { settleSuperJournal, superJournalOf } from './super-journal.ts'
import { copyWarm, readIntoCache, rehearseCopy, type WarmCopy } from './warm-copy.ts'

/** Who keeps the tenant still for us; `nobody` for bare files, where the seal alone decides. */
export type Keeper =
  | { readonly kind: 'nobody' }
  | { readonly kind: 'service'; readonly tenant: TenantId; readonly service: Service; readonly ledger: Ledger; readonly socket: string | null }

export interface HoldSettings extends PauseLimits {
  /** The weakest seal that is accepted. */
  readonly require: SealLevel
  readonly warmAboveBytes: number
  readonly trustMounts: readonly string[]
}

/** What one hold may take while there are others. */
export interface HoldBounds {
  /** Bytes of the snapshots that others have, or are about to have. */
  readonly othersBytes: () => number
  /** Asks for room on the disk for a snapshot of so many bytes: null where there is, else the wait for it. */
  readonly reserve: (bytes: number) => Promise<void> | null
  /** Runs the part during which the tenant stands still; bounds how many do at once. */
  readonly inPause: <Value>(work: () => Promise<Value>) => Promise<Value>
}

/** For a hold that has no others beside it. */
export const unbounded: HoldBounds = { othersBytes: () => 0, reserve: () => null, inPause: (work) => work() }

export interface HoldRequest {
  /** The main database file, as the service or a person named it. */
  readonly named: string
  /** Folders that it must lie in; null for bare files. */
  readonly roots: readonly string[] | null
  readonly keeper: Keeper
  /** Ought it to be a database? Then one that is none is held all the same, because that is damage. */
  readonly expected: boolean
  /** How long, in ms, the tenant had stood still when the hold before this one was given up because its copy took too long; null where it was not. */
  readonly lostPauseMs: number | null
  readonly settings: HoldSettings
  /** Private folder for snapshots, and a name unique in it. */
  readonly folder: string
  readonly name: string
  readonly bounds: HoldBounds
  /** Told of each step when it is done, for the log. */
  readonly onStep: (step: HoldStep) => void
}

export type Held =
  /** `written`: the end of the hold stands in the ledger. Nobody else waits for that line, so whoever goes on with the snapshot does, at the end. */
  | { readonly kind: 'snapshot'; readonly snapshot: Snapshot; readonly contents: Contents; readonly record: HoldRecord; readonly written: Promise<void> }
  /** Refused outright: nothing was asked of the tenant (`failed`). */
  | { readonly kind: 'refused'; readonly failure: Failure; readonly record: HoldRecord }
  /** Begun, and not come to both proofs (`inconclusive`). */
  | { readonly kind: 'undecided'; readonly failure: Failure; readonly record: HoldRecord }

export type { HoldTimings }

const attemptsMax = 3
/** Doubts that a fresh attempt may settle (hold.md step 10). Not a lost lease: each such attempt may stand the tenant still for a whole TTL. */
const worthRetrying = new Set<Failure['code']>(['COPY_CHANGED', 'WRITER_SEEN'])

/**
 * Takes a snapshot of one live set, in at most three attempts.
 * @throws {Failure} INTERRUPTED when the signal aborted it. All other failures are answers; which of them stop the run is decided in fleet/.
 */
export async function hold(request: HoldRequest, companions: Companions, signal: AbortSignal): Promise<Held> {
  const record = new HoldRecord(request.onStep)
  for (;;) {
    record.startAttempt()
    try {
      return await attempt(request, companions, record, signal)
    } catch (error) {
      const failure = withState(gravestOf(error), request, record)
      if (failure.code === 'INTERRUPTED') throw failure
      if (worthRetrying.has(failure.code) && record.evidence.attempts < attemptsMax && !signal.aborted) continue
      if (record.begun || undecidedFromTheStart.has(failure.code)) return { kind: 'undecided', failure, record }
      return { kind: 'refused', failure, record }
    }
  }
}

const undecidedFromTheStart = new Set<Failure['code']>(['SERVICE_BUSY', 'QUIESCE_TIMEOUT', 'NOT_SQLITE', 'EMPTY_FILE'])

async function attempt(request: HoldRequest, companions: Companions, record: HoldRecord, signal: AbortSignal): Promise<Held> {
  const { settings, keeper, bounds } = request
  const path = await resolveLivePath(request.named, request.roots)
  const wasHealthy = await lookBefore(keeper, signal)
  using files = new LiveFiles(path, request.roots)
  await files.follow()
  const outlook = await preflight(files, request.folder, settings.trustMounts)
  record.step('preflight', { fileSystem: outlook.fileSystem.type })
  requireDatabase(request, outlook)
  requireSpace(request.folder, outlook.copyBytes - bounds.othersBytes())
  const room = bounds.reserve(outlook.copyBytes)
  if (room) {
    files[Symbol.dispose]() // It may take as long as the checks of others: nothing of ours is open meanwhile, and all is looked at anew afterwards.
    await room
    signal.throwIfAborted()
    return await attempt(request, companions, record, signal)
  }
  requireSpace(request.folder, outlook.copyBytes)
  await using draft = await Draft.open(request.folder, request.name)
  await draft.descriptor('') // There is always one, and while the tenant stands still is no time to make a file.
  using warm = await warmUp(request, files, draft, outlook, companions, record, signal)
  record.step('warm')

  const onEnded: Pausing['onEnded'] = ({ quiesce, pauseMs, ranOutMs, how }) => {
    record.endedBySelf = how === 'service-restarted' || how === 'expired' ? how : null
    record.add({ quiesce })
    record.time(ranOutMs === null ? { pauseMs } : { pauseMs, ranOutMs })
  }
  await using announced = keeper.kind === 'service' ? new Announcement({ ...keeper, longestMs: longestPauseMs(keeper.service, settings) }) : null
  // Hooks are announced when it is their turn: after a crash what was announced is resumed by command, whether it was paused or not.
  if (keeper.kind === 'service' && keeper.service.via === 'admin-api') await announced?.write()
  const snapshot = await bounds.inPause(async () => {
    signal.throwIfAborted()
    // A pause in which V8 collected took four times as long. Of small files there are too many to do so before each.
    if (isLarge(outlook, settings)) collectGarbage()
    await warm?.catchUp()
    await using pause = keeper.kind === 'service' && announced ? await Pause.open(announced, { ...keeper, guardian: companions.guardian, limits: settings, required: settings.require, wasHealthy, onEnded }) : null
    record.step('asked')
    using _watch = pause ? null : await companions.guardian.watchHeartbeat()
    const still = await standStill(pause, path, record, signal)
    using _descriptors = files // Closed before the pause ends, so that the service finds nothing of ours.
    record.step('quiesced')
    await files.follow()
    const accuse = accuser(files, keeper.kind === 'service' ? keeper.socket : null, record)
    const over = pause ? AbortSignal.any([signal, pause.over]) : signal
    using locked = await lockLiveSet(still, files, settings.require, accuse, over)
    record.step('locked', { lock: { kind: 'ofd', ranges: locked.ranges } })
    const probed = await probeLock(locked, companions.probe)
    record.step('probed', { probe: { before: probed.answer, after: null } })
    using sealed = await seal(probed, { required: settings.require, ceiling: outlook.ceiling, accuse }, over)
    record.begun = true
    await recordSeal(sealed, record)
    record.step('sealed')
    const proven = prove(sealed)
    record.step('proven', { proofs: [proven.proof] })
    const superJournal = await superJournalOf(files)

    const copied = await copyLiveSet(proven, draft, warm, AbortSignal.any([over, sealed.broken])).catch(async (error: unknown) => {
      await draft.empty() // At once: on a full disk the ledger needs the room to say that the hold has ended.
      throw error
    })
    invariant((await draft.size('')) === proven.proof.files.find(({ part }) => part === '')?.size, 'the copy is as long as the database file was in the first proof')
    record.step('copied')

    record.step('proven-again', { proofs: [proven.proof, proveAgain(proven)] })
    pause?.assertStanding()
    // The probe opens by path and would wait on our own lease; the byte locks stay until the end (step 8).
    sealed[Symbol.dispose]()
    const again = await probeLock(locked, companions.probe)
    record.step('probed-again', { probe: { before: probed.answer, after: again.answer } })
    locked[Symbol.dispose]()
    record.step('released')
    files[Symbol.dispose]() // Before the resume, so that the service finds nothing of ours.
    const ended = await pause?.resume()
    record.step('resumed')
    return { copied, superJournal, ended }
  })

  // The next tenant's request goes out first: what follows here is done while the service works on it.
  await nextTurn()
  await settleSuperJournal(draft, snapshot.superJournal)

  const kept = await draft.keep()
  try {
    record.step('kept', { snapshot: { sha256: kept.files[0]?.sha256 ?? '', bytes: kept.bytes, files: kept.files, ...snapshot.copied } })
  } catch (error) {
    await kept[Symbol.asyncDispose]() // Nobody else knows of it yet.
    throw error
  }
  return { kind: 'snapshot', snapshot: kept, contents: outlook.contents, record, written: snapshot.ended?.written ?? Promise.resolve() }
}

/** A tenant that another holder keeps still is busy; one that is unwell may be checked all the same, and is remembered as such. */
async function lookBefore(keeper: Keeper, signal: AbortSignal): Promise<boolean> {
  if (keeper.kind === 'nobody') return true
  const { state, healthy } = await keeper.service.tenant(keeper.tenant, signal)
  if (state !== 'active') throw new Failure('SERVICE_BUSY', `${keeper.tenant} is ${state} already, for another holder`)
  return healthy
}

/** A file that nobody knows needs no hold to be called no database. */
function requireDatabase({ expected, named }: HoldRequest, { contents }: Outlook): void {
  if (expected) return
  if (contents === 'empty') throw new Failure('EMPTY_FILE', `${named} is empty`)
  if (contents === 'foreign') throw new Failure('NOT_SQLITE', `${named} does not begin as a SQLite database does`)
}

/** Step 1, for tenants only: of a bare file nobody waits for the end. @throws {Failure} TOO_LARGE_FOR_PAUSE */
async function warmUp(
  { keeper, settings, lostPauseMs }: HoldRequest, files: LiveFiles, draft: Draft, outlook: Outlook, { guardian }: Companions, record: HoldRecord, signal: AbortSignal,
): Promise<WarmCopy | null> {
  if (keeper.kind === 'nobody') return null
  const large = isLarge(outlook, settings)
  const warm = large && outlook.walMode && !outlook.reflink ? await copyWarm(files, draft, guardian, signal) : null
  if (warm) record.time({ warmMs: warm.ms })
  // What took too long once was a copy of all bytes: of another kind of copy it says nothing.
  const leastMs = warm || outlook.reflink ? null : lostPauseMs
  record.time({ predictedPauseMs: leastMs })
  requireNoLostPause(files.path, leastMs, settings.maxPauseMs)
  let rate: number | null = null
  if (large && !warm && !outlook.reflink) {
    await readIntoCache(files, outlook.mainBytes, signal)
    rate = await rehearseCopy(files, draft, outlook.mainBytes, signal)
  }
  const predictedPauseMs = Math.max(leastMs ?? 0, predictPauseMs(outlook, warm !== null, rate))
  record.time({ predictedPauseMs })
  try {
    requireShortPause(files.path, predictedPauseMs, settings.maxPauseMs)
  } catch (error) {
    warm?.[Symbol.dispose]() // Nobody else knows of the pin and of its watch yet.
    throw error
  }
  // Without a warm copy nothing of ours may be open while the service closes and we open anew.
  if (!warm) files[Symbol.dispose]()
  return warm
}

/** Worth preparing for. */
const isLarge = ({ mainBytes, tailBytes }: Outlook, { warmAboveBytes }: HoldSettings): boolean => mainBytes + tailBytes > warmAboveBytes

async function standStill(pause: Pause | null, path: LiveFiles['path'], record: HoldRecord, signal: AbortSignal): Promise<Still> {
  if (!pause) return unserved
  try {
    return await pause.quiesce(path, signal)
  } finally {
    record.begun ||= pause.mayHavePaused
    record.add({ quiesce: pause.evidence })
  }
}

async function recordSeal(sealed: Sealed, record: HoldRecord): Promise<void> {
  record.add({ level: sealed.level, lease: sealed.leases })
  if (sealed.level === 'sealed') return
  const { holders, unseen } = await holdersOf(sealed.locked.files)
  record.add({ holders, unseen })
}

/** Of a failure and the failures of its cleanup the gravest: a tenant that may still be paused outweighs all. @throws {unknown} what is no failure, as it is */
export function gravestOf(error: unknown): Failure {
  const all = withSuppressed(error)
  const failure = all.find((one) => one instanceof Failure && one.code === 'RESUME_FAILED') ?? all.at(-1)
  if (failure instanceof Failure) return failure
  if (isSystemError(failure)) return new Failure('READ_FAILED', failure.message, { cause: error })
  throw error
}

/** A disk that fails, or a limit that is reached, says nothing about the data and is no defect of ours. */
const isSystemError = (error: unknown): error is Error => error instanceof Error && /^E[A-Z0-9]+$/.test(String((error as NodeJS.ErrnoException).code))

/** What a service that has gone on by itself makes us see: the cause is told, not the symptom. */
const followsFromWaking = new Set<Failure['code']>(['IN_USE', 'LOCK_BUSY', 'WRITER_SEEN', 'COPY_CHANGED'])

/** A pause that was cleaned up without complaint was seen to end; of one that was refused the service may have said that it serves again. */
function withState(failure: Failure, { keeper }: HoldRequest, record: HoldRecord): Failure {
  if (keeper.kind === 'nobody') return failure.withTenant('untouched')
  if (failure.code === 'RESUME_FAILED') return failure
  if (record.endedBySelf !== null && followsFromWaking.has(failure.code)) {
    const how = record.endedBySelf === 'expired' ? 'its quiesce had ended before we did' : 'the service was restarted while it stood still'
    return new Failure('LEASE_LOST', `${keeper.tenant}: ${how}; what we met was ${failure.code}: ${failure.message}`, { cause: failure, tenant: 'active' })
  }
  return failure.withTenant(record.begun || failure.tenantState === 'active' ? 'active' : 'untouched')
}
