/**
 * A rollback journal may name a super-journal by its absolute path. SQLite, opening our snapshot, would look for the
 * live super-journal, and might delete it. So we look for it here, during the pause, and change the snapshot's journal
 * so that it names none.
 */
import type { Stats } from 'node:fs'
import { stat } from 'node:fs/promises'
import { isHot, superJournalName } from '../../sqlite/journal/journal.ts'
import { readAt, type LiveFiles } from '../live/live-files.ts'
import type { Draft } from './draft.ts'

/** The longest trailer: a path, and 20 bytes around it. */
const trailerBytesMax = 8_192

/**
 * `none`: the journal names none. `pending`: the super-journal exists, so the transaction is to be rolled back. `over`:
 * it is gone, so the transaction was committed. `unknown`: its folder is not there, or cannot be searched. The service
 * may see other folders than holdfast does.
 */
export type SuperJournal = 'none' | 'pending' | 'over' | 'unknown'

/** To be called for the live set, during the pause. */
export async function superJournalOf(files: LiveFiles): Promise<SuperJournal> {
  if (!files.has('-journal')) return 'none'
  const size = Number(files.stat('-journal').size)
  if (!isHot(await files.read('-journal', 0, 512), size)) return 'none'
  const start = Math.max(0, size - trailerBytesMax)
  const name = superJournalName(await files.read('-journal', start, size - start))
  return name === null ? 'none' : stateOf(name)
}

/** As SQLite decides it (os_unix.c, unixAccess): an empty file counts as gone. */
async function stateOf(name: Buffer): Promise<SuperJournal> {
  const found = await statOrNull(name)
  if (found === 'unknown') return 'unknown'
  if (found !== null) return found.isFile() && found.size === 0 ? 'over' : 'pending'
  const folder = await statOrNull(name.subarray(0, Math.max(1, name.lastIndexOf('/'))))
  return folder !== null && folder !== 'unknown' && folder.isDirectory() ? 'over' : 'unknown'
}

/** null if there is nothing of this name. */
async function statOrNull(name: Buffer): Promise<Stats | null | 'unknown'> {
  try {
    return await stat(name)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? null : 'unknown'
  }
}

/**
 * Rewrites the copy: a journal without the trailer is rolled back, an empty one is not. If the answer is not known, the
 * copy keeps its trailer, and the check says that the journal cannot be rolled back.
 */
export async function settleSuperJournal(draft: Draft, answer: SuperJournal): Promise<void> {
  if (answer === 'none' || answer === 'unknown') return
  if (answer === 'over') return draft.restart('-journal')
  const size = draft.size('-journal')
  const start = Math.max(0, size - trailerBytesMax)
  const name = superJournalName(await readAt(draft.descriptor('-journal'), start, size - start))
  if (name !== null) await draft.truncate('-journal', size - name.length - 20)
}
