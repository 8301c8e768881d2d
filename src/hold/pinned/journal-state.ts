/** Whether the rollback journal beside a database belongs to its state. */
import { findConflict } from '../../host/locks/byte-lock.ts'
import type { PinEvidence } from '../../model/result/evidence.ts'
import { lockBytes } from '../../sqlite/lock-bytes.ts'
import type { LiveFiles } from '../live/live-files.ts'

const reserved = { start: lockBytes.reserved, length: 1 } as const

/**
 * To be called while SHARED of ours stands, for files that were opened under it. Then no program changes the database
 * file, and none rolls a journal back. A journal that appears later is of a transaction under way.
 * @returns `hot`: a transaction was interrupted, and the file is right only together with the journal. `in-use`: of a
 * transaction that is under way and has not changed the file. It is not needed: a rollback would write what is there.
 */
export async function findJournal(files: LiveFiles): Promise<PinEvidence['journal']> {
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
