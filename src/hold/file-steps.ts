/** The steps of one file while its tenant stands still (in-pause.ts gives their order). */
import { invariant } from '../model/bug.ts'
import type { Proof } from '../model/result/evidence.ts'
import type { HoldRequest } from './hold-request.ts'
import type { Quiesced } from './pause/pause.ts'
import { requireNamedByService } from './pause/verify-answer.ts'
import { conflictNamer, type NameConflict } from './seal/conflict.ts'
import type { Guardian } from './seal/guardian.ts'
import { holdersOf } from './seal/holders.ts'
import { lockLiveSet, type Locked } from './seal/lock.ts'
import type { Probe } from './seal/probe.ts'
import { prove, proveAgain, type Proven } from './seal/proof.ts'
import { requireUnused } from './seal/require-unused.ts'
import { probeLock, seal, type Probed, type Sealed } from './seal/seal.ts'
import { copyLiveSet, type CopyResult } from './snapshot/copy.ts'
import type { PreparedFile } from './snapshot/prepared-file.ts'
import { superJournalOf, type SuperJournal } from './snapshot/super-journal.ts'

export type LockedFile = PreparedFile & { readonly locked: Locked; readonly nameConflict: NameConflict }
export type ProbedFile = LockedFile & { readonly probed: Probed }
type SealedFile = ProbedFile & { readonly sealed: Sealed }
export type ProvenFile = SealedFile & { readonly proven: Proven; readonly superJournal: SuperJournal }
export type CopiedFile = ProvenFile & { readonly copied: CopyResult }

export function compareAnswer(file: PreparedFile, { answer }: Quiesced): PreparedFile {
  if (answer !== null) requireNamedByService(file.files.path, answer)
  return file
}

export async function lockFile(
  file: PreparedFile,
  quiesced: Quiesced,
  { connection, settings }: Pick<HoldRequest, 'connection' | 'settings'>,
  guardian: Guardian,
  signal: AbortSignal,
): Promise<LockedFile> {
  const { hold, files } = file
  await files.openNamed()
  const nameConflict = conflictNamer(files, connection, hold.record, signal)
  // A bare file is locked while a kernel lease says that no other program has it. The lease ends with this function:
  // the probe opens the file.
  using _unused =
    connection === null
      ? await requireUnused(files, { settings, record: hold.record, nameConflict, guardian }, signal)
      : null
  const required = connection === null ? 'exclusive' : settings.require
  const locked = hold.add(await lockLiveSet(quiesced, files, required, nameConflict, signal))
  hold.record.step('locked', { lock: { kind: 'ofd', ranges: locked.ranges } })
  return { ...file, locked, nameConflict }
}

export async function probeFile(file: LockedFile, probe: Probe, over: AbortSignal): Promise<ProbedFile> {
  const probed = await probeLock(file.locked, probe, over)
  file.hold.record.step('probed', { probe: { before: probed.answer, after: null } })
  return { ...file, probed }
}

export async function sealFile(
  file: ProbedFile,
  { connection, settings }: Pick<HoldRequest, 'connection' | 'settings'>,
  signal: AbortSignal,
): Promise<SealedFile> {
  const { hold, files, preflight, probed, nameConflict } = file
  const { record } = hold
  const terms = {
    required: settings.require,
    strongest: preflight.strongestLevel,
    served: connection !== null,
    nameConflict,
  }
  const sealed = hold.add(await seal(probed, terms, signal))
  record.begun = true
  record.add({ level: sealed.level, lease: sealed.leases })
  if (sealed.level !== 'sealed' && connection !== null) {
    // For a bare file they were searched before it was locked.
    const { holders, unseen } = await holdersOf(files, signal)
    record.add({ holders, unseen })
  }
  record.step('sealed')
  return { ...file, sealed }
}

export async function proveFile(file: SealedFile): Promise<ProvenFile> {
  const proven = prove(file.sealed)
  file.hold.record.step('proven', { proofs: [proven.proof] })
  return { ...file, proven, superJournal: await superJournalOf(file.files) }
}

export async function copyFile(file: ProvenFile, over: AbortSignal): Promise<CopiedFile> {
  const { proven, draft, warm, sealed, hold } = file
  const copied = await copyLiveSet(proven, draft, warm, AbortSignal.any([over, sealed.broken])).catch(
    async (error: unknown) => {
      await draft.empty() // Not later: on a full disk the ledger needs the space to record the end of the hold.
      throw error
    },
  )
  invariant(
    draft.size('') === proven.proof.files.find(({ part }) => part === '')?.size,
    'the copy is as long as the database file was in the first proof',
  )
  hold.record.step('copied')
  return { ...file, copied }
}

export function proveFileAgain(file: CopiedFile): CopiedFile {
  const proofs: readonly Proof[] = [file.proven.proof, proveAgain(file.proven)]
  file.hold.record.step('proven-again', { proofs })
  return file
}

export async function probeAgain(file: CopiedFile, probe: Probe, over: AbortSignal): Promise<CopiedFile> {
  const again = await probeLock(file.locked, probe, over)
  file.hold.record.step('probed-again', { probe: { before: file.probed.answer, after: again.answer } })
  return file
}
