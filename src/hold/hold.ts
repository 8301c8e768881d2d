/**
 * The hold: quiesce, lock, probe, seal, prove, copy, prove, release (hold/README.md). The critical section of holdfast
 * and, with its folder, the only code that ever sees a live path. It has three phases: prepare, copy in the pause,
 * publish.
 */
import { nextTurn } from '../host/clock.ts'
import { invariant } from '../model/bug.ts'
import type { Failure } from '../model/failure.ts'
import { copyInPause, type FileInDraft } from './copy-in-pause.ts'
import { FileHold } from './file-hold.ts'
import { gravestOf, withTenantState } from './hold-failure.ts'
import type { HoldProcesses } from './hold-processes.ts'
import type { Held, HoldRequest } from './hold-request.ts'
import { prepare, type Prepared } from './prepare.ts'
import { publish, type Publishing } from './publish.ts'
import { HoldRecord, type HoldTimings } from './record.ts'

export { unbounded } from './hold-request.ts'
export type { FileRequest, Held, HoldBounds, HoldRequest, HoldSettings, TenantKeeper } from './hold-request.ts'
export type { HoldTimings }

const attemptsMax = 3
/**
 * Doubts that a fresh attempt may settle (hold/README.md step 10). Not a lost lease: each such attempt may stand the
 * tenant still for a whole TTL.
 */
const worthRetrying = new Set<Failure['code']>(['COPY_CHANGED', 'WRITER_SEEN'])

/**
 * Takes a snapshot of each file of one tenant, all of one moment, in at most three attempts. Files that cannot be held
 * have their own outcome; where one is worth a fresh attempt it is made for all, so that the snapshots never are of two
 * moments.
 * @returns one outcome for each file, in their order
 * @throws {Failure} INTERRUPTED when the signal aborted it. All other failures are answers; which of them stop the run
 * is decided in fleet/.
 */
export async function hold(
  request: HoldRequest,
  companions: HoldProcesses,
  signal: AbortSignal,
): Promise<readonly Held[]> {
  const records = request.files.map(({ onStep }) => new HoldRecord(onStep))
  for (let attempt = 1; ; attempt++) {
    const holds = records.map((record, at) => new FileHold(request.files[at] ?? request.files[0], record))
    for (const record of records) record.startAttempt()
    const isWorthAnother = (): boolean =>
      attempt < attemptsMax && !signal.aborted && holds.some((file) => isDoubtful(file, request))
    const outcome = await tryOnce(holds, isWorthAnother, request, companions, signal)
    if (outcome.kind === 'again') continue
    const paused = records.some(({ begun }) => begun)
    return holds.map((file) => outcome.snapshots.get(file) ?? unheld(file, outcome.failure, request, paused))
  }
}

function isDoubtful({ failure, record }: FileHold, { keeper }: HoldRequest): boolean {
  return failure !== null && worthRetrying.has(withTenantState(failure, keeper, record, true).code)
}

type Outcome =
  | { readonly kind: 'again' }
  /** `failure`: what ended the hold for all files that have neither a snapshot nor a failure of their own. */
  | { readonly kind: 'ended'; readonly snapshots: ReadonlyMap<FileHold, Held>; readonly failure: Failure | null }

async function tryOnce(
  holds: readonly FileHold[],
  isWorthAnother: () => boolean,
  request: HoldRequest,
  companions: HoldProcesses,
  signal: AbortSignal,
): Promise<Outcome> {
  const { keeper } = request
  try {
    await using prepared = await prepare(holds, request, companions, signal)
    const copied =
      prepared.files.length === 0 ? nothingCopied : await copyAndResume(prepared, request, companions, signal)
    if (copied.unproven === null && isWorthAnother()) return { kind: 'again' }
    // The next tenant's request goes out first: what follows here is done while the service works on it.
    await nextTurn()
    return { kind: 'ended', snapshots: await publish(copied, signal), failure: copied.unproven }
  } catch (error) {
    const failure = gravestOf(error)
    if (failure.code === 'INTERRUPTED')
      throw failure.withTenant(
        keeper.kind === 'service' && holds.some(({ record }) => record.begun) ? 'active' : 'untouched',
      )
    if (failure.code !== 'RESUME_FAILED' && isWorthAnother()) return { kind: 'again' }
    return { kind: 'ended', snapshots: new Map(), failure }
  }
}

const nothingCopied: Publishing = { files: [], written: Promise.resolve(), unproven: null }

/** The service said nothing good of the pause, or nothing at all. */
const unconfirmed = new Set<Failure['code']>(['LEASE_LOST', 'RESUME_FAILED'])

/**
 * A service that dies while its tenant stands still takes its word with it. The kernel's word remains: where leases on
 * every file stood from before the copy to after it, nobody has had the files, and the copies are what lies on the
 * disk. They are kept, with what is not proven. All others are thrown away.
 */
async function copyAndResume(
  prepared: Prepared,
  request: HoldRequest,
  companions: HoldProcesses,
  signal: AbortSignal,
): Promise<Publishing> {
  let proven: readonly FileInDraft[] = []
  const onProven = (files: readonly FileInDraft[]): void => {
    proven = files
  }
  try {
    const { written } = await request.bounds.inPause(() => copyInPause(prepared, request, companions, onProven, signal))
    return { files: proven, written, unproven: null }
  } catch (error) {
    const failure = gravestOf(error)
    const sealed = proven.filter(({ sealed: { level } }) => level === 'sealed')
    if (sealed.length === 0 || !unconfirmed.has(failure.code)) throw error
    const state = failure.code === 'RESUME_FAILED' ? failure.tenantState : 'active'
    return { files: sealed, written: Promise.resolve(), unproven: failure.withTenant(state) }
  }
}

const undecidedFromTheStart = new Set<Failure['code']>(['SERVICE_BUSY', 'QUIESCE_TIMEOUT', 'NOT_SQLITE', 'EMPTY_FILE'])

/**
 * @param ofAll what ended the hold for all files; a tenant that may still be paused outweighs what one of its files met
 */
function unheld(file: FileHold, ofAll: Failure | null, { keeper }: HoldRequest, paused: boolean): Held {
  const { record } = file
  const maybePaused = ofAll?.code === 'RESUME_FAILED'
  const met = maybePaused && record.begun ? ofAll : (file.failure ?? ofAll)
  invariant(met, 'a file without a snapshot has a failure')
  const failure = maybePaused ? met.withTenant(ofAll.tenantState) : withTenantState(met, keeper, record, paused)
  return { kind: record.begun || undecidedFromTheStart.has(failure.code) ? 'undecided' : 'refused', failure, record }
}
