/** Inspects a name that an operator typed, without opening it. */
import { lstat, realpath, stat } from 'node:fs/promises'
import { isNotFound } from '../failures/system-failure.ts'
import { nameOf, onDisk } from './file-name.ts'

/** True if a file, a folder or a link has this name, also if permissions hide it. */
export const isThere = (named: string): Promise<boolean> =>
  lstat(onDisk(named)).then(
    () => true,
    (error: unknown) => !isNotFound(error),
  )

/**
 * True if the name leads to a folder. A name that cannot be inspected counts as a file; opening it then reports why.
 */
export const isFolder = (named: string): Promise<boolean> =>
  stat(onDisk(named)).then(
    (found) => found.isDirectory(),
    () => false,
  )

/** The file's own name with all links resolved; null if it leads nowhere, or to a place that we may not inspect. */
export const realPathOf = (named: string): Promise<string | null> =>
  realpath(onDisk(named), 'buffer').then(nameOf, () => null)

/**
 * The file that a name leads to, by device and inode; null if it leads nowhere, or to a place that we may not inspect.
 */
export const identityOf = (named: string): Promise<string | null> =>
  stat(onDisk(named), { bigint: true }).then(
    ({ dev, ino }) => `${dev} ${ino}`,
    () => null,
  )

/** True if both names lead to the same file. False if one cannot be inspected. */
export async function isSameFile(a: string, b: string): Promise<boolean> {
  const [first, second] = await Promise.all(
    [a, b].map((name) => stat(onDisk(name), { bigint: true }).catch(() => null)),
  )
  return first !== null && second !== null && first?.dev === second?.dev && first?.ino === second?.ino
}
