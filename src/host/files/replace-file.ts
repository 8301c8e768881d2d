/**
 * Replaces a file as a whole. A reader finds the old one or the new one and never a part, whatever happens meanwhile.
 * The folder may belong to another user, who may rename in it.
 */
import { randomUUID } from 'node:crypto'
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  linkSync,
  lstatSync,
  openSync,
  readSync,
  renameSync,
  unlinkSync,
  writeSync,
  type BigIntStats,
} from 'node:fs'
import { basename, dirname } from 'node:path'
import { Failure } from '../../model/failure.ts'
import { hasLiveSetMagic } from '../../sqlite/live-set-magic.ts'
import { systemFailure } from '../failures/system-failure.ts'
import { OpenFolder, hasDescriptorPaths } from '../folders/open-folder.ts'
import { nameDescriptor } from '../libc.ts'
import { giveToFolderOwner } from '../private-files/folder-owner.ts'
import { onDisk } from './file-name.ts'
import { findUntrusted } from './trusted-path.ts'

/**
 * `public`: a file that exists keeps its mode and group, and for root its owner; a new one has mode 0644. `ours`: the
 * same, but a new one has mode 0600. `private`: the file has mode 0600, and root gives it to the owner of its folder.
 */
type Readers = 'public' | 'ours' | 'private'

/**
 * Replaces the file by `content`. It is on the disk when this returns. If this throws, the old file is unchanged and no
 * other file is left.
 * @throws {Failure} NOT_A_FILE for a link, a folder, a device, a pipe, or a file of SQLite. NO_PERMISSION if another
 * user could choose the folder. NOT_FOUND, NO_SPACE or READ_FAILED for what the system refused
 */
export function replaceFile(
  path: string,
  content: string | Iterable<string | Uint8Array>,
  readers: Readers = 'public',
): void {
  try {
    using folder = OpenFolder.named(dirname(path))
    requireOwnChoice(path, folder)
    const name = onDisk(basename(path))
    const old = requireReplaceable(path, folder, path.endsWith('/') ? '.' : name, readers !== 'private')
    using draft = openDraft(folder)
    for (const piece of typeof content === 'string' ? [content] : content)
      writeAll(draft.descriptor, Buffer.from(piece))
    if (readers === 'private') {
      fchmodSync(draft.descriptor, 0o600)
      giveToFolderOwner(draft.descriptor, folder.at('.'))
    } else {
      takeOver(draft.descriptor, old, { path, newMode: readers === 'ours' ? 0o600 : 0o644 })
    }
    fsyncSync(draft.descriptor)
    draft.rename(name)
    syncFolder(folder)
  } catch (error) {
    throw systemFailure(error, { doing: 'write', path })
  }
}

const beginningOfPage = '<!doctype html'

/**
 * Allows a name that is not taken, and an earlier page of HTML. Any other file may be a database: an empty one, or one
 * whose header is broken. `--html *.db` names one by mistake. Links, folders and devices are left to `replaceFile`.
 * @throws {Failure} NOT_A_FILE for another regular file; NO_PERMISSION or READ_FAILED for what the system refused
 */
export function requirePage(path: string): void {
  try {
    if (lstatSync(onDisk(path), { throwIfNoEntry: false })?.isFile() !== true) return
    using folder = OpenFolder.named(dirname(path))
    const beginning = beginningOf(folder, onDisk(basename(path))).toString('latin1', 0, beginningOfPage.length)
    if (beginning.toLowerCase() !== beginningOfPage)
      throw notReplaced(`${path} is no page of HTML, and is not replaced`, 'name a new file, or an earlier page')
  } catch (error) {
    throw systemFailure(error, { doing: 'read', path })
  }
}

/**
 * Makes a file (0600) of a name that is not taken. It gets its name when it is whole and on the disk. If this throws,
 * no file is left.
 * @param write writes to the descriptor, from its beginning
 * @throws {Failure} NOT_A_FILE if the name is taken; otherwise as `replaceFile`
 */
