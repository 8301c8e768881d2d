/** Third phase of a hold: drafts become snapshots. Only now does a `SnapshotPath` exist (hold/README.md step 10). */
import { AsyncDisposables } from '../host/disposal.ts'
import type { Failure } from '../model/failure.ts'
import { isEmptyDatabase } from '../sqlite/header.ts'
import type { FileInDraft } from './copy-in-pause.ts'
import { inTurn, type FileHold } from './file-hold.ts'
import { kindOfCopy, type FileKind } from './file-kind.ts'
import type { Held } from './hold-request.ts'
import type { Snapshot } from './snapshot/draft.ts'
import { settleSuperJournal } from './snapshot/super-journal.ts'

export interface Publishing {
  readonly files: readonly FileInDraft[]
  /** Resolves when the ledger has the end of the hold. */
  readonly written: Promise<void>
  /** Why the service did not confirm the pause; null where it did. */
  readonly unproven: Failure | null
}

/** @returns what each file has become; one that could not be hashed or renamed has its failure instead */
export async function publish(
  { files, written, unproven }: Publishing,
  signal: AbortSignal,
): Promise<ReadonlyMap<FileHold, Held>> {
  await using unclaimed = new AsyncDisposables() // Nobody else knows of the snapshots yet.
  const published = await inTurn(files, async (file) => {
    const published = await publishFile(file, signal)
    unclaimed.add(published.snapshot)
    return [file.hold, { kind: 'snapshot', ...published, record: file.hold.record, written, unproven }] as const
  })
  unclaimed.move()
  return new Map(published)
}

async function publishFile(
  { hold: { record }, draft, superJournal, copied, outlook }: FileInDraft,
  signal: AbortSignal,
): Promise<{ readonly snapshot: Snapshot; readonly file: FileKind }> {
  await settleSuperJournal(draft, superJournal)
  await using unclaimed = new AsyncDisposables()
  const snapshot = unclaimed.add(await draft.keep(signal))
  // The service has closed it since: a file that was no database may have become one, and one that was may be empty.
  const seenBefore = outlook.contents === 'sqlite' && !isEmptyDatabase(snapshot.files[0]?.bytes ?? 0)
  const file: FileKind = seenBefore ? outlook : kindOfCopy(snapshot.path)
  record.step('kept', {
    snapshot: { sha256: snapshot.files[0]?.sha256 ?? '', bytes: snapshot.bytes, files: snapshot.files, ...copied },
  })
  unclaimed.move()
  return { snapshot, file }
}
