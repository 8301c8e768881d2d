/** Exchanges two names of one folder in one step of the kernel (renameat2). */
import type { OpenFolder } from '../folders/open-folder.ts'
import { callByNumber, SystemCallError } from '../libc.ts'
import { onDisk } from './file-name.ts'

const renameat2 = { x64: 316, arm64: 276 } as const
const RENAME_EXCHANGE = 2

/**
 * @returns false if this kernel or file system cannot exchange names; nothing has changed then
 * @throws {SystemCallError} ENOENT if one of the names leads nowhere; EBUSY if one is a mount point
 */
export function exchangeNames(folder: OpenFolder, one: string, other: string): boolean {
  try {
    const [first, second] = [textOf(one), textOf(other)]
    callByNumber('renameat2', renameat2, folder.number, first, folder.number, second, RENAME_EXCHANGE)
    return true
  } catch (error) {
    if (error instanceof SystemCallError && ['EINVAL', 'ENOSYS'].includes(error.code)) return false
    throw error
  }
}

const textOf = (name: string): Buffer => Buffer.concat([Buffer.from(onDisk(name)), Buffer.alloc(1)])
