/**
 * A database in WAL mode that no program has open (README.md, L5 and L9). Nothing of ours may stand on the `-shm`: the
 * next program would take a stale one for current. SHARED on the database alone does not keep a program from
 * checkpointing, but none can come and go unseen. Its last close cannot delete `-shm` and `-wal`. So the files are
 * copied as they lie there, the WAL with them, and looked at again.
 *   1. SHARED stands. No program is connected. Look at the journal.
 *   2. Probe: a second process sees our lock. No SQLite: it would be a program that comes and goes.
 *   3. First proof of all names, copy, second proof. Anything new or moved: another attempt begins at the start.
 */
import { findConflict } from '../../host/locks/byte-lock.ts'
import { Failure } from '../../model/failure.ts'
import { liveSetParts } from '../../model/result/evidence.ts'
import { lockBytes, shmLockBytes } from '../../sqlite/lock-bytes.ts'
import type { LiveFiles } from '../live/live-files.ts'
import { copyParts } from '../snapshot/copy.ts'
import { superJournalOf } from '../snapshot/super-journal.ts'
import { findJournal } from './journal-state.ts'
import type { PinnedCopy, PinTask } from './pin-task.ts'
import { probeSharedLock } from './probe-shared-lock.ts'
import { companionGone, isReadByProgram } from './refusals.ts'
import { proveStill, proveStillAgain } from './still.ts'

/** @throws {Failure} COPY_CHANGED, WRITER_SEEN: another attempt may succeed; LOCK_NOT_HONOURED, NO_SPACE */
export async function takeIdle(task: PinTask): Promise<PinnedCopy> {
  const { hold, files, draft, term } = task
  term.start()
  requireUnconnected(files, 'WRITER_SEEN')
  requireUnread(files)
  const journal = await findJournal(files)
  const superJournal = await superJournalOf(files)
  const before = await probeSharedLock(task)
  hold.record.step('probed', { probe: { before, after: null } })
  const first = await proveStill(files, liveSetParts, term.over)
  hold.record.step('proven', { proofs: [first] })
  const copied = await copyParts(files, first.files, draft, term.over)
  hold.record.step('copied')
  term.over.throwIfAborted()
  const second = proveStillAgain(files, liveSetParts, first)
  requireUnconnected(files, 'COPY_CHANGED')
  hold.record.step('proven-again', { proofs: [first, second] })
  const after = await probeSharedLock(task)
  term.over.throwIfAborted()
  hold.record.step('probed-again')
  return {
    pin: { branch: 'idle', mark: null, walGrewBytes: 0, journal, checkpoint: 'not-tried', lastSeenConnected: false },
    probe: { before, after },
    proofs: [first, second],
    copied,
    superJournal,
  }
}

const deadManSwitch = { start: shmLockBytes.deadManSwitch, length: 1 } as const

/**
 * Takes nothing: with the byte of ours, the next program would take a stale `-shm` for current. A program that is just
 * opening the file has the byte for writing.
 * @throws {Failure}
 */
function requireUnconnected(files: LiveFiles, code: 'WRITER_SEEN' | 'COPY_CHANGED'): void {
  if (!files.has('-shm') || findConflict(files.descriptor('-shm'), 'write', deadManSwitch) === null) return
  throw new Failure(code, `a program has opened ${files.path}, which no program had open a moment ago`)
}

/**
 * A program that is connected keeps SHARED on the database. If no program has the switch of the `-shm` meanwhile, that
 * file was deleted or replaced under it. It writes to the WAL by an index that we cannot see.
 * @throws {Failure} COPY_CHANGED; also for a program that is just opening the file
 */
function requireUnread(files: LiveFiles): void {
  if (isReadByProgram(files) !== true) return
  const pid = findConflict(files.descriptor(''), 'write', lockBytes.shared)?.pid ?? null
  const who = pid === null ? 'a program' : `process ${pid}`
  throw companionGone(
    `${who} uses ${files.path}, but not by the -shm that has its name: by that file programs share a WAL, and it was ` +
      'deleted or replaced under it',
  )
}
