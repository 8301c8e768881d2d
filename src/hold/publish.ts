/** Phase 3 of a hold: the tenant serves again, and drafts become snapshots. Only now does a `SnapshotPath` exist. */
import { AsyncDisposables } from '../host/disposal.ts'
import type { Failure } from '../model/failure.ts'
import { isEmptyDatabase } from '../sqlite/header.ts'
import { inTurn, type FileHold } from './file-hold.ts'
import { kindOfCopy, type FileKind } from './file-kind.ts'
import type { CopiedFile } from './file-steps.ts'
import type { HoldResult } from './hold-request.ts'
import type { Snapshot } from './snapshot/draft.ts'
import { settleSuperJournal } from './snapshot/super-journal.ts'

/** What `publish` needs of a file. */
type FinishedCopy = Pick<CopiedFile, 'hold' | 'draft' | 'superJournal' | 'copied' | 'preflight'>

/** What phase 2 leaves. */
export interface Copies {
  readonly files: readonly FinishedCopy[]
  /** Resolves when the end of the hold is in the ledger. */
  readonly written: Promise<void>
  /** Why the service did not confirm the pause; null if it did. */
  readonly unconfirmed: Failure | null
}

/** @returns the outcome of each file that became a snapshot; a file that could not be hashed or renamed has failed */
export async function publish(
  { files, written, unconfirmed }: Copies,
  signal: AbortSignal,
): Promise<ReadonlyMap<FileHold, HoldResult>> {
  await using unclaimed = new AsyncDisposables() // Until all are there, nothing else would delete them.
  const published = await inTurn(files, async (file) => {
    const published = await publishFile(file, signal)
    unclaimed.add(published.snapshot)
    return [file.hold, { kind: 'snapshot', ...published, record: file.hold.record, written, unconfirmed }] as const
  })
  unclaimed.move()
  return new Map(published)
}

async function publishFile(
  { hold: { record }, draft, superJournal, copied, preflight }: FinishedCopy,
  signal: AbortSignal,
): Promise<{ readonly snapshot: Snapshot; readonly file: FileKind }> {
  await settleSuperJournal(draft, superJournal)
  await using unclaimed = new AsyncDisposables()
  const snapshot = unclaimed.add(await draft.publish(signal))
  // The service has closed the file since the preflight: it may have become a database, or an empty one.
  const seenBefore = preflight.contents === 'sqlite' && !isEmptyDatabase(snapshot.files[0]?.bytes ?? 0)
  const file: FileKind = seenBefore ? preflight : kindOfCopy(snapshot.path)
  record.step('kept', {
    snapshot: { sha256: snapshot.files[0]?.sha256 ?? '', bytes: snapshot.bytes, files: snapshot.files, ...copied },
  })
  unclaimed.move()
  return { snapshot, file }
}
