/** Finds in /proc/PID/fd and fdinfo which of the files a process has open, and how. */
import { constants, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import type { HolderMode } from '../../model/result/evidence.ts'
import type { EventLoopYielder } from '../clock.ts'
import type { FileIdentity } from './file-identity.ts'

export interface OpenDescriptor {
  readonly file: FileIdentity
  readonly modes: readonly HolderMode[]
}

/**
 * @param folder from `folderOf` (host/process/processes.ts). Empty for a process that is gone. `hidden`: we may not
 * inspect it.
 */
export async function descriptorsOf(
  folder: string,
  files: readonly FileIdentity[],
  yielder: EventLoopYielder,
  until: AbortSignal | null,
): Promise<readonly OpenDescriptor[] | 'hidden'> {
  const found: OpenDescriptor[] = []
  for (const number of numbersOf(folder)) {
    if (number === 'hidden') return 'hidden'
    if (until?.aborted) break
    const descriptor = look(folder, number, files)
    if (descriptor) found.push(descriptor)
    await yielder.take() // One process may have a hundred thousand.
  }
  return found
}

function numbersOf(folder: string): readonly string[] {
  try {
    return readdirSync(`${folder}/fd`)
  } catch (error) {
    const why = goneOrHidden(error)
    if (why === null) throw error
    return why === 'hidden' ? ['hidden'] : []
  }
}

/**
 * Reads the link first, because it shows what is no file. Then it reads the inode number of fdinfo, and calls stat only
 * on a match. A stat on every file of every process would hang at the first dead network mount.
 */
function look(folder: string, number: string, files: readonly FileIdentity[]): OpenDescriptor | null {
  const link = `${folder}/fd/${number}`
  try {
    const target = readlinkSync(link)
    if (!target.startsWith('/') || (target.startsWith('/dev/') && !files.some(({ path }) => path.startsWith('/dev/'))))
      return null
    const info = readFileSync(`${folder}/fdinfo/${number}`, 'latin1')
    const ino = /^ino:\s*(\d+)$/m.exec(info)?.[1] // Since Linux 5.14.
    const likely = ino === undefined || files.some((file) => file.ino === BigInt(ino) || isNameOf(target, file.path))
    if (!likely) return null
    const found = statSync(link, { bigint: true })
    const file = files.find(({ dev, ino }) => dev === found.dev && ino === found.ino)
    return file ? { file, modes: modesOf(info) } : null
  } catch (error) {
    if (goneOrHidden(error) !== null) return null
    throw error
  }
}

/** If the name of a file is gone, the link keeps it with a remark. */
function isNameOf(target: string, path: string): boolean {
  return target === path || target === `${path} (deleted)`
}

/** Pure. @param info text of /proc/PID/fdinfo/N */
export function modesOf(info: string): readonly HolderMode[] {
  const flags = Number.parseInt(/^flags:\s*([0-7]+)$/m.exec(info)?.[1] ?? '0', 8)
  const modes: HolderMode[] = []
  const access = flags & (constants.O_WRONLY | constants.O_RDWR)
  if (access !== constants.O_WRONLY) modes.push('read')
  if (access !== constants.O_RDONLY) modes.push('write')
  if (/^lock:\s*\d+: (?:POSIX|OFDLCK|FLOCK)\b/m.test(info)) modes.push('lock')
  if (/^lock:\s*\d+: LEASE\b/m.test(info)) modes.push('lease')
  return modes
}

/** null for another kind of error. */
export function goneOrHidden(error: unknown): 'gone' | 'hidden' | null {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ENOENT' || code === 'ESRCH') return 'gone'
  return code === 'EACCES' || code === 'EPERM' ? 'hidden' : null
}
