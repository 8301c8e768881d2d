import { unlinkSync } from 'node:fs'
import { onDisk } from '../../../host/files/file-name.ts'
/** What dead runs left half done is finished or rolled back by the next run. */
import type { Ledger } from '../../../ledger/ledger.ts'
import type { OriginalPlace, RecoveredChange } from '../change-types.ts'
import { RecordFile, readRecord } from '../record/record-file.ts'
import { recordsIn } from './find-changes.ts'
import { settle } from './settle.ts'

/**
 * Ends the changes that broke off there, as far as the runs that made them are dead: a record is locked as long as its
 * run lives. No live file is changed.
 * @param ledger null: nothing is recorded
 * @throws {Failure} NO_PERMISSION and others, LEDGER_UNUSABLE
 */
export async function recoverChanges(
  place: OriginalPlace,
  ledger: Pick<Ledger, 'append'> | null,
): Promise<readonly RecoveredChange[]> {
  const recovered: RecoveredChange[] = []
  for (const path of recordsIn(place)) {
    if (!isBroken(path)) continue
    using record = takeOver(path)
    if (record === null) continue
    const found = { place, file: path, record: record.record }
    const { how, sentence } = await settle(record)
    const { tenant, change, files } = found.record
    const ended = how === 'unclear' ? 'rolled-back' : how
    if (tenant !== null)
      for (const file of files)
        await ledger?.append({ kind: 'change-ended', tenant, path: file.path, change, how: ended })
    recovered.push({ found, how, sentence })
  }
  return recovered
}

function isBroken(path: string): boolean {
  const state = readRecord(path)?.state
  return state === 'prepared' || state === 'undoing'
}

function takeOver(path: string): RecordFile | null {
  const record = RecordFile.takeOver(path)
  if (record === null || record === 'owned') return null
  try {
    unlinkSync(onDisk(`${path}.new`)) // A version that its run could not finish.
  } catch {
    // There is none.
  }
  return record
}
