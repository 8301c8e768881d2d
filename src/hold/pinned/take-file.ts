/**
 * One attempt to take a pinned snapshot of one file. The steps are those of README.md; no SQLite runs in this process.
 *   0. Resolve the name, open the live files, judge them. Reserve disk space. Without a WAL, measure the rate of
 *      a copy. Nothing is locked yet.
 *   1. Begin the term, with the guardian's watch. Lock SHARED. Look again which files there are, and read the header.
 *   2. to 7. The branch: it pins, probes, proves, copies and proves again.
 *   8. Close the live files, which releases every lock. End the term.
 *   9. Hash and rename the draft: it becomes a snapshot.
 */
import { fdatasync } from 'node:fs'
import { promisify } from 'node:util'
import { monotonicMs, nextTurn } from '../../host/clock.ts'
import { AsyncDisposables } from '../../host/disposal.ts'
import { ShortCopy } from '../../host/files/copy-range.ts'
import { Failure } from '../../model/failure.ts'
import { lockBytes } from '../../sqlite/lock-bytes.ts'
import type { FileHold } from '../file-hold.ts'
import type { HoldProcesses } from '../hold-processes.ts'
import type { FileRequest, HoldResult, HoldRequest } from '../hold-request.ts'
import { requireDatabase } from '../inspect-files.ts'
import { requireListedOnce } from '../live/listed-once.ts'
import { LiveFiles } from '../live/live-files.ts'
import { resolveLivePath } from '../live/live-path.ts'
import { preflight, reserveSpace } from '../preflight.ts'
import { publish } from '../publish.ts'
import { conflictNamer, type NameConflict } from '../seal/conflict.ts'
import { allHoldersOf } from '../seal/holders.ts'
import { describeConflict } from '../seal/lock.ts'
import { requireNoLease } from '../seal/require-unused.ts'
import { lockShared } from '../seal/shared-lock.ts'
import { findPinConflict, isConnected, pinWal } from '../seal/wal-pin.ts'
import { Draft } from '../snapshot/draft.ts'
import { takeIdle } from './idle.ts'
import type { PinnedCopy, PinTask } from './pin-task.ts'
import { PinTerm } from './pin-term.ts'
import { requireSameWal, requireUsualLocks } from './refusals.ts'
import { takeRollbackJournal } from './rollback-journal.ts'
import { takeWal } from './wal.ts'
import { requireShortWait, sharedMsMax } from './writer-wait.ts'

export interface PinRequest extends HoldRequest {
  /** Names of the files of this hold that were resolved, by device and inode. */
  readonly seen: Map<string, string>
  /** The files that were compared with them. Another attempt would meet its own name. */
  readonly compared: Set<FileRequest>
  /** Bytes on the disk of the snapshots that this hold has made already. */
  earlierBytes: number
}

type OpenedFile = Pick<PinTask, 'hold' | 'files' | 'preflight' | 'nameConflict'>

/**
 * Waits if there is no disk space, and inspects everything anew afterwards.
 * @throws {Failure} WRITER_SEEN, COPY_CHANGED if another attempt may succeed; LOCK_BUSY, LOCK_NOT_HONOURED and others
 */
export async function takeFile(
  hold: FileHold,
  request: PinRequest,
  processes: HoldProcesses,
  signal: AbortSignal,
): Promise<HoldResult> {
  for (;;) {
    const outcome = await takeIfSpace(hold, request, processes, signal)
    if (!('space' in outcome)) return outcome
    await outcome.space
    signal.throwIfAborted()
  }
}

/** @returns the promise to await first if there is no disk space; nothing is open then */
async function takeIfSpace(
  hold: FileHold,
  request: PinRequest,
  processes: HoldProcesses,
  signal: AbortSignal,
): Promise<HoldResult | { readonly space: Promise<void> }> {
  await using opened = new AsyncDisposables()
  opened.add(hold)
  const file = await openFile(hold, request)
  const space = reserveSpace(file.preflight.copyBytes, request.earlierBytes, request)
  if (space !== null) {
    space.catch(() => undefined) // The caller awaits it when everything is released.
    return { space }
  }
  const draft = opened.add(Draft.open(request.folder, hold.request.name))
  draft.descriptor('') // Every draft has a database file.
  if (request.confirming === true) await promisify(fdatasync)(file.files.descriptor(''))
  const { superJournal, copied } = await copyUnderLocks({ ...file, draft }, request, processes, signal)
  await nextTurn()
  const finished = { hold, draft, superJournal, copied, preflight: file.preflight }
  const published = await publish({ files: [finished], written: Promise.resolve(), unconfirmed: null }, signal)
  const held = published.get(hold)
  if (held === undefined) throw hold.failure ?? new Failure('READ_FAILED', `no snapshot of ${hold.request.named}`)
  return held
}

