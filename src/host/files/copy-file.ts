/** Copies a file whose name another user may control. */
import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  statSync,
  unlinkSync,
  type Stats,
} from 'node:fs'
import { copyFile } from 'node:fs/promises'
import { Failure } from '../../model/failure.ts'
import { hasDescriptorPaths } from '../folders/open-folder.ts'
import { copyRangeSparsely } from './copy-range.ts'
import { onDisk } from './file-name.ts'
import { hasHoles } from './holes.ts'

/**
 * Copies a regular file to a new name. Shares blocks if the file system can. It never waits for a FIFO and never opens
 * a device.
 * @param links whether the name may be a symbolic link
 * @returns the state of the original before the copy
 * @throws {Failure} NOT_A_FILE; IN_USE while another process holds a kernel lease on it
 * @throws the error of the call that was refused; ELOOP for a link that is refused
 */
export async function copyRegularFile(from: string, to: string, links: 'follow' | 'refuse'): Promise<Stats> {
  const refused = (): Failure => new Failure('NOT_A_FILE', `${from} is not a regular file`)
  const found = links === 'follow' ? statSync(onDisk(from)) : lstatSync(onDisk(from))
  if (!found.isFile() && !found.isSymbolicLink()) throw refused()
  const file = openWithoutWaiting(from, links === 'follow' ? 0 : constants.O_NOFOLLOW)
  try {
    const opened = fstatSync(file)
    if (!opened.isFile()) throw refused() // It got this name meanwhile.
    const source = hasDescriptorPaths() ? `/proc/self/fd/${file}` : onDisk(from)
    if (hasHoles(file)) await copySparse(file, to, opened.size)
    else {
      await copyFile(source, onDisk(to), constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
      chmodSync(onDisk(to), 0o600) // It has the mode of the original, which may be too open or too strict.
    }
    return opened
  } finally {
    closeSync(file)
  }
}

/** Holes of a sparse file stay holes. */
async function copySparse(from: number, to: string, bytes: number): Promise<void> {
  const copy = openSync(onDisk(to), 'wx', 0o600)
  try {
    await copyRangeSparsely(from, copy, { offset: 0, bytes }, never)
  } catch (error) {
    unlinkSync(onDisk(to))
    throw error
  } finally {
    closeSync(copy)
  }
}

const never = new AbortController().signal

function openWithoutWaiting(path: string, flags: number): number {
  try {
    return openSync(onDisk(path), constants.O_RDONLY | constants.O_NONBLOCK | flags)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
    throw new Failure('IN_USE', `another process holds a kernel lease on ${path}`, { cause: error })
  }
}
