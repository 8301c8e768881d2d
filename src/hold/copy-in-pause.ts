/**
 * Second phase of a hold: what is done while the tenant stands still. Every line registers its release before it asks
 * for the thing. All files are sealed before the first is copied, and none is let go before the last is proven again:
 * they share one moment, so that a transaction over several of them is in all snapshots or in none.
 */
import { Disposables } from '../host/disposal.ts'
import { collectGarbage } from '../host/garbage.ts'
import { invariant } from '../model/bug.ts'
import type { Proof } from '../model/result/evidence.ts'
import { inParallel, inTurn, tellStep, type FileHold } from './file-hold.ts'
import type { HoldProcesses } from './hold-processes.ts'
import type { HoldRequest } from './hold-request.ts'
import { Pause, notServed, type Pausing, type QuiescedToken } from './pause/pause.ts'
import { compareClaims } from './pause/verify-answer.ts'
import type { Prepared, PreparedFile } from './prepare.ts'
import { conflictNamer, type NameConflict } from './seal/conflict.ts'
import { holdersOf } from './seal/holders.ts'
import { lockLiveSet, type Locked } from './seal/lock.ts'
import type { Probe } from './seal/probe.ts'
import { prove, proveAgain, type Proven } from './seal/proof.ts'
import { probeLock, seal, type Probed, type Sealed } from './seal/seal.ts'
import { requireUnused } from './seal/unused.ts'
import { copyLiveSet, type Copied } from './snapshot/copy.ts'
import { superJournalOf, type SuperJournal } from './snapshot/super-journal.ts'

/** A file whose copy has both proofs, once it was handed to `onProven`. */
export interface FileInDraft extends PreparedFile {
  readonly sealed: Sealed
  readonly copied: Copied
  readonly superJournal: SuperJournal
}

/**
 * Files that could not be locked, sealed, copied or proven have their failure afterwards, and are not among those of
 * `onProven`.
 * @param onProven told of the files whose copies have both proofs, before the service is asked to go on: what it
 * answers changes nothing about their bytes
 * @returns a promise that resolves when the ledger has the end of the hold
 * @throws what concerns the tenant or the run; the tenant was resumed then as well, unless that is what failed
 */
export async function copyInPause(
  prepared: Prepared,
  request: HoldRequest,
  { guardian, probe }: HoldProcesses,
  onProven: (files: readonly FileInDraft[]) => void,
  signal: AbortSignal,
): Promise<{ readonly written: Promise<void> }> {
  const { files } = prepared
  signal.throwIfAborted()
  // A pause in which V8 collected took four times as long. Of small files there are too many to do so before each.
  if (prepared.large) collectGarbage()
  for (const { warm } of files) await warm?.catchUp()
  await using pause = await openPause(prepared, request, guardian)
  tellStep(files, 'asked')
  using _watch = pause ? null : await guardian.watchHeartbeat()
  const still = await standStill(pause, files, signal)
  using _released = releasing(files) // Before the pause ends, so that the service finds nothing of ours.
  const named = await inTurn(files, (file) => compareAnswer(file, still))
  tellStep(named, 'quiesced')
  const over = pause ? AbortSignal.any([signal, pause.over]) : signal
  const locked = await inParallel(named, (file) => lock(file, still, request, guardian, over))
  const probed = await inParallel(locked, (file) => probeOnce(file, probe))
  const sealed = await inParallel(probed, (file) => sealFile(file, request, over))
  const proven = await inTurn(sealed, (file) => proveFile(file))
  const copied = await inTurn(proven, (file) => copy(file, over))
  const provenAgain = await inTurn(copied, (file) => proveFileAgain(file))
  pause?.assertStanding()
  // The probe opens by path and would wait on our own lease; the byte locks stay until the end (step 8).
  for (const file of provenAgain) file.sealed[Symbol.dispose]()
  const complete = await inParallel(provenAgain, (file) => probeAgain(file, probe))
  for (const file of complete) file.locked[Symbol.dispose]()
  tellStep(complete, 'released')
  for (const { hold } of files) hold[Symbol.dispose]()
  onProven(complete)
  const ended = await pause?.resume()
  tellStep(complete, 'resumed')
  return ended ?? { written: Promise.resolve() }
}

async function openPause(
  { files, announced, wasHealthy }: Prepared,
  { keeper, settings }: HoldRequest,
  guardian: HoldProcesses['guardian'],
): Promise<Pause | null> {
  if (keeper.kind === 'nobody') return null
  invariant(announced, 'a pause is announced before it is asked for')
  const onEnded: Pausing['onEnded'] = ({ quiesce, pauseMs, abandonedPauseMs: ranOutMs, how }) => {
    for (const {
      hold: { record },
    } of files) {
      record.endedBySelf = how === 'service-restarted' || how === 'expired' ? how : null
      record.add({ quiesce })
      record.time(ranOutMs === null ? { pauseMs } : { pauseMs, ranOutMs })
    }
  }
  return Pause.open(announced, {
    ...keeper,
    guardian,
    limits: settings,
    required: settings.require,
    wasHealthy,
    onEnded,
  })
}

