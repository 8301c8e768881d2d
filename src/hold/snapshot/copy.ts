/** The copy in the pause, through the sealed descriptors into the draft. */
import { copyRangeSparsely } from '../../host/files/copy-range.ts'
import { Failure } from '../../model/failure.ts'
import type { CopyMethod, FileProof, SnapshotEvidence } from '../../model/result/evidence.ts'
import type { LiveFiles } from '../live/live-files.ts'
import type { Proven } from '../seal/proof.ts'
import { companionBytesOf } from './companion-bytes.ts'
import type { Draft } from './draft.ts'
import type { WarmCopy } from './warm-copy.ts'

export interface CopyResult {
  readonly method: SnapshotEvidence['method']
  /** Bytes copied while the tenant stood still. */
  readonly tailBytes: number
}

/**
 * Copies the live set; after a warm copy only the rest of the WAL.
 * @throws {Failure} NO_SPACE, COPY_CHANGED; the signal's reason
 */
export async function copyLiveSet(
  proven: Proven,
  draft: Draft,
  warm: WarmCopy | null,
  signal: AbortSignal,
): Promise<CopyResult> {
  return warm ? copyTail(proven, draft, warm, signal) : copyWhole(proven, draft, signal)
}

function copyWhole({ sealed, proof }: Proven, draft: Draft, signal: AbortSignal): Promise<CopyResult> {
  return copyParts(sealed.locked.files, proof.files, draft, signal)
}

/** Copies the parts that a proof observed, but no `-shm`. @throws {Failure} NO_SPACE; the signal's reason */
export async function copyParts(
  files: LiveFiles,
  observed: readonly Pick<FileProof, 'part' | 'size'>[],
  draft: Draft,
  signal: AbortSignal,
): Promise<CopyResult> {
  let method: CopyMethod = 'copy_file_range'
  let bytes = 0
  for (const { part, size } of observed) {
    if (part === '-shm') continue // It is an index of the WAL, which SQLite rebuilds; the live one may be stale.
    const from = files.descriptor(part)
    const range = { offset: 0, bytes: part === '' ? size : await companionBytesOf(from, size) }
    const used = await copyRangeSparsely(from, draft.descriptor(part), range, signal).catch(draft.failed)
    if (part === '') method = used
    if (used !== 'reflink') bytes += draft.bytesOnDisk(part)
  }
  return { method, tailBytes: bytes }
}

async function copyTail(
  { sealed, proof }: Proven,
  draft: Draft,
  warm: WarmCopy,
  signal: AbortSignal,
): Promise<CopyResult> {
  const { files, quiesced } = sealed.locked
  const { size, mtimeNs, ctimeNs, ino } = warm.pinned
  const main = proof.files.find(({ part }) => part === '')
  if (
    main?.size !== Number(size) ||
    main.mtimeNs !== String(mtimeNs) ||
    main.ctimeNs !== String(ctimeNs) ||
    main.ino !== String(ino)
  ) {
    throw new Failure(
      'COPY_CHANGED',
      `${files.path} changed under a pinned WAL: ` +
        `${quiesced.answer === null ? 'another program' : 'the service'} wrote the database file ` +
        `against SQLite's locks`,
    )
  }
  if (!files.has('-wal')) throw new Failure('COPY_CHANGED', `the WAL of ${files.path} is gone although it was pinned`)
  const tailBytes = await warm.follower.followRest(signal).catch(draft.failed)
  if (warm.follower.salts !== proof.walSalts)
    throw new Failure('COPY_CHANGED', `the WAL of ${files.path} was reset although it was pinned`)
  if (!files.has('-journal')) return { method: 'warm+tail', tailBytes }
  const journal = files.descriptor('-journal')
  const bytes = await companionBytesOf(journal, Number(files.stat('-journal').size))
  await copyRangeSparsely(journal, draft.descriptor('-journal'), { offset: 0, bytes }, signal).catch(draft.failed)
  return { method: 'warm+tail', tailBytes: tailBytes + draft.bytesOnDisk('-journal') }
}
