/** Whether the rollback journal beside a database belongs to its state. */
import { findConflict } from '../../host/locks/byte-lock.ts'
import type { PinEvidence } from '../../model/result/evidence.ts'
import { lockBytes } from '../../sqlite/lock-bytes.ts'
import type { LiveFiles } from '../live/live-files.ts'

const reserved = { start: lockBytes.reserved, length: 1 } as const

/**
 * Opens the journal that lies there now. To be called while SHARED of ours stands: then no program changes the database
 * file, and none rolls a journal back.
 * @returns `hot`: a transaction was interrupted, and the file is right only together with the journal. `in-use`: of a
 * transaction that is under way and has not changed the file. It is not needed: a rollback would write what is there.
 * @throws {Failure} as `LiveFiles.follow`
 */
export async function findJournal(files: LiveFiles): Promise<PinEvidence['journal']> {
  await files.follow()
  if (!files.has('-journal') || files.stat('-journal').size === 0n) return 'none'
  if (isReserved(files)) return 'in-use'
  const [first = 0] = await files.read('-journal', 0, 1)
  if (isReserved(files)) return 'in-use' // Taken since: what was read may be the beginning of a new journal.
  return first === 0 ? 'none' : 'hot'
}

/** Takes nothing. */
function isReserved(files: LiveFiles): boolean {
  return findConflict(files.descriptor(''), 'write', reserved) !== null
}
