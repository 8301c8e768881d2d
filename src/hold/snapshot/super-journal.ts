/**
 * A rollback journal may name a super-journal by its absolute path. SQLite, opening our snapshot, would look there, at
 * the live file, and even delete it. So the question that it would ask is asked here, while the tenant stands still,
 * and the snapshot's journal is made to need no answer.
 */
import { lstat } from 'node:fs/promises'
import { isHot, superJournalName } from '../../sqlite/journal/journal.ts'
import { readAt, type LiveFiles } from '../live/live-files.ts'
import type { Draft } from './draft.ts'

/** Longest trailer that is looked for: a path, and 20 bytes around it. */
const trailerBytesMax = 8_192

/**
 * `none`: plain journal. `pending`: its super-journal exists, the transaction is to be rolled back. `over`: it is gone,
 * the transaction was committed.
 */
export type SuperJournal = 'none' | 'pending' | 'over'

/** To be asked during the hold, of the live set. */
export async function superJournalOf(files: LiveFiles): Promise<SuperJournal> {
  if (!files.has('-journal')) return 'none'
  const size = Number((await files.stat('-journal')).size)
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

/** Rewrites the copy: without the trailer the journal is rolled back, without its header it is not. */
export async function settleSuperJournal(draft: Draft, answer: SuperJournal): Promise<void> {
  if (answer === 'none') return
  if (answer === 'over') return draft.restart('-journal')
  const size = await draft.size('-journal')
  const start = Math.max(0, size - trailerBytesMax)
  const name = superJournalName(await readAt(await draft.descriptor('-journal'), start, size - start))
  if (name !== null) await draft.truncate('-journal', size - Buffer.byteLength(name) - 20)
}