/** Step 0. @param request its `seen` refuses a second name of a file */
async function openFile(
  hold: FileHold,
  { roots, folder, settings, seen, compared, acceptMounted }: PinRequest,
): Promise<OpenedFile> {
  const { request, record } = hold
  const path = await resolveLivePath(request.named, roots, acceptMounted)
  if (!compared.has(request)) requireListedOnce(request.named, path, seen)
  compared.add(request)
  await requireNoLease(path)
  const files = hold.add(new LiveFiles(path, roots))
  await files.openNamed()
  const judged = await preflight(files, folder, settings.trustMounts)
  record.step('preflight', { fileSystem: judged.fileSystem.type })
  requireDatabase(hold, judged)
  const { holders, unseen } = await allHoldersOf(files)
  record.add({ holders, unseen })
  await requireUsualLocks(files, holders)
  requireSameWal(files, holders)
  return { hold, files, preflight: judged, nameConflict: conflictNamer(files, null, record, null) }
}

/** Steps 1 to 8. When it returns or throws, no lock of ours stands and no live file is open. */
async function copyUnderLocks(
  file: OpenedFile & Pick<PinTask, 'draft'>,
  { settings: { live: limits } }: PinRequest,
  { guardian, probe }: HoldProcesses,
  signal: AbortSignal,
): Promise<PinnedCopy> {
  const { hold, files, draft } = file
  if (!isWal(files)) await requireShortWait({ ...file, limits }, signal)
  await probe.ready()
  const waitUntilMs = monotonicMs() + limits.pinWaitMs
  const standMsMax = isWal(files) ? limits.maxPinMs : sharedMsMax(limits)
  using term = await PinTerm.begin(files, limits, standMsMax, guardian, signal)
  using _locks = hold
  const nameConflict: NameConflict = (code, refusal) => {
    term.release() // The search for the holders may take longer than the guardian waits.
    return file.nameConflict(code, refusal)
  }
  try {
    await lockShared(files, { untilMs: waitUntilMs, onWait: () => term.keepWaiting() }, nameConflict, term.over)
    const sharedSinceMs = monotonicMs()
    hold.record.step('locked', { lock: { kind: 'ofd', ranges: [sharedRange] } })
    await followUnderLock(files)
    const copy = await takeBranch({ ...file, nameConflict, limits, probe, sharedSinceMs, waitUntilMs, term })
    term.over.throwIfAborted()
    hold[Symbol.dispose]()
    const { pin, probe: answers, proofs } = copy
    const heldMs = Math.round(monotonicMs() - sharedSinceMs)
    hold.record.step('released', { level: 'pinned', probe: answers, proofs, pin: { ...pin, heldMs } })
    return copy
  } catch (error) {
    hold.record.begun ||= term.isStarted
    const why = whyEnded(error, files, term)
    term.release()
    await draft.empty() // Not later: the program may need the space that the copy took.
    throw why
  }
}

/** The locks were let go, or the file was replaced: what the work met after it, and because of it, says nothing. */
function whyEnded(error: unknown, files: LiveFiles, { over }: PinTerm): unknown {
  if (over.aborted) return over.reason
  const replaced = error instanceof ShortCopy || (error instanceof Failure && error.code === 'IN_USE')
  if (error instanceof ShortCopy || (replaced && !files.areNamed()))
    return new Failure('COPY_CHANGED', `${files.path} was cut or replaced while it was copied`, { cause: error })
  return error
}

const { start, length } = lockBytes.shared
const sharedRange = `database read 0x${start.toString(16)}+${length}`

/**
 * Opens what has appeared meanwhile. Names of the live set stand still from here on, as far as SQLite moves them.
 * @throws {Failure} COPY_CHANGED if the database file is another one by now: the lock ended with the one before
 */
async function followUnderLock(files: LiveFiles): Promise<void> {
  const before = files.stat('')
  await files.openNamed()
  const { dev, ino } = files.stat('')
  if (dev !== before.dev || ino !== before.ino)
    throw new Failure('COPY_CHANGED', `${files.path} was replaced by another file`)
}

/** Steps 2 and following. The journal mode stands still. */
async function takeBranch(task: PinTask): Promise<PinnedCopy> {
  const { files, waitUntilMs, term } = task
  if (!isWal(files) && !isConnected(files)) return takeRollbackJournal(task)
  const wait = { idleMs: 0, busyMs: Math.max(0, waitUntilMs - monotonicMs()), onWait: () => term.keepWaiting() }
  const pin = await pinWal(files, wait, term.over)
  switch (pin.kind) {
    case 'pinned':
      return takeWal(task, pin.mark)
    case 'idle':
      return takeIdle(task)
    case 'busy':
    case 'invalid':
      throw await failureOfPin(task, pin.kind)
  }
}

/** SQLite reads a WAL with bytes whatever the header says. */
function isWal(files: LiveFiles): boolean {
  const readVersion = files.readCached('', 0, 20)[19]
  return readVersion === 2 || (files.has('-wal') && files.stat('-wal').size > 0n)
}

async function failureOfPin({ files, limits, nameConflict }: PinTask, why: 'busy' | 'invalid'): Promise<Failure> {
  const { pinWaitMs } = limits
  if (why === 'busy') return nameConflict('LOCK_BUSY', describeConflict(`${files.path}-shm`, findPinConflict(files)))
  return new Failure(
    'COPY_CHANGED',
    `the wal-index of ${files.path} was not valid for ${pinWaitMs} ms: a program that writes died, or is recovering`,
  )
}
