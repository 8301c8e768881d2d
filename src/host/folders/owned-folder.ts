/**
 * A folder that belongs to one process while it runs, beside those of other processes, which may be dead.
 *
 * The file `owner` in it is locked while its owner lives. The lock belongs to the open file, so it ends with the
 * process, however that ends. Every process of this kernel meets it, in any pid namespace or container. Only a process
 * that was granted this lock deletes the folder of a dead one.
 */
import { closeSync, constants, fstatSync, openSync, readSync, renameSync, writeSync } from 'node:fs'
import { mkdtemp, rmdir, unlink } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { Failure } from '../../model/failure.ts'
import { systemFailure } from '../failures/system-failure.ts'
import { SystemCallError } from '../libc.ts'
import { tryLock } from '../locks/byte-lock.ts'
import { isSurelyGone, ownMark, type OwnerMark } from '../process/owner-mark.ts'
import { emptyFolder } from './empty-folder.ts'
import { OpenFolder, hasDescriptorPaths } from './open-folder.ts'

export interface OwnedFolder extends AsyncDisposable {
  /** By the name of its parent. Where another user may rename in the parent, use `folder` instead. */
  readonly path: string
  readonly folder: OpenFolder
}

const ownerFile = 'owner'
const draftFile = 'owner.new'
const ownerBytesMax = 4096
const markSchema = 'holdfast.owner/1'

/** The contents of the file `owner`. `locked`: whether its owner got the lock, which some file systems do not have. */
interface OwnerFile extends OwnerMark {
  readonly schema: typeof markSchema
  readonly locked: boolean
}

/**
 * Makes a folder (0700) with a name that begins with `prefix`. Disposing it deletes it with everything in it.
 * @throws the error of the call that was refused; {Failure} SNAPSHOT_UNSAFE if another folder got the name meanwhile
 */
export async function openOwnedFolder(parent: string, prefix: string): Promise<OwnedFolder> {
  const above = OpenFolder.named(parent)
  let name = ''
  let folder: OpenFolder | null = null
  let owner: number | null = null
  const close = (): void => {
    if (owner !== null) closeSync(owner)
    folder?.[Symbol.dispose]()
    above[Symbol.dispose]()
  }
  try {
    name = basename(await mkdtemp(above.at(prefix)))
    folder = openMade(above, name)
    owner = sign(folder)
  } catch (error) {
    // The first error counts.
    if (folder !== null) await remove(above, folder, name).catch(() => undefined)
    else if (name !== '') await rmdir(above.at(name)).catch(() => undefined)
    close()
    throw error
  }
  const opened = folder
  let gone = false
  return {
    path: join(parent, name),
    folder: opened,
    async [Symbol.asyncDispose]() {
      if (gone) return
      gone = true
      try {
        await remove(above, opened, name)
      } catch (error) {
        // Names it by its path, because the kernel was given a descriptor.
        throw systemFailure(error, { doing: "delete this run's own folder", path: join(parent, name) })
      } finally {
        close()
      }
    },
  }
}

function openMade(above: OpenFolder, name: string): OpenFolder {
  const folder = above.below(name)
  const { uid, mode } = folder.stat()
  const user = process.geteuid?.()
  if (user !== undefined && Number(uid) !== user) {
    folder[Symbol.dispose]()
    throw new Failure('SNAPSHOT_UNSAFE', `another user put a folder of their own in the place of ${folder.path}`, {
      hint: 'name a folder that only this user can write',
    })
  }
  if ((Number(mode) & 0o777) !== 0o700) folder.takeOver() // The mask of this process may have removed bits.
  return folder
}

/**
 * The file gets its name only when it is locked. A process that sees the name and is granted the lock therefore knows
 * that no other process has it.
 */
function sign(folder: OpenFolder): number {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
  const file = openSync(folder.at(draftFile), flags, 0o600)
  try {
    const said: OwnerFile = { schema: markSchema, locked: lock(file) === 'granted', ...ownMark() }
    writeSync(file, `${JSON.stringify(said)}\n`)
    renameSync(folder.at(draftFile), folder.at(ownerFile))
    return file
  } catch (error) {
    closeSync(file)
    throw error
  }
}