export async function createFile(path: string, write: (descriptor: number) => Promise<void>): Promise<void> {
  const taken = `${path} is there already, and is not overwritten`
  try {
    using folder = OpenFolder.named(dirname(path))
    requireOwnChoice(path, folder)
    requireNoCompanion(path)
    const name = onDisk(basename(path))
    if (lstatSync(folder.at(name), { throwIfNoEntry: false }) !== undefined)
      throw notReplaced(taken, 'name a file that is not there yet')
    using draft = openDraft(folder)
    await write(draft.descriptor)
    fsyncSync(draft.descriptor)
    draft.link(name)
    syncFolder(folder)
  } catch (error) {
    if (codeOf(error) === 'EEXIST') throw notReplaced(taken, 'name a file that is not there yet')
    throw systemFailure(error, { doing: 'write', path })
  }
}

/**
 * A user who may rename on the way could lead us into any folder. This allows only folders of that user, where the user
 * could have written the file without us. The folder is inspected by its descriptor.
 */
function requireOwnChoice(path: string, folder: OpenFolder): void {
  const untrusted = findUntrusted(dirname(path), 'shared-folder')
  if (untrusted === null) return
  const opened = folder.stat()
  const found = lstatSync(onDisk(untrusted.path), { bigint: true })
  const isTheFolder = found.dev === opened.dev && found.ino === opened.ino
  const isOfOneUser = (found.mode & 0o022n) === 0n && found.uid === opened.uid
  if (isTheFolder || isOfOneUser) return
  const why = `${untrusted.path}: ${untrusted.why}`
  throw new Failure('NO_PERMISSION', `another user could change where ${path} leads: ${why}`, {
    hint: 'name a file in a folder that is reached through folders of root or of this user',
  })
}

/**
 * The file that exists now; null if there is none.
 * @param mustBeText false for files of our own. A file that a person names by mistake may be a database whose header is
 * broken: text has no byte 0, and a page of a database has.
 */
function requireReplaceable(
  path: string,
  folder: OpenFolder,
  name: string | Buffer,
  mustBeText: boolean,
): BigIntStats | null {
  requireNoCompanion(path)
  const old = lstatSync(folder.at(name), { bigint: true, throwIfNoEntry: false })
  if (old === undefined) return null
  if (old.isSymbolicLink()) {
    throw notReplaced(`${path} is a symbolic link, which is not followed`, 'name the file itself')
  }
  if (!old.isFile()) {
    const kind = old.isDirectory() ? 'a folder' : old.isFIFO() ? 'a pipe' : old.isSocket() ? 'a socket' : 'a device'
    throw notReplaced(`${path} is ${kind}, not a regular file`, 'name a file, which is made where there is none')
  }
  const beginning = old.size > 0n ? beginningOf(folder, name) : Buffer.alloc(0)
  if (hasLiveSetMagic(beginning))
    throw notReplaced(`${path} is a database, or lies beside one as a part of it`, 'name another file')
  if (mustBeText && beginning.includes(0))
    throw notReplaced(`${path} is no text, and is not replaced`, 'name another file')
  return old
}

/** Also for a new or an empty file: SQLite takes any file of this name for a part of the database beside it. */
function requireNoCompanion(path: string): void {
  const part = ['-wal', '-shm', '-journal'].find((one) => path.endsWith(one))
  if (part === undefined) return
  throw notReplaced(`${path} has the name of a part of a database (${part})`, 'name another file')
}

const notReplaced = (message: string, hint: string): Failure => new Failure('NOT_A_FILE', message, { hint })

/** A page of a database that SQLite writes by default. */
const beginningBytes = 4096

