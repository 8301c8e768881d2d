/**
 * `init`: the databases that running programs have open. /proc names the files; of those that may be databases the
 * first 100 bytes are read. That harms no program:
 *
 * - A file with a kernel lease is not opened, because that would break the lease. Nor is one on a file system where a
 *   call may hang.
 * - Nothing is locked, and this process has no SQLite. So closing a file drops no lock (hold/README.md F1).
 */
import { lstatSync, readSync, statSync, type BigIntStats } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { inWords, isSystemError, nameOfError } from '../../host/failures/system-failure.ts'
import { openDescriptor } from '../../host/files/descriptor.ts'
import { onDisk } from '../../host/files/file-name.ts'
import { mountOf, parseMountInfo, type Mount } from '../../host/files/file-system.ts'
import { findLeaseHolders } from '../../host/locks/open-file-table.ts'
import { listOpenFiles, type ProgramFile } from '../../host/programs/open-files.ts'
import { programFactsOf, type ProgramFacts } from '../../host/programs/program-facts.ts'
import { Failure } from '../../model/failure.ts'
import { isOfChange } from '../../model/names-beside.ts'
import { readHeader } from '../../sqlite/header.ts'
import { isTrusted } from '../preflight.ts'
import { namesDatabase } from './find-databases.ts'

export interface OpenDatabase {
  readonly path: string
  readonly bytes: number
  readonly walBytes: number
  readonly journalMode: 'wal' | 'rollback journal'
  readonly programs: readonly ProgramFacts[]
}

export interface OpenDatabases {
  /** By path. */
  readonly databases: readonly OpenDatabase[]
  /** Files that are probably databases, and that cannot be checked here, with the reason. */
  readonly unusable: readonly { readonly path: string; readonly why: string }[]
  /** What could not be inspected, in plain words. */
  readonly unseen: readonly string[]
}

const companion = /-(?:wal|shm|journal)$/
const candidatesMax = 50_000

/** @throws {Failure} PLATFORM_UNSUPPORTED; the reason of the signal */
export async function findOpenDatabases(signal: AbortSignal): Promise<OpenDatabases> {
  const { files, unseen } = await listOpenFiles(
    (path, mayWrite) => mayWrite || companion.test(path) || namesDatabase(path),
    signal,
  )
  const mounts = parseMountInfo(await readFile('/proc/self/mountinfo', 'utf8'))
  const unusable = new Map<string, string>()
  const byFile = new Map<string, { readonly file: FoundFile; readonly pids: Set<number> }>()
  for (const open of files.slice(0, candidatesMax)) {
    signal.throwIfAborted()
    const found = await locate(open, mounts)
    if (found === null) continue
    if ('why' in found) {
      unusable.set(found.path, found.why)
      continue
    }
    const key = `${found.dev} ${found.ino}`
    const known = byFile.get(key) ?? { file: found, pids: new Set() }
    byFile.set(key, { ...known, pids: known.pids.add(open.pid) })
  }
  const leased = new Set((await findLeaseHolders([...byFile.values()].map(({ file }) => file))).map(({ path }) => path))
  const databases: OpenDatabase[] = []
  for (const { file, pids } of byFile.values()) {
    const read = leased.has(file.path) ? { why: leaseIsHeld } : readJournalMode(file)
    if (read === null) continue
    if ('why' in read) {
      if (file.isNamed) unusable.set(file.path, read.why)
    } else {
      databases.push({
        path: file.path,
        bytes: file.bytes,
        walBytes: sizeOf(`${file.path}-wal`),
        journalMode: read.mode,
        programs: [...pids].toSorted((a, b) => a - b).map(programFactsOf),
      })
    }
  }
  return {
    databases: databases.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
    unusable: [...unusable].map(([path, why]) => ({ path, why })).toSorted((a, b) => (a.path < b.path ? -1 : 1)),
    unseen: files.length > candidatesMax ? [...unseen, `files beyond the first ${candidatesMax}`] : unseen,
  }
}

/** A main file, under its path here. */
interface FoundFile {
  readonly path: string
  readonly dev: bigint
  readonly ino: bigint
  readonly bytes: number
  /** False if only its bytes can say that it is a database. */
  readonly isNamed: boolean
}

