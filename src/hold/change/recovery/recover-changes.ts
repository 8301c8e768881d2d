/** What dead runs left half done is finished or rolled back by the next run. */
import { unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { systemFailure } from '../../../host/failures/system-failure.ts'
import { onDisk } from '../../../host/files/file-name.ts'
import type { Ledger } from '../../../ledger/ledger.ts'
import type { FoundChange, OriginalsLocation, RecoveredChange } from '../change-types.ts'
import { originalFolderOf } from '../original/original-folder.ts'
import { RecordFile, readChangeRecord } from '../record/record-file.ts'
import { endBrokenChange, deleteNames } from './end-broken-change.ts'
import { recordsIn } from './find-changes.ts'

/**
 * Ends the changes that broke off there, as far as the runs that made them are dead. A record is locked as long as its
 * run lives. No live file is changed.
 * @param ledger null: nothing is recorded
 * @throws {Failure} NO_PERMISSION and others, LEDGER_UNUSABLE
 */
export async function recoverChanges(
  place: OriginalsLocation,
  ledger: Pick<Ledger, 'append'> | null,
): Promise<readonly RecoveredChange[]> {
  const recovered: RecoveredChange[] = []
  for (const path of recordsIn(place)) {
    if (!needsWork(path)) continue
    using record = takeOver(path)
    if (record === null) continue
    const found: FoundChange = { place, file: path, record: record.record }
    const { state, tenant, change, files } = found.record
    if (state === 'kept') await discard(found)
    else if (state === 'prepared' || state === 'undoing') {
      const { how, isMixed, sentence } = await endBrokenChange(record)
      const ended = how === 'unclear' ? 'rolled-back' : how
      if (tenant !== null)
        for (const file of files)
          await ledger?.append({ kind: 'change-ended', tenant, path: file.path, change, how: ended })
      recovered.push({ found, how, isMixed, sentence })
    } else if ((await deleteNames(found.record)).length === 0) record.update({ tidy: true })
  }
  return recovered
}

function needsWork(path: string): boolean {
  const record = readChangeRecord(path)
  return record !== null && (!record.tidy || ['kept', 'prepared', 'undoing'].includes(record.state))
}

/** The live set was not touched: what the dead run copied is no original of anything. */
async function discard({ place, file, record }: FoundChange): Promise<void> {
  if ((await deleteNames(record)).length > 0) return
  const kept = originalFolderOf(place, record.change)
  for (const [at, { path }] of record.files.entries()) {
    const main = join(kept.folder, kept.nameOf(at + 1, path))
    for (const ending of ['', '-wal', '-journal', '.settled']) removeIfThere(main + ending)
  }
  removeIfThere(file)
  kept.remove()
}

function takeOver(path: string): RecordFile | null {
  const record = RecordFile.takeOver(path)
  if (record === null || record === 'owned') return null
  removeIfThere(`${path}.new`) // A version that its run could not finish.
  return record
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(onDisk(path))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw systemFailure(error, { doing: 'delete', path, tenant: 'untouched' })
  }
}
