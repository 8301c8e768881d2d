/**
 * The hold: takes a snapshot of each file of one tenant, all of one moment, and lets the tenant go after milliseconds.
 * Only this folder opens live files. README.md gives the facts and the reasons behind this order.
 *
 * Phase 1, `prepare`: the tenant serves.
 *   1. Resolve the names. Ask the service for the tenant's state.
 *   2. Open the live files and judge them.
 *   3. Reserve disk space. If there is none: release 2, wait, begin again with 1.
 *   4. Make the drafts.
 *   5. For a large tenant, this process collects its own garbage, in a pause slot. If the tenant also has a WAL, and
 *      the file system does not share blocks: start a guardian watch, pin the WAL by locks, make the warm copy. Its
 *      other files are read into memory, and their copy is rehearsed. Large or not: predict the pause, and refuse one
 *      that is too long. Close the live files that have no warm copy.
 *   6. Admin API: write the intent to the ledger.
 * Phase 2, `inPause`: the tenant stands still.
 *   7. Take a pause slot. Large tenants: wait for the probe. Add to the warm copy what was committed since 5. In a
 *      fleet, take a slot from the permit (`pause/pause-permit.ts`), then add once more. If the permit gives none:
 *      release all, wait until it has one, and begin again with 1.
 *   8. Write the intent if there is none, or if it is older than a second. Report the hold to the guardian. Start its
 *      watch over the pause.
 *   9. Ask the service to quiesce the tenant: it grants its lease. Compare its answer with the files.
 *  10. Open the live files anew, if there is no warm copy. Lock them, probe, take the kernel leases: they are sealed.
 *  11. First proof. The task: copy into the drafts, second proof.
 *  12. Release the kernel leases, because the probe opens the files by name. Probe again under the locks.
 *  13. Release the locks and close the live files. This ends the pin of 5, but not the watch of 5.
 *  14. End the watch of 8 (with hooks in a fleet: after the resume). Resume, which ends the service's lease, and see
 *      the tenant serving.
 *  15. The guardian forgets the hold. Write the end of the hold to the ledger. After a failure this line is awaited
 *      here. After a success the caller awaits it, last of all (`written`). Give back the slot of the permit, then the
 *      pause slot.
 * Phase 3, `publish`: the tenant serves.
 *  16. Settle the journal of each draft, hash and rename it: it becomes a snapshot, which the caller disposes of.
 *  17. Release the rest of phase 1: the watch of 5, each draft that became no snapshot, and an unused intent. For such
 *      an intent the ledger records `never-began`.
 * The caller releases the disk space of 3 when it has disposed of the snapshots.
 *
 * If one file fails, the others go on (file-hold.ts). The failed one is released at the latest when the step has ended
 * for all files. A failure of the tenant or of the run releases everything in reverse order: locks before the resume,
 * the resume before the pause slot. There are two exceptions: the service did not confirm the pause (LEASE_LOST), or
 * the tenant was not seen serving (RESUME_FAILED). Then finished copies of level `sealed` are still published. After
 * RESUME_FAILED the hold stays open in the ledger, and the slot of the permit is not given back.
 *
 * If a file changed (COPY_CHANGED, WRITER_SEEN), or if the pause would begin too late, all begins again: three attempts
 * at most.
 *
 * Level `pinned` has its own steps, without a service and without a pause: pinned/take-file.ts lists them.
 *
 * A bare file has no service: steps 1 (state), 5, 6, 9 and 14 do not apply, but garbage is collected for a large one.
 * Step 2 takes kernel leases under a guardian watch; both end before step 7. The file stays open until step 13. Step 8
 * only starts a guardian watch, which ends after step 13. Step 10 takes kernel leases, locks the file, and releases
 * these leases. It then probes and seals as above. Step 15 only releases the pause slot.
 */
import { nextTurn } from '../host/clock.ts'
import type { Failure } from '../model/failure.ts'
import { FileHold, inParallel, inTurn } from './file-hold.ts'
import { isWorthRetrying, withoutSnapshot } from './file-outcome.ts'
import { copyFile, probeAgain, proveFileAgain, type CopiedFile } from './file-steps.ts'
import { gravestOf } from './hold-failure.ts'
import type { HoldProcesses } from './hold-processes.ts'
import type { HoldResult, HoldRequest } from './hold-request.ts'
import { inPause, type HoldTask } from './in-pause.ts'
import { holdPinned } from './pinned/hold-pinned.ts'
import { prepare, type Prepared } from './prepare.ts'
import { publish, type Copies } from './publish.ts'
import { HoldRecord } from './record.ts'

export { unbounded } from './hold-request.ts'
export type {
  FileRequest,
  HoldResult,
  HoldBounds,
  HoldRequest,
  HoldSettings,
  TenantConnection,
} from './hold-request.ts'

const attemptsMax = 3

/**
 * Takes a snapshot of each file, in at most three attempts. How long it waits for a slot of the permit is not limited.
 * A file that cannot be held has its own outcome. If another attempt may help one file, it is made for all files, so
 * that the snapshots are of one moment.
 * @returns one outcome for each file, in their order
 * @throws {Failure} INTERRUPTED if the signal aborted the hold. All other failures are outcomes; runs/ decides which
 * of them stop the run.
 */
