/** Which files running programs have open or mapped, as far as /proc shows them. No file is opened. */
import { constants, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { EventLoopYielder } from '../clock.ts'
import { nameOf } from '../files/file-name.ts'
import { parseMaps } from '../locks/mappings.ts'
import { goneOrHidden } from '../locks/open-descriptors.ts'
import { unseenProcesses } from '../locks/open-file-table.ts'
import { requireLinux } from '../platform.ts'
import { folderOf } from '../process/processes.ts'

export interface ProgramFile {
  readonly pid: number
  /** As the program sees it: in another mount namespace it may lead to another file here, or nowhere. */
  readonly path: string
  /** A path in /proc that leads to the file itself. */
  readonly link: string
  readonly mayWrite: boolean
}

/** Files beyond so many are not looked at. */
const filesMax = 500_000

/**
 * @param isWanted for the path of a file, and whether its program may write it
 * @returns `unseen`: what could not be inspected, in plain words
 * @throws {Failure} PLATFORM_UNSUPPORTED
 */
export async function listOpenFiles(
  isWanted: (path: string, mayWrite: boolean) => boolean,
  signal: AbortSignal,
): Promise<{ readonly files: readonly ProgramFile[]; readonly unseen: readonly string[] }> {
  requireLinux()
  const files: ProgramFile[] = []
  const hidden: number[] = []
  const yielder = new EventLoopYielder()
  let seen = 0
  for (const pid of pidsOfOthers()) {
    const folder = folderOf(pid)
    if (folder === null) continue
    const numbers = descriptorsIn(folder)
    if (numbers === 'hidden') {
      hidden.push(pid)
      continue
    }
    for (const number of numbers) {
      signal.throwIfAborted()
      const file = seen++ < filesMax ? openFileOf(pid, folder, number) : null
      if (file !== null && isWanted(file.path, file.mayWrite)) files.push(file)
      await yielder.take()
    }
    files.push(...(await mappedFilesOf(pid, folder)).filter(({ path, mayWrite }) => isWanted(path, mayWrite)))
  }
  const tooMany = seen > filesMax ? [`open files beyond the first ${filesMax}`] : []
  return { files, unseen: [...(await unseenProcesses(hidden, false)), ...tooMany] }
}

const pidsOfOthers = (): readonly number[] =>
  readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid > 0 && pid !== process.pid)

function descriptorsIn(folder: string): readonly string[] | 'hidden' {
  try {
    return readdirSync(`${folder}/fd`)
  } catch (error) {
    const why = goneOrHidden(error)
    if (why === null) throw error
    return why === 'hidden' ? 'hidden' : []
  }
}

/** null for what is no file, and for one whose name is gone. */
function openFileOf(pid: number, folder: string, number: string): ProgramFile | null {
  const link = `${folder}/fd/${number}`
  try {
    const path = nameOf(readlinkSync(link, 'buffer'))
    if (!isPathOfFile(path)) return null
    const info = readFileSync(`${folder}/fdinfo/${number}`, 'latin1')
    const flags = Number.parseInt(/^flags:\s*([0-7]+)$/m.exec(info)?.[1] ?? '0', 8)
    return { pid, path, link, mayWrite: (flags & constants.O_RDWR) !== 0 }
  } catch (error) {
    if (goneOrHidden(error) !== null) return null
    throw error
  }
}

/** False if its program has closed or removed the file since it was listed: the link is gone, or leads elsewhere. */
export function isStillOpen({ path, link }: ProgramFile): boolean {
  try {
    return nameOf(readlinkSync(link, 'buffer')) === path
  } catch (error) {
    const why = goneOrHidden(error)
    if (why === null) throw error
    return why === 'hidden'
  }
}

const isPathOfFile = (path: string): boolean =>
  /^\/(?!dev\/|proc\/|sys\/|memfd:)/.test(path) && !path.endsWith(' (deleted)')

/** A program may have closed what it has mapped. Empty if we may not see it. */
async function mappedFilesOf(pid: number, folder: string): Promise<readonly ProgramFile[]> {
  try {
    const maps = parseMaps(await readFile(`${folder}/maps`, 'latin1'))
    const links = new Map(maps.map(({ path, addresses }) => [path, `${folder}/map_files/${addresses}`]))
    return [...links]
      .map(([printed, link]) => ({ pid, path: pathOfMapping(printed, link), link, mayWrite: false }))
      .filter(({ path }) => isPathOfFile(path))
  } catch (error) {
    if (goneOrHidden(error) !== null) return []
    throw error
  }
}

/**
 * The kernel prints a line feed in a path as `\012`, and nothing else so. Root may read the link, which has the path.
 * @param printed one character for each byte
 */
function pathOfMapping(printed: string, link: string): string {
  const path = Buffer.from(printed.replaceAll('\\012', '\n'), 'latin1')
  if (!printed.includes('\\012')) return nameOf(path)
  try {
    return nameOf(readlinkSync(link, 'buffer'))
  } catch (error) {
    if (goneOrHidden(error) === null) throw error
    return nameOf(path)
  }
}
