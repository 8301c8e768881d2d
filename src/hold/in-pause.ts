/**
 * Phase 2 of a hold: the tenant stands still. `inPause`, `doUnderLocks` and `doUnderLeases` are one scope each. What a
 * scope registers is released when it ends: kernel leases, then locks and live files, then the pause. All files are
 * sealed before the task begins. A file that fails is released at the latest when the step has ended for all files. No
 * other is released before `underSeal` has ended for all. So they share one moment: a transaction over several files is
 * in all snapshots or in none.
 */
import { Disposables } from '../host/disposal.ts'
import { invariant } from '../model/bug.ts'
import { inParallel, inTurn, reportStep, type FileHold } from './file-hold.ts'
import type { ProbedFile, ProvenFile } from './file-steps.ts'
import { compareAnswer, lockFile, probeFile, proveFile, sealFile } from './file-steps.ts'
import type { HoldProcesses } from './hold-processes.ts'
import type { HoldRequest } from './hold-request.ts'
import type { PermitSlot } from './pause/pause-permit.ts'
import { notServed, Pause, type PauseRequest, type Quiesced } from './pause/pause.ts'
import type { Prepared } from './prepare.ts'
import type { PreparedFile } from './snapshot/prepared-file.ts'

/** What is done with the files while they are sealed: they are copied, or changed. */
export interface HoldTask<Done extends FileInHold> {
  /**
   * Kernel leases, locks and the pause stand. Its last act is to check that all three stood without a gap.
   * @param files sealed and proven; a file that could not be sealed is missing, and has its failure
   * @param pause null for a bare file
   * @param over aborts when the pause must end, or when the run was interrupted
   */
  underSeal(files: readonly ProvenFile[], pause: Pause | null, over: AbortSignal): Promise<readonly Done[]>
  /** The kernel leases have ended; the locks still stand. */
  underLocks(files: readonly Done[], probe: HoldProcesses['probe'], over: AbortSignal): Promise<readonly Done[]>
}

interface FileInHold {
  readonly hold: FileHold
}

/**
 * Carries out the task with all files in one pause. If a file cannot be locked, sealed, copied or proven, its
 * `FileHold` has the failure afterwards, and it is not in `done`.
 * @param done receives the files with which the task was done, before the service is asked to resume: its answer
 * changes nothing about their bytes
 * @returns a promise that resolves when the end of the hold is in the ledger
 * @throws a failure of the tenant or of the run. The tenant was resumed before, unless the resume itself failed.
 */
export async function inPause<Done extends FileInHold>(
  task: HoldTask<Done>,
  prepared: Prepared,
  done: Done[],
  request: Omit<HoldRequest, 'files'>,
  processes: HoldProcesses,
  signal: AbortSignal,
): Promise<{ readonly written: Promise<void> }> {
  const { files } = prepared
  signal.throwIfAborted()
  if (prepared.large) await processes.probe.ready() // One that slept for long answers its first question slowly.
  // The hold fails here with NO_SPACE if a WAL has outgrown its limit, and with COPY_CHANGED if frames do not verify.
  for (const { warm } of files) await warm?.catchUp()
  using slot = (await request.connection?.permit?.takeSlot(signal)) ?? null
  if (slot) for (const { warm } of files) await warm?.catchUp() // The wait for it may have been long.
  await using pause = await openPause(prepared, slot, request, processes)
  reportStep(files, 'asked')
  // A pause has its own watch. A bare file has no pause, so it gets this one: the guardian ends a process that freezes
  // while it has the file locked.
  using _watchOfBareFile = pause ? null : await processes.guardian.watchHeartbeat()
  const quiesced = pause ? await quiesce(pause, files, signal) : notServed
  done.push(...(await doUnderLocks(task, files, quiesced, pause, request, processes, signal)))
  reportStep(done, 'released')
  const ended = await pause?.resume()
  reportStep(done, 'resumed')
  return ended ?? { written: Promise.resolve() }
}

/** When it returns or throws, no lock of ours stands and no live file is open: the service finds nothing of ours. */
async function doUnderLocks<Done extends FileInHold>(
  task: HoldTask<Done>,
  files: readonly PreparedFile[],
  quiesced: Quiesced,
  pause: Pause | null,
  request: Omit<HoldRequest, 'files'>,
  { guardian, probe }: HoldProcesses,
  signal: AbortSignal,
): Promise<readonly Done[]> {
  using _live = together(files.map(({ hold }) => hold))
  const named = await inTurn(files, (file) => compareAnswer(file, quiesced))
  reportStep(named, 'quiesced')
  const over = pause ? AbortSignal.any([signal, pause.over]) : signal
  const locked = await inParallel(named, (file) => lockFile(file, quiesced, request, guardian, over))
  const probed = await inParallel(locked, (file) => probeFile(file, probe, over))
  return await task.underLocks(await doUnderLeases(task, probed, pause, request, over), probe, over)
}

/**
 * When it returns, no kernel lease of ours stands, because the probe opens by name and would wait for it. After a throw
 * the scope of the caller ends those that are left.
 */
async function doUnderLeases<Done extends FileInHold>(
  task: HoldTask<Done>,
  probed: readonly ProbedFile[],
  pause: Pause | null,
  request: Omit<HoldRequest, 'files'>,
  over: AbortSignal,
): Promise<readonly Done[]> {
  const sealed = await inParallel(probed, (file) => sealFile(file, request, over))
  using _kernelLeases = together(sealed.map((file) => file.sealed))
  return await task.underSeal(await inTurn(sealed, proveFile), pause, over)
}

async function openPause(
  { files, intent, wasHealthy }: Prepared,
  slot: PermitSlot | null,
  { connection, settings }: Omit<HoldRequest, 'files'>,
  { guardian }: HoldProcesses,
): Promise<Pause | null> {
  if (connection === null) return null
  invariant(intent, 'the intent is written before the service is asked')
  const onEnded: PauseRequest['onEnded'] = ({ quiesce, pauseMs, abandonedPauseMs, how }) => {
    for (const { record } of files.map(({ hold }) => hold)) {
      record.endedBySelf = how === 'service-restarted' || how === 'expired' ? how : null
      record.add({ quiesce })
      record.time(abandonedPauseMs === null ? { pauseMs } : { pauseMs, ranOutMs: abandonedPauseMs })
    }
  }
  const required = settings.require
  return Pause.open(intent, { ...connection, guardian, limits: settings, required, wasHealthy, slot, onEnded })
}

async function quiesce(pause: Pause, files: readonly PreparedFile[], signal: AbortSignal): Promise<Quiesced> {
  try {
    return await pause.quiesce(signal)
  } finally {
    for (const { record } of files.map(({ hold }) => hold)) {
      record.begun ||= pause.mayHavePaused
      record.add({ quiesce: pause.evidence })
    }
  }
}

/** Releases all of them, the last first. */
function together(all: readonly Disposable[]): Disposable {
  const together = new Disposables()
  for (const one of all) together.add(one)
  return together
}
