/**
 * What SQLite's usual locks cannot keep still, recognised before anything is locked. That is a program with locks of
 * another kind, or one that changes the file through memory. Each refusal says what to do.
 */
import { lstatSync } from 'node:fs'
import { onDisk } from '../../host/files/file-name.ts'
import { findConflict } from '../../host/locks/byte-lock.ts'
import { findStoringMappings } from '../../host/locks/open-file-table.ts'
import type { LivePath } from '../../model/brand.ts'
import { Failure } from '../../model/failure.ts'
import { nameProcess } from '../../model/holders.ts'
import type { Holder } from '../../model/result/evidence.ts'
import { lockBytes, shmLockBytes } from '../../sqlite/lock-bytes.ts'
import type { LiveFiles } from '../live/live-files.ts'
import { failureOfPath } from '../live/path-failure.ts'
import { hasProgramLock } from '../seal/lock-sight.ts'
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

/**
 * Whether a program uses the database file that has the name. A program that is connected to a WAL has SHARED on its
 * database. To be asked under SHARED of ours, which is not counted. Null if it cannot be told.
 */
export function isReadByProgram(files: LiveFiles): boolean | null {
  const { dev, ino } = files.stat('')
  return hasProgramLock(files.descriptor(''), { path: files.path, dev, ino, range: lockBytes.shared })
}

/**
 * To be asked when the pin of a WAL stands. If the database was replaced under its programs, its WAL does not belong to
 * the file that has the name now. Together they are a state that never was.
 * @throws {Failure} COPY_CHANGED
 */
export function requireSameDatabase(files: LiveFiles): void {
  if (isReadByProgram(files) !== false) return
  const switchByte = { start: shmLockBytes.deadManSwitch, length: 1 }
  const pid = findConflict(files.descriptor('-shm'), 'write', switchByte)?.pid ?? null
  throw new Failure(
    'COPY_CHANGED',
    `${pid === null ? 'a program' : `process ${pid}`} uses ${files.path}-shm, ` +
      `and no program uses ${files.path} itself: ` +
      'the database was replaced, moved or deleted under its program',
    {
      hint:
        'if it says so again, do not stop that program yet: it goes on with a file that has no name any more, and ' +
        `loses it with its end. \`ls -l /proc/${pid ?? 'PID'}/fd\` shows that file as deleted. Copy it from there, ` +
        'and the -wal beside it; then decide which file is right',
    },
  )
}

/**
 * A program that shares a WAL has the -wal open, before it maps the -shm. If it has another one than the name leads to,
 * nobody else sees what it commits.
 * @param holders all that were found
 * @throws {Failure} COPY_CHANGED
 */
export function requireSameWal(files: LiveFiles, holders: readonly Holder[]): void {
  if (!files.has('-wal')) return
  const connected = holders.filter(({ path, modes }) => path === `${files.path}-shm` && modes.includes('mapped'))
  const without = connected.find(
    ({ pid }) => !holders.some((holder) => holder.pid === pid && holder.path === `${files.path}-wal`),
  )
  if (without !== undefined)
    throw companionGone(
      `${nameProcess(without)} uses ${files.path}, but not the ${files.path}-wal that is there now: that file was ` +
        'deleted or replaced under it',
    )
}

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