/** @returns null for what is no database, or gone by now */
async function locate(
  { pid, path: seen, link }: ProgramFile,
  mounts: readonly Mount[],
): Promise<FoundFile | { readonly path: string; readonly why: string } | null> {
  const part = companion.exec(seen)?.[0] ?? ''
  const isNamed = part !== '' || namesDatabase(seen)
  const path = (await pathHere(seen, link, pid, mounts)) ?? null
  if (path === null) {
    const why = 'its program runs in a container, or behind another mount: find its path here, and name that'
    return isNamed ? { path: mainOf(seen, part), why } : null
  }
  const main = mainOf(path, part)
  const name = main.slice(main.lastIndexOf('/') + 1)
  if (isOfChange(name)) return null
  const mount = mountOf(main, '', mounts)
  if (!isTrusted(mount, []))
    return isNamed ? { path: main, why: `it lies on ${mount.type}, where locks are not known to work` } : null
  const found = statOf(main)
  if (found === null || !found.isFile()) return null
  return { path: main, dev: found.dev, ino: found.ino, bytes: Number(found.size), isNamed }
}

const mainOf = (path: string, part: string): string => path.slice(0, path.length - part.length)

/**
 * A program in a container names its files as it sees them. If the folder is mounted from here, its path here is found.
 * @returns null if it is not
 */
async function pathHere(seen: string, link: string, pid: number, mounts: readonly Mount[]): Promise<string | null> {
  if (!isTrusted(mountOf(seen, '', mounts), [])) return seen // Not looked at: a call there may hang.
  const file = statOf(link, true)
  if (file === null) return null
  const isFile = (path: string): boolean => {
    if (!isTrusted(mountOf(path, '', mounts), [])) return false
    const here = statOf(path)
    return here?.ino === file.ino && here.dev === file.dev
  }
  if (isFile(seen)) return seen
  const theirs = await readFile(`/proc/${pid}/mountinfo`, 'utf8').then(parseMountInfo, () => [])
  if (theirs.length === 0) return null
  const { device, root, mountPoint } = mountOf(seen, '', theirs)
  const inFileSystem = join(root, relative(mountPoint, seen))
  const paths = mounts
    .filter((mount) => mount.device === device && isBelow(inFileSystem, mount.root))
    .map((mount) => join(mount.mountPoint, relative(mount.root, inFileSystem)))
  return paths.find(isFile) ?? null
}

const isBelow = (path: string, folder: string): boolean =>
  folder === '/' || path === folder || path.startsWith(`${folder}/`)

/** null for nothing, and for what may not be seen. @param follows a link in /proc leads to its file */
function statOf(path: string, follows = false): BigIntStats | null {
  try {
    const exact = { bigint: true, throwIfNoEntry: false } as const
    return (follows ? statSync(onDisk(path), exact) : lstatSync(onDisk(path), exact)) ?? null
  } catch {
    return null
  }
}

const sizeOf = (path: string): number => Number(statOf(path)?.size ?? 0n)

const headerBytes = 100

const leaseIsHeld = 'a program holds a kernel lease on it, so it was not opened'

/** @returns null if the file is no database, or gone by now; `why`: it was not read */
function readJournalMode({
  path,
  ino,
  dev,
}: FoundFile): { readonly mode: OpenDatabase['journalMode'] } | { readonly why: string } | null {
  try {
    using file = openDescriptor(path, 'read-only')
    const now = statOf(`/proc/self/fd/${file.number}`, true)
    if (now?.ino !== ino || now.dev !== dev) return null // Another file has its name by now.
    const buffer = Buffer.alloc(headerBytes)
    const header = readHeader(buffer.subarray(0, readSync(file.number, buffer, 0, headerBytes, 0)))
    if (header.kind !== 'header' && header.kind !== 'wrong') return null
    return { mode: header.header?.writeVersion === 2 ? 'wal' : 'rollback journal' }
  } catch (error) {
    if (error instanceof Failure) return null // It is no regular file any more.
    if (!isSystemError(error)) throw error
    const name = nameOfError(error)
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(name)) return null
    return { why: name === 'EAGAIN' ? leaseIsHeld : `it cannot be read: ${inWords(error)}` }
  }
}
