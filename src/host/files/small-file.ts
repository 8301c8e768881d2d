/** Reads a small file whose name another user may control. It never waits, and opens only regular files. */
import { constants } from 'node:fs'
import { lstat, open, stat } from 'node:fs/promises'

export type SmallFile =
  | { readonly kind: 'read'; readonly bytes: Buffer; readonly mode: number }
  | { readonly kind: 'not-regular' }
  | { readonly kind: 'too-large'; readonly size: number }

/**
 * Reads a whole file. It neither waits for nor opens a FIFO or a device, because opening some of them has effects.
 * @param links whether the name may be a symbolic link
 * @throws the error of stat, open or read; ELOOP for a link that is refused
 */
export async function readSmallFile(
  path: string | Buffer,
  bytesMax: number,
  links: 'follow' | 'refuse',
): Promise<SmallFile> {
  const found = await (links === 'follow' ? stat(path) : lstat(path))
  if (!found.isFile() && !found.isSymbolicLink()) return { kind: 'not-regular' }
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | (links === 'follow' ? 0 : constants.O_NOFOLLOW)
  await using handle = await open(path, flags)
  const opened = await handle.stat() // Another file may have got the name meanwhile.
  if (!opened.isFile()) return { kind: 'not-regular' }
  if (opened.size > bytesMax) return { kind: 'too-large', size: opened.size }
  const bytes = Buffer.alloc(bytesMax + 1)
  let filled = 0
  while (filled < bytes.length) {
    const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  if (filled > bytesMax) return { kind: 'too-large', size: filled }
  return { kind: 'read', bytes: bytes.subarray(0, filled), mode: opened.mode }
}
