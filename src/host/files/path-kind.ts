/** What stands under a name that somebody typed, without opening it. */
import { lstat, realpath, stat } from 'node:fs/promises'
import { nameOf, onDisk } from './file-name.ts'

/** Is there a file, a folder or a link of this name? What must not be looked at is there. */
export const isThere = (named: string): Promise<boolean> =>
  lstat(onDisk(named)).then(
    () => true,
    (error: unknown) => !['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? ''),
  )

/**
 * Does the name lead to a folder? What cannot be looked at is taken for a file: then its own trouble will be said of
 * it.
 */
export const isFolder = (named: string): Promise<boolean> =>
  stat(onDisk(named)).then(
    (found) => found.isDirectory(),
    () => false,
  )

/**
 * The name of the file itself, with every link resolved; null for a name that leads nowhere, or to where we may not
 * look.
 */
export const realPathOf = (named: string): Promise<string | null> =>
  realpath(onDisk(named), 'buffer').then(nameOf, () => null)

/** Which file a name leads to, by device and inode; null for a name that leads nowhere, or to where we may not look. */
export const identityOf = (named: string): Promise<string | null> =>
  stat(onDisk(named), { bigint: true }).then(
    ({ dev, ino }) => `${dev} ${ino}`,
    () => null,
  )

/** Do both names lead to one file, whatever they are? Of what cannot be looked at nobody knows: then they do not. */
export async function isSameFile(a: string, b: string): Promise<boolean> {
  const [first, second] = await Promise.all(
    [a, b].map((name) => stat(onDisk(name), { bigint: true }).catch(() => null)),
  )
  return first !== null && second !== null && first?.dev === second?.dev && first?.ino === second?.ino
}
