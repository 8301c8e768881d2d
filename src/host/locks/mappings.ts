/** Finds in /proc/PID/maps which of the files a process has mapped, also long after it closed the descriptor (I1.3). */
import { statSync } from 'node:fs'
import { deviceName } from '../files/file-system.ts'
import { readOfProcess } from '../process/read-of-process.ts'
import type { FileIdentity } from './file-identity.ts'
import { goneOrHidden } from './open-descriptors.ts'

/**
 * @param folder from `folderOf` (host/process/processes.ts). Empty for a process that is gone. `hidden`: we may not
 * inspect it. `stuck`: it does not answer, or there was no time.
 * @param which `storing`: only mappings through which the process may change the file
 * @param over resolves when there is no time left; left out: there is
 */
export async function mappingsOf(
  folder: string,
  files: readonly FileIdentity[],
  which: 'all' | 'storing' = 'all',
  over?: Promise<unknown>,
): Promise<readonly FileIdentity[] | 'hidden' | 'stuck'> {
  try {
    const text = await readOfProcess(`${folder}/maps`, over)
    if (text === null) return 'stuck'
    const all = parseMaps(text)
    const mappings = which === 'all' ? all : all.filter(({ stores }) => stores)
    return files.filter((file) => mappings.some((mapping) => isMappingOf(folder, mapping, file)))
  } catch (error) {
    const why = goneOrHidden(error)
    if (why === null) throw error
    return why === 'hidden' ? 'hidden' : []
  }
}

export interface Mapping {
  /** Start and end, hexadecimal, as the kernel prints them. */
  readonly addresses: string
  /** True if a store into it changes the file: it is shared and writable. */
  readonly stores: boolean
  /** `major:minor`, decimal. */
  readonly device: string
  readonly ino: bigint
  readonly path: string
}

/**
 * Parses /proc/pid/maps (proc(5)). Memory without a file is left out. Only a line feed ends a line: the name of a file
 * may have other characters that end lines elsewhere. Pure.
 */
export function parseMaps(text: string): readonly Mapping[] {
  return text.split('\n').flatMap((line) => {
    const found = mappingLine.exec(line)
    if (found === null) return []
    const [, addresses = '', permissions = '', major = '', minor = '', ino = '', path = ''] = found
    const device = `${Number.parseInt(major, 16)}:${Number.parseInt(minor, 16)}`
    return [{ addresses, stores: /^.w.s/.test(permissions), device, ino: BigInt(ino), path }]
  })
}

const mappingLine = /^([\da-f]+-[\da-f]+) (\S+) [\da-f]+ ([\da-f]+):([\da-f]+) (\d+)\s+(\/.*)$/s

/**
 * On btrfs and overlay, the device here differs from that of stat. There the inode number must match together with the
 * path, or with the target of the mapping itself if we may follow it.
 */
function isMappingOf(folder: string, mapping: Mapping, file: FileIdentity): boolean {
  const sameInode = mapping.ino === file.ino
  if (sameInode && mapping.device === deviceName(file.dev)) return true
  const printed = file.path.replaceAll('\n', '\\012') // The only character that the kernel escapes there.
  const samePath = mapping.path === printed || mapping.path === `${printed} (deleted)`
  if (sameInode && samePath) return true
  return (sameInode || samePath) && leadsTo(folder, mapping, file)
}

function leadsTo(folder: string, { addresses }: Mapping, file: FileIdentity): boolean {
  try {
    const found = statSync(`${folder}/map_files/${addresses}`, { bigint: true })
    return found.dev === file.dev && found.ino === file.ino
  } catch (error) {
    if (goneOrHidden(error) !== null) return false
    throw error
  }
}
