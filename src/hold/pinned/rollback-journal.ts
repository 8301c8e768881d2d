/**
 * A database with a rollback journal (README.md, L11 and L12). Under SHARED the database file stands still: a writer
 * may begin a transaction, and waits when it wants to commit or to spill. So the lock stands for as short as possible,
 * and never longer than `live.maxWriterWait` allows.
 *   1. SHARED stands. Begin the limit of the wait.
 *   2. Look at the journal. A hot one is copied too, and the name of its super-journal is looked up.
 *   3. Probe: a second process sees our lock. No SQLite: a BEGIN would succeed, or get in the way of other programs.
 *   4. First proof, copy, second proof, the probe again.
 */
import type { LiveSetPart } from '../../model/result/evidence.ts'
import { copyParts } from '../snapshot/copy.ts'
import { superJournalOf } from '../snapshot/super-journal.ts'
import { findJournal } from './journal-state.ts'
import type { PinnedCopy, PinTask } from './pin-task.ts'
import { probeSharedLock } from './probe-shared-lock.ts'
import { proveStill, proveStillAgain } from './still.ts'
import { limitOfWait } from './writer-wait.ts'

/**
 * @throws {Failure} COPY_CHANGED, WRITER_SEEN: another attempt may succeed; LOCK_NOT_HONOURED, NO_SPACE;
 * TOO_LARGE_FOR_PAUSE when writers have waited for as long as they may
 */
export async function takeRollbackJournal(task: PinTask): Promise<PinnedCopy> {
  const { hold, files, draft, term } = task
  term.start(limitOfWait(task))
  const journal = await findJournal(files)
  const parts: readonly LiveSetPart[] = journal === 'hot' ? ['', '-journal'] : ['']
  const superJournal = journal === 'hot' ? await superJournalOf(files) : 'none'
  const before = await probeSharedLock(task)
  hold.record.step('probed', { probe: { before, after: null } })
  const first = await proveStill(files, parts, term.over)
  hold.record.step('proven', { proofs: [first] })
  const copied = await copyParts(files, first.files, draft, term.over)
  hold.record.step('copied')
  term.over.throwIfAborted()
  const second = proveStillAgain(files, parts, first)
  hold.record.step('proven-again', { proofs: [first, second] })
  const after = await probeSharedLock(task)
  term.over.throwIfAborted()
  hold.record.step('probed-again')
  return {
    pin: {
      branch: 'rollback-journal',
      mark: null,
      walGrewBytes: 0,
      journal,
      checkpoint: 'not-tried',
      lastSeenConnected: true,
    },
    probe: { before, after },
    proofs: [first, second],
    copied,
    superJournal,
  }
}
