/**
 * A rollback journal may name a super-journal by its absolute path. SQLite, opening our snapshot, would look for the
 * live super-journal, and might delete it. So we look for it here, during the pause, and change the snapshot's journal
 * so that it names none.
 */
import { lstat } from 'node:fs/promises'
import { isHot, superJournalName } from '../../sqlite/journal/journal.ts'
import { readAt, type LiveFiles } from '../live/live-files.ts'
import type { Draft } from './draft.ts'

/** The longest trailer: a path, and 20 bytes around it. */
const trailerBytesMax = 8_192

/**
 * `none`: the journal names none. `pending`: the super-journal exists, so the transaction is to be rolled back. `over`:
 * it is gone, so the transaction was committed.
 */
export type SuperJournal = 'none' | 'pending' | 'over'

/** To be called for the live set, during the pause. */
export async function superJournalOf(files: LiveFiles): Promise<SuperJournal> {
  if (!files.has('-journal')) return 'none'
  const size = Number(files.stat('-journal').size)
  if (!isHot(await files.read('-journal', 0, 512), size)) return 'none'
  const start = Math.max(0, size - trailerBytesMax)
  const name = superJournalName(await files.read('-journal', start, size - start))
  if (name === null) return 'none'
  const exists = await lstat(name).then(
    () => true,
    () => false,
  )
  return exists ? 'pending' : 'over'
}

/** Rewrites the copy: a journal without the trailer is rolled back, an empty one is not. */
export async function settleSuperJournal(draft: Draft, answer: SuperJournal): Promise<void> {
  if (answer === 'none') return
  if (answer === 'over') return draft.restart('-journal')
  const size = draft.size('-journal')
  const start = Math.max(0, size - trailerBytesMax)
  const name = superJournalName(await readAt(draft.descriptor('-journal'), start, size - start))
  if (name !== null) await draft.truncate('-journal', size - Buffer.byteLength(name) - 20)
}
