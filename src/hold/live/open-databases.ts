/**
 * `init`: the databases that running programs have open. /proc names the files; of those that may be databases the
 * first 100 bytes are read. That harms no program:
 *
 * - A file with a kernel lease is not opened, because that would break the lease. Nor is one on a file system where a
 *   call may hang.
 * - Nothing is locked, and this process has no SQLite. So closing a file drops no lock (hold/README.md F1).
 */
import { fstatSync, readSync } from 'node:fs'
import { basename } from 'node:path'
import { inWords, isSystemError, nameOfError } from '../../host/failures/system-failure.ts'
import { openDescriptor } from '../../host/files/descriptor.ts'
import { findLeaseHolders } from '../../host/locks/open-file-table.ts'
import { isStillOpen, listOpenFiles, type ProgramFile } from '../../host/programs/open-files.ts'
import { programFactsOf, type ProgramFacts } from '../../host/programs/program-facts.ts'
import { isChangeName } from '../../model/companion-names.ts'
import { Failure } from '../../model/failure.ts'
import { readHeader } from '../../sqlite/header.ts'
import { namesDatabase } from './find-databases.ts'
import { ProgramPaths, statOf } from './program-paths.ts'

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
  const paths = await ProgramPaths.open()
  const unusable = new Map<string, string>()
  const byFile = new Map<string, { readonly file: FoundFile; readonly pids: Set<number> }>()
  for (const open of files.slice(0, candidatesMax)) {
    signal.throwIfAborted()
    const found = await locate(open, paths)
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
        programs: await Promise.all([...pids].toSorted((a, b) => a - b).map(programFactsOf)),
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
  open: ProgramFile,
  paths: ProgramPaths,
): Promise<FoundFile | { readonly path: string; readonly why: string } | null> {
  const part = companion.exec(open.path)?.[0] ?? ''
  const isNamed = part !== '' || namesDatabase(open.path)
  const here = await paths.find(open)
  // A journal comes and goes with each transaction.
  if ('why' in here) return isNamed && isStillOpen(open) ? { path: mainOf(open.path, part), why: here.why } : null
  const main = mainOf(here.path, part)
  if (isChangeName(basename(main))) return null
  const found = statOf(main, 'stay')
  if (found === null || !found.isFile()) return null
  return { path: main, dev: found.dev, ino: found.ino, bytes: Number(found.size), isNamed }
}

const mainOf = (path: string, part: string): string => path.slice(0, path.length - part.length)

const sizeOf = (path: string): number => Number(statOf(path, 'stay')?.size ?? 0n)

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
    const now = fstatSync(file.number, { bigint: true })
    if (now.ino !== ino || now.dev !== dev) return null // Another file has its name by now.
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