/** Empty if we may not read it: it belongs to another user, and can be replaced all the same. */
function beginningOf(folder: OpenFolder, name: string | Buffer): Buffer {
  try {
    const file = openSync(folder.at(name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    try {
      const bytes = Buffer.alloc(beginningBytes)
      return bytes.subarray(0, readSync(file, bytes, 0, beginningBytes, 0))
    } finally {
      closeSync(file)
    }
  } catch (error) {
    if (codeOf(error) === 'EACCES') return Buffer.alloc(0)
    throw error
  }
}

interface UnnamedFile extends Disposable {
  readonly descriptor: number
  /** Gives it its name, and replaces the file of that name. */
  rename(name: string | Buffer): void
  /** Gives it a name that is not taken. @throws EEXIST */
  link(name: string | Buffer): void
}

/** Without a name if the system can: a process that is killed then leaves nothing behind. */
function openDraft(folder: OpenFolder): UnnamedFile {
  const draft = `.holdfast-${randomUUID()}`
  let isNamed = false
  const unnamed = openUnnamed(folder)
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
  const descriptor = unnamed ?? openSync(folder.at(draft), flags, 0o600)
  isNamed = unnamed === null
  const nameIt = (): void => {
    if (!isNamed) nameDescriptor(descriptor, folder.number, draft)
    isNamed = true
  }
  return {
    descriptor,
    rename: (name) => {
      nameIt()
      renameSync(folder.at(draft), folder.at(name))
      isNamed = false
    },
    link: (name) => {
      nameIt()
      linkSync(folder.at(draft), folder.at(name)) // The name of the draft goes when it is closed.
    },
    [Symbol.dispose]: () => {
      closeSync(descriptor)
      if (isNamed) unlinkSync(folder.at(draft))
    },
  }
}

/** null if the file system has no such files (EOPNOTSUPP; EISDIR from overlay), or there is no /proc to name one. */
function openUnnamed(folder: OpenFolder): number | null {
  const unnamed = 0o20000000 | constants.O_DIRECTORY // O_TMPFILE, which Node does not name.
  if (!hasDescriptorPaths()) return null
  try {
    return openSync(folder.at('.'), unnamed | constants.O_WRONLY, 0o600)
  } catch (error) {
    if (['ENOTSUP', 'EOPNOTSUPP', 'EISDIR'].includes(codeOf(error))) return null
    throw error
  }
}

function writeAll(descriptor: number, bytes: Buffer): void {
  for (let done = 0; done < bytes.length;) done += writeSync(descriptor, bytes, done, bytes.length - done)
}

/**
 * Sets owner (only root may give files away), group and mode of the old file, without the bits that make it executable.
 */
function takeOver(
  descriptor: number,
  old: BigIntStats | null,
  { path, newMode }: { readonly path: string; readonly newMode: number },
): void {
  if (old === null) return fchmodSync(descriptor, newMode)
  const ours = fstatSync(descriptor)
  const owner = process.geteuid?.() === 0 ? Number(old.uid) : ours.uid
  const group = Number(old.gid)
  if (owner !== ours.uid || group !== ours.gid) giveTo(descriptor, owner, group, path)
  // If another user made it, others may be allowed to write to it: they could then change our text.
  const isOthers = ![0n, BigInt(owner)].includes(old.uid)
  fchmodSync(descriptor, Number(old.mode) & (isOthers ? 0o755 : 0o777))
}

function giveTo(descriptor: number, owner: number, group: number, path: string): void {
  try {
    fchownSync(descriptor, owner, group)
  } catch (error) {
    if (codeOf(error) !== 'EPERM') throw error
    const hint =
      `add this user to group ${group}, or have the folder hand its group on: ` +
      `chgrp ${group} FOLDER && chmod g+s FOLDER`
    throw new Failure('NO_PERMISSION', `${path} is of group ${group}, which a new file of this user cannot have`, {
      cause: error,
      hint,
    })
  }
}

/** The rename is done. It is no failure that a folder which may not be listed cannot be synced. */
function syncFolder(folder: OpenFolder): void {
  try {
    const descriptor = openSync(folder.at('.'), constants.O_RDONLY | constants.O_DIRECTORY)
    try {
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
  } catch (error) {
    if (!['EACCES', 'EINVAL'].includes(codeOf(error))) throw error
  }
}

const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : '')