/** `unknown` if the file system has no such locks. */
function lock(file: number): 'granted' | 'refused' | 'unknown' {
  try {
    return tryLock(file, 'write', { start: 0, length: 1 })
  } catch (error) {
    if (error instanceof Failure || error instanceof SystemCallError) return 'unknown'
    throw error
  }
}

/** Deletes the file `owner` last. If the deletion breaks off, the next process completes it. */
async function remove(above: OpenFolder, folder: OpenFolder, name: string): Promise<void> {
  try {
    await emptyFolder(folder, ownerFile)
    await unlink(folder.at(ownerFile)).catch(ignoring('ENOENT'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error // Another process deleted the folder.
  }
  // A user who renamed it may have put another folder in its place: this deletes only an empty one.
  await rmdir(above.at(name)).catch(ignoring('ENOENT', 'ENOTDIR', 'ENOTEMPTY', 'EEXIST', 'EPERM', 'EACCES'))
}

const ignoring =
  (...codes: readonly string[]) =>
  (error: unknown): void => {
    if (!codes.includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  }

/**
 * Deletes what dead processes left in `parent`: folders of our own user that no other user may enter, and whose owner
 * is gone beyond doubt. All others stay.
 * @param locksAreTrusted whether a lock on this file system counts for every process that can reach it
 * @returns their names
 */
export async function removeAbandonedFolders(
  parent: string,
  prefix: string,
  locksAreTrusted: boolean,
): Promise<readonly string[]> {
  const removed: string[] = []
  if (!hasDescriptorPaths() || process.geteuid === undefined) return removed
  try {
    using above = OpenFolder.named(parent)
    for (const name of above.names().map(String)) {
      if (!name.startsWith(prefix)) continue
      // A folder that cannot be deleted stays.
      if (await removeIfAbandoned(above, name, prefix, locksAreTrusted).catch(() => false)) removed.push(name)
    }
  } catch {
    // A folder that cannot be listed: the call that needs it reports why.
  }
  return removed
}

async function removeIfAbandoned(
  above: OpenFolder,
  name: string,
  prefix: string,
  locksAreTrusted: boolean,
): Promise<boolean> {
  using folder = above.below(name)
  const { uid, mode, mtimeMs } = folder.stat()
  if (Number(uid) !== process.geteuid?.() || (Number(mode) & 0o077) !== 0) return false
  const names = folder.names().map(String)
  if (!names.includes(ownerFile)) {
    if (!wasNeverSigned(name, prefix, names, Number(mtimeMs))) return false
    await remove(above, folder, name)
    return true
  }
  const owner = openSync(folder.at(ownerFile), constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const said = readOwnerFile(owner)
    if (said === null || lock(owner) === 'refused') return false
    // Whatever the lock is worth: a process that is surely gone needs the folder no more.
    const isUnlocked = said.locked && locksAreTrusted && lock(owner) === 'granted'
    if (!isUnlocked && !isSurelyGone(said)) return false
    await remove(above, folder, name)
    return true
  } finally {
    closeSync(owner)
  }
}

/** How long an owner may take from making a folder to writing its file `owner`. It usually takes milliseconds. */
const signedWithinMs = 600_000

/**
 * True for a folder whose process was killed, or had no space, before it wrote the file `owner`. Other programs may
 * have folders of such names, so one with any other content stays.
 */
function wasNeverSigned(name: string, prefix: string, names: readonly string[], modifiedMs: number): boolean {
  const isOurName = /^[A-Za-z0-9]{6}$/.test(name.slice(prefix.length)) // As mkdtemp makes them.
  return isOurName && names.every((one) => one === draftFile) && Date.now() - modifiedMs > signedWithinMs
}

/** null if holdfast did not write it. */
function readOwnerFile(file: number): OwnerFile | null {
  const found = fstatSync(file)
  if (!found.isFile() || found.size > ownerBytesMax) return null
  const bytes = Buffer.alloc(ownerBytesMax)
  try {
    const text = bytes.toString('utf8', 0, readSync(file, bytes, 0, ownerBytesMax, 0))
    const said = JSON.parse(text) as Partial<OwnerFile> | null
    const isOurs = said?.schema === markSchema && typeof said.locked === 'boolean' && Number.isSafeInteger(said.pid)
    return isOurs ? (said as OwnerFile) : null
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}
