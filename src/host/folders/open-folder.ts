/**
 * A folder by its descriptor. Calls through it act on this folder and its own entries, wherever its name leads by now.
 * Where another user may rename, a name is not reliable. Node has no openat and unlinkat; the kernel resolves
 * `/proc/self/fd/N/name` in the same way.
 */

import { Buffer } from 'node:buffer'
import {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  openSync,
  readdirSync,
  type BigIntStats,
} from 'node:fs'
import { join } from 'node:path'
import { onDisk } from '../files/file-name.ts'

export class OpenFolder implements Disposable {
  readonly number: number
  /** The path by which it was opened: only for messages, and for platforms without /proc. */
  readonly path: string

  private constructor(number: number, path: string) {
    this.number = number
    this.path = path
  }

  /**
   * Opens a folder that an operator or a configuration names, through links, to work on its entries.
   * @throws the error of open: ENOTDIR if it is no folder
   */
  static named(path: string): OpenFolder {
    const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NONBLOCK | pathOnly
    return new OpenFolder(openSync(onDisk(path), flags), path)
  }

  /** Opens a folder in this one. @throws ELOOP or ENOTDIR for a link, ENOTDIR for a file */
  below(name: string | Buffer): OpenFolder {
    const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW | constants.O_NONBLOCK
    return new OpenFolder(openSync(this.at(name), flags), join(this.path, name.toString()))
  }

  /** The path for a call on an entry of this folder. Calls that follow links follow a link of that name. */
  at(name: string): string
  at(name: string | Buffer): string | Buffer
  at(name: string | Buffer): string | Buffer {
    const folder = hasDescriptorPaths() ? `/proc/self/fd/${this.number}` : this.path
    return typeof name === 'string' ? `${folder}/${name}` : Buffer.concat([Buffer.from(`${folder}/`), name])
  }

  /** Byte for byte, because a hostile name need not be UTF-8. */
  names(): readonly Buffer[] {
    return readdirSync(this.at('.'), { encoding: 'buffer' })
  }

  stat(): BigIntStats {
    return fstatSync(this.number, { bigint: true })
  }

  /**
   * Makes the folder ours alone. A process that has not opened it or one of its files can do nothing there any more.
   * @throws EPERM if it belongs to another user and we are not root
   */
  takeOver(): void {
    const user = process.geteuid?.()
    if (user === undefined) return // This system has no owners.
    const { uid, gid, mode } = fstatSync(this.number)
    if (uid !== user) fchownSync(this.number, user, process.getegid?.() ?? gid)
    if ((mode & 0o7777) !== 0o700) fchmodSync(this.number, 0o700)
  }

  [Symbol.dispose](): void {
    closeSync(this.number)
  }
}

/** O_PATH, which Node does not name: names can be made in a folder that may not be listed. */
const pathOnly = process.platform === 'linux' ? 0o10000000 : 0

let descriptorPaths: boolean | null = null

/** False without /proc: then only folders that no other user can reach are safe. */
export function hasDescriptorPaths(): boolean {
  return (descriptorPaths ??= process.platform === 'linux' && existsSync('/proc/self/fd'))
}
