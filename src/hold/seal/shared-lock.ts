/**
 * SHARED on the database file, taken as SQLite takes it: a read lock on PENDING, a read lock on the 510 bytes, PENDING
 * given back. A writer that waits for its readers keeps PENDING, and is not overtaken. From then on no program changes
 * the journal mode, and no last close deletes `-shm` and `-wal`.
 */
import { monotonicMs, sleep } from '../../host/clock.ts'
import { findConflict, tryLock, unlock, type LockConflict } from '../../host/locks/byte-lock.ts'
import type { LivePath } from '../../model/brand.ts'
import { Failure } from '../../model/failure.ts'
import { lockBytes } from '../../sqlite/lock-bytes.ts'
import type { LiveFiles } from '../live/live-files.ts'
import type { NameConflict } from './conflict.ts'
import { describeConflict } from './lock.ts'

const againMs = 1
const pending = { start: lockBytes.pending, length: 1 } as const

/** How long to wait for SHARED. */
interface SharedWait {
  /** On the monotonic clock. */
  readonly untilMs: number
  /** Called before it is asked for again. */
  readonly onWait: () => void
}

/**
 * Waits for programs that have the database exclusively, and holds nothing meanwhile. Unlocking or closing the file
 * ends the lock.
 * @throws {Failure} LOCK_BUSY with the program that is in the way
 */
export async function lockShared(
  files: LiveFiles,
  { untilMs, onWait }: SharedWait,
  nameConflict: NameConflict,
  signal: AbortSignal,
): Promise<void> {
  const database = files.descriptor('')
  const startMs = monotonicMs()
  while (!tryShared(database)) {
    const conflict = findConflict(database, 'read', lockBytes.all)
    if (monotonicMs() > untilMs) throw await failureOf(files.path, conflict, monotonicMs() - startMs, nameConflict)
    onWait()
    await sleep(againMs, signal)
  }
}

/** What to do if a check cannot be made beside the program. */
export const stopForCheck = 'stop the program for the check, by hooks that run `systemctl stop` and `systemctl start`'

/** A program in exclusive mode keeps its lock between its transactions, too. */
async function failureOf(
  path: LivePath,
  conflict: LockConflict | null,
  waitedMs: number,
  nameConflict: NameConflict,
): Promise<Failure> {
  const { code, message } = await nameConflict('LOCK_BUSY', describeConflict(path, conflict))
  return new Failure(code, `${message}; it let no reader in for ${Math.round(waitedMs)} ms`, {
    hint:
      'if that program sets `PRAGMA locking_mode = EXCLUSIVE`, set it to NORMAL; else ' +
      `${stopForCheck}. If it was one long transaction, try again later`,
  })
}

/** @returns false if it was refused; then nothing of it stands */
export function tryShared(database: number): boolean {
  if (tryLock(database, 'read', pending) === 'refused') return false
  try {
    return tryLock(database, 'read', lockBytes.shared) === 'granted'
  } finally {
    unlock(database, pending)
  }
}