async function standStill(
  pause: Pause | null,
  files: readonly PreparedFile[],
  signal: AbortSignal,
): Promise<QuiescedToken> {
  if (!pause) return notServed
  try {
    return await pause.quiesce(signal)
  } finally {
    for (const {
      hold: { record },
    } of files) {
      record.begun ||= pause.mayHavePaused
      record.add({ quiesce: pause.evidence })
    }
  }
}

const releasing = (files: readonly { readonly hold: FileHold }[]): Disposable => {
  const all = new Disposables()
  for (const { hold } of files) all.add(hold)
  return all
}

function compareAnswer(file: PreparedFile, still: QuiescedToken): PreparedFile {
  if (still.by === 'service') compareClaims(file.files.path, still.answer)
  return file
}

type LockedFile = PreparedFile & { readonly locked: Locked; readonly accuse: NameConflict }

async function lock(
  file: PreparedFile,
  still: QuiescedToken,
  { keeper, settings }: HoldRequest,
  guardian: HoldProcesses['guardian'],
  signal: AbortSignal,
): Promise<LockedFile> {
  const { hold, files } = file
  await files.follow()
  const accuse = conflictNamer(files, keeper.kind === 'service' ? keeper : null, hold.record)
  // A bare file is locked while the kernel says that nobody has it. The lease is given up again for the probe, which
  // opens the file.
  using _unused =
    still.by === 'nobody'
      ? await requireUnused(files, { settings, record: hold.record, accuse, guardian }, signal)
      : null
  const locked = hold.keep(
    await lockLiveSet(still, files, still.by === 'nobody' ? 'exclusive' : settings.require, accuse, signal),
  )
  hold.record.step('locked', { lock: { kind: 'ofd', ranges: locked.ranges } })
  return { ...file, locked, accuse }
}

type ProbedFile = LockedFile & { readonly probed: Probed }

async function probeOnce(file: LockedFile, probe: Probe): Promise<ProbedFile> {
  const probed = await probeLock(file.locked, probe)
  file.hold.record.step('probed', { probe: { before: probed.answer, after: null } })
  return { ...file, probed }
}

type SealedFile = ProbedFile & { readonly sealed: Sealed }

async function sealFile(file: ProbedFile, { keeper, settings }: HoldRequest, signal: AbortSignal): Promise<SealedFile> {
  const {
    hold: { record },
    files,
    outlook,
    probed,
    accuse,
  } = file
  const sealed = file.hold.keep(
    await seal(
      probed,
      { required: settings.require, ceiling: outlook.strongestLevel, served: keeper.kind === 'service', accuse },
      signal,
    ),
  )
  record.begun = true
  record.add({ level: sealed.level, lease: sealed.leases })
  if (sealed.level !== 'sealed' && keeper.kind === 'service') {
    // Of a bare file they were sought before it was locked.
    const { holders, unseen } = await holdersOf(files)
    record.add({ holders, unseen })
  }
  record.step('sealed')
  return { ...file, sealed }
}

type ProvenFile = SealedFile & { readonly proven: Proven; readonly superJournal: SuperJournal }

async function proveFile(file: SealedFile): Promise<ProvenFile> {
  const proven = prove(file.sealed)
  file.hold.record.step('proven', { proofs: [proven.proof] })
  return { ...file, proven, superJournal: await superJournalOf(file.files) }
}

async function copy(file: ProvenFile, over: AbortSignal): Promise<ProvenFile & FileInDraft> {
  const { proven, draft, warm, sealed, hold } = file
  const copied = await copyLiveSet(proven, draft, warm, AbortSignal.any([over, sealed.broken])).catch(
    async (error: unknown) => {
      await draft.empty() // Immediately: on a full disk the ledger needs the room to say that the hold has ended.
      throw error
    },
  )
  invariant(
    (await draft.size('')) === proven.proof.files.find(({ part }) => part === '')?.size,
    'the copy is as long as the database file was in the first proof',
  )
  hold.record.step('copied')
  return { ...file, copied }
}

function proveFileAgain(file: ProvenFile & FileInDraft): ProvenFile & FileInDraft {
  const proofs: readonly Proof[] = [file.proven.proof, proveAgain(file.proven)]
  file.hold.record.step('proven-again', { proofs })
  return file
}

async function probeAgain(file: ProvenFile & FileInDraft, probe: Probe): Promise<ProvenFile & FileInDraft> {
  const again = await probeLock(file.locked, probe)
  file.hold.record.step('probed-again', { probe: { before: file.probed.answer, after: again.answer } })
  return file
}
