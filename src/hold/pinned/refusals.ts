/**
 * What SQLite's usual locks cannot keep still, recognised before anything is locked: a program with locks of another
 * kind, and one that changes the file through memory. Each refusal says what to do.
 */
import { lstatSync } from 'node:fs'
import { onDisk } from '../../host/files/file-name.ts'
import { findStoringMappings } from '../../host/locks/open-file-table.ts'
import type { LivePath } from '../../model/brand.ts'
import { Failure } from '../../model/failure.ts'
import { nameProcess } from '../../model/holders.ts'
import type { Holder } from '../../model/result/evidence.ts'
import type { LiveFiles } from '../live/live-files.ts'
import { failureOfPath } from '../live/path-failure.ts'
import { stopForCheck } from '../seal/shared-lock.ts'

/**
 * Takes no lock and reads nothing of the files.
 * @param holders all that were found
 * @throws {Failure} LOCK_BUSY, IN_USE
 */
export async function requireUsualLocks(files: LiveFiles, holders: readonly Holder[]): Promise<void> {
  requireNoLockFolder(files.path)
  await requireNoStoringMapping(files, holders)
}

/** The folder whose existence is the lock of SQLite's unix-dotfile. */
const lockFolderSuffix = '.lock'

/** @throws {Failure} LOCK_BUSY */
function requireNoLockFolder(path: LivePath): void {
  if (!isFolder(path + lockFolderSuffix)) return
  throw new Failure(
    'LOCK_BUSY',
    `beside ${path} lies the folder ${path}${lockFolderSuffix}: a program locks the database with it ` +
      "(SQLite's unix-dotfile), and not with the locks that holdfast shares",
    {
      hint:
        `let the program use SQLite's usual locks, or ${stopForCheck}. ` +
        'If no program uses the database, a crash left the folder: remove it with `rmdir`',
    },
  )
}

function isFolder(path: string): boolean {
  try {
    return lstatSync(onDisk(path), { throwIfNoEntry: false })?.isDirectory() ?? false
  } catch (error) {
    // SQLite cannot make a folder with too long a name either.
    if ((error as NodeJS.ErrnoException).code === 'ENAMETOOLONG') return false
    throw failureOfPath(path, error)
  }
}

/**
 * A program goes on with a `-wal` or `-shm` that has no name any more: no other program sees what it commits.
 * @param what the sentence that says what was seen
 */
export const companionGone = (what: string): Failure =>
  new Failure('COPY_CHANGED', what, {
    hint:
      'if it says so again, a file was deleted that a program uses: stop that program in good order, which ' +
      'writes its WAL into the database, and start it again. Let no other program open the database before that',
  })

/** @throws {Failure} IN_USE */
async function requireNoStoringMapping(files: LiveFiles, holders: readonly Holder[]): Promise<void> {
  const { dev, ino } = files.stat('')
  const [first, ...others] = await findStoringMappings({ path: files.path, dev, ino }, holders)
  if (first === undefined) return
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`
  throw new Failure(
    'IN_USE',
    `${nameProcess(first)}${more} has ${files.path} mapped into its memory and may write there: it can change the ` +
      'database without a lock, and without a sign',
    { hint: `SQLite never maps a database for writing: end that program, or ${stopForCheck}` },
  )
}
