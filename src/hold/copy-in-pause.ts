/**
 * Phase 2 of a hold: the tenant stands still. Each function below is one scope, and what a scope registers is released
 * when it ends, in this order: kernel leases, then locks and live files, then the pause. All files are sealed before
 * the first is copied, and none is released before the last is proven again. So they share one moment: a transaction
 * over several files is in all snapshots or in none.
 */
import { Disposables } from '../host/disposal.ts'
import { invariant } from '../model/bug.ts'
import { inParallel, inTurn, reportStep } from './file-hold.ts'
import type { CopiedFile, ProbedFile } from './file-steps.ts'
import {
  compareAnswer,
  copyFile,
  lockFile,
  probeAgain,
  probeFile,
  proveFile,
  proveFileAgain,
  sealFile,
} from './file-steps.ts'
import type { HoldProcesses } from './hold-processes.ts'
import type { HoldRequest } from './hold-request.ts'
import { notServed, Pause, type PauseRequest, type QuiescedToken } from './pause/pause.ts'
import type { Prepared } from './prepare.ts'
import type { PreparedFile } from './snapshot/prepared-file.ts'

/** A file whose copy has both proofs. */
export type ProvenCopy = CopiedFile

/**
 * Copies all files in one pause. If a file cannot be locked, sealed, copied or proven, its `FileHold` has the failure
 * afterwards, and it is not in `proven`.
 * @param proven receives the files whose copies have both proofs, before the service is asked to resume: its answer
 * changes nothing about their bytes
 * @returns a promise that resolves when the end of the hold is in the ledger
 * @throws a failure of the tenant or of the run. The tenant was resumed before, unless the resume itself failed.
 */
export async function copyInPause(
  prepared: Prepared,
  proven: ProvenCopy[],
  request: HoldRequest,
  processes: HoldProcesses,
  signal: AbortSignal,
): Promise<{ readonly written: Promise<void> }> {
  const { files } = prepared
  signal.throwIfAborted()
  if (prepared.large) await processes.probe.ready() // One that slept for long answers its first question slowly.
  // If a WAL has grown past the limit meanwhile, the hold fails here with NO_SPACE.
  for (const { warm } of files) await warm?.catchUp()
  await using pause = await openPause(prepared, request, processes)
  reportStep(files, 'asked')
  // A pause has its own watch. Without one, the guardian ends this process if it freezes while it has the file locked.
  using _watchOfBareFile = pause ? null : await processes.guardian.watchHeartbeat()
  const quiesced = pause ? await quiesce(pause, files, signal) : notServed
  proven.push(...(await copyUnderLocks(files, quiesced, pause, request, processes, signal)))
  reportStep(proven, 'released')
  const ended = await pause?.resume()
  reportStep(proven, 'resumed')
  return ended ?? { written: Promise.resolve() }
}

/** When it returns or throws, no lock of ours stands and no live file is open: the service finds nothing of ours. */
async function copyUnderLocks(
  files: readonly PreparedFile[],
  quiesced: QuiescedToken,
  pause: Pause | null,
  request: HoldRequest,
  { guardian, probe }: HoldProcesses,
  signal: AbortSignal,
): Promise<readonly ProvenCopy[]> {
  using _live = together(files.map(({ hold }) => hold))
  const named = await inTurn(files, (file) => compareAnswer(file, quiesced))
  reportStep(named, 'quiesced')
  const over = pause ? AbortSignal.any([signal, pause.over]) : signal
  const locked = await inParallel(named, (file) => lockFile(file, quiesced, request, guardian, over))
  const probed = await inParallel(locked, (file) => probeFile(file, probe))
  const copied = await copyUnderLeases(probed, pause, request, over)
  return await inParallel(copied, (file) => probeAgain(file, probe))
}

/** When it returns or throws, no kernel lease of ours stands. The probe opens by name: it would wait for the lease. */
async function copyUnderLeases(
  probed: readonly ProbedFile[],
  pause: Pause | null,
  request: HoldRequest,
  over: AbortSignal,
): Promise<readonly CopiedFile[]> {
  const sealed = await inParallel(probed, (file) => sealFile(file, request, over))
  using _kernelLeases = together(sealed.map((file) => file.sealed))
  const proven = await inTurn(sealed, proveFile)
  const copied = await inTurn(proven, (file) => copyFile(file, over))
  const provenAgain = await inTurn(copied, proveFileAgain)
  pause?.assertStanding()
  return provenAgain
}

async function openPause(
  { files, intent, wasHealthy }: Prepared,
  { connection, settings }: HoldRequest,
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
  return Pause.open(intent, { ...connection, guardian, limits: settings, required, wasHealthy, onEnded })
}

async function quiesce(pause: Pause, files: readonly PreparedFile[], signal: AbortSignal): Promise<QuiescedToken> {
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