export async function hold(
  request: HoldRequest,
  processes: HoldProcesses,
  signal: AbortSignal,
): Promise<readonly HoldResult[]> {
  if (request.settings.require === 'pinned') return holdPinned(request, processes, signal)
  const records = request.files.map(({ onStep }) => new HoldRecord(onStep))
  for (let attempt = 1; ;) {
    const files = records.map((record, at) => new FileHold(request.files[at] ?? request.files[0], record))
    for (const record of records) record.startAttempt()
    const outcome = await holdOnce(files, attempt === attemptsMax, request, processes, signal)
    if (outcome === 'again') attempt++
    else if (outcome === 'later') await request.connection?.permit?.waitForSlot(signal)
    else {
      const paused = records.some(({ begun }) => begun)
      return files.map(
        (file) => outcome.snapshots.get(file) ?? withoutSnapshot(file, outcome.failure, request.connection, paused),
      )
    }
  }
}

interface HoldAttempt {
  readonly snapshots: ReadonlyMap<FileHold, HoldResult>
  /** What ended the hold for the files that have neither a snapshot nor a failure of their own. */
  readonly failure: Failure | null
}

async function holdOnce(
  files: readonly FileHold[],
  isLast: boolean,
  request: HoldRequest,
  processes: HoldProcesses,
  signal: AbortSignal,
): Promise<HoldAttempt | 'again' | 'later'> {
  const { connection } = request
  const mayTryAgain = (): boolean =>
    !isLast && !signal.aborted && files.some((file) => isWorthRetrying(file, connection))
  let unconfirmed: Failure | null = null
  try {
    await using prepared = await prepare(files, request, processes, signal)
    const copies = await copyInPauseSlot(prepared, request, processes, signal)
    unconfirmed = copies.unconfirmed
    if (unconfirmed === null && mayTryAgain()) return 'again'
    await nextTurn() // The request for the next tenant goes out first: the service works on it while we hash.
    return { snapshots: await publish(copies, signal), failure: unconfirmed }
  } catch (error) {
    const failure = gravestOf(error)
    // RESUME_FAILED has stopped the run, which interrupted `publish`. A paused tenant outweighs the lost copies.
    if (unconfirmed?.code === 'RESUME_FAILED') return { snapshots: new Map(), failure: unconfirmed }
    if (failure.code === 'INTERRUPTED')
      throw failure.withTenant(connection && files.some(({ record }) => record.begun) ? 'active' : 'untouched')
    if (failure.code !== 'RESUME_FAILED' && mayTryAgain()) return 'again'
    // In both cases the service was not asked.
    if (failure.code === 'PAUSE_TOO_LATE' && !isLast && !signal.aborted) return 'again'
    if (failure.code === 'PAUSE_NOT_GRANTED' && !signal.aborted) return 'later'
    return { snapshots: new Map(), failure }
  }
}

/** The task of a hold. A file whose copy has both proofs is done. */
const copying: HoldTask<CopiedFile> = {
  underSeal: async (proven, pause, over) => {
    const copied = await inTurn(proven, (file) => copyFile(file, over))
    const provenAgain = await inTurn(copied, proveFileAgain)
    pause?.assertStanding()
    return provenAgain
  },
  underLocks: (copied, probe, over) => inParallel(copied, (file) => probeAgain(file, probe, over)),
}

async function copyInPauseSlot(
  prepared: Prepared,
  request: HoldRequest,
  processes: HoldProcesses,
  signal: AbortSignal,
): Promise<Copies> {
  const copied: CopiedFile[] = [] // `inPause` adds to it before the resume: if that fails, the copies are still there.
  if (prepared.files.length === 0) return { files: copied, written: Promise.resolve(), unconfirmed: null }
  try {
    const inSlot = (): ReturnType<typeof inPause> => inPause(copying, prepared, copied, request, processes, signal)
    const { written } = await request.bounds.inPauseSlot(inSlot)
    return { files: copied, written, unconfirmed: null }
  } catch (error) {
    return keepSealedCopies(copied, error)
  }
}

/** The service did not confirm the pause, or did not answer. */
const codesOfUnconfirmed = new Set<Failure['code']>(['LEASE_LOST', 'RESUME_FAILED'])

/**
 * A service that dies while its tenant is quiesced cannot confirm the pause. The kernel still can. If its leases on
 * every file stood from before the copy to after it, no other program had the files. The copies are what lies on the
 * disk. Those copies are kept, with the failure that says what is not proven. All others are thrown away.
 * @throws {unknown} the error itself, if no copy may be kept
 */
function keepSealedCopies(copied: readonly CopiedFile[], error: unknown): Copies {
  const failure = gravestOf(error)
  const sealed = copied.filter(({ sealed: { level } }) => level === 'sealed')
  if (sealed.length === 0 || !codesOfUnconfirmed.has(failure.code)) throw error
  const state = failure.code === 'RESUME_FAILED' ? failure.tenantState : 'active'
  return { files: sealed, written: Promise.resolve(), unconfirmed: failure.withTenant(state) }
}
