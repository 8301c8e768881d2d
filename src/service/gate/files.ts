/** The tenant's files as the operating system shows them to this process. Nothing here opens a database file. */
import { fstatSync, readdirSync } from 'node:fs'
import { realpath, stat } from 'node:fs/promises'
import type { GateFile } from './options.ts'

export const liveSetSuffixes = ['', '-wal', '-shm', '-journal'] as const

/** As the admin API names a file; `dev` and `ino` are decimal strings, for they exceed 2^53. */
export interface ClaimedFile {
  readonly path: string
  readonly dev: string
  readonly ino: string
  readonly size: number
  readonly journalMode: string
}

export const pathOf = (file: GateFile): string => (typeof file === 'string' ? file : file.path)

/** What to claim of the files, by stat alone: an open and close here would drop every POSIX lock that this process has on them. */
export async function claimFiles(files: readonly GateFile[]): Promise<ClaimedFile[]> {
  return Promise.all(files.map(async (file) => {
    const found = await stat(pathOf(file), { bigint: true })
    return {
      path: pathOf(file), dev: String(found.dev), ino: String(found.ino), size: Number(found.size),
      journalMode: typeof file === 'string' ? 'unknown' : file.journalMode,
    }
  }))
}

/**
 * Counts descriptors of this process on the files and on their -wal, -shm and -journal (I2.1: `close` said that there are none).
 * Linux only; null elsewhere. The tenant stands still meanwhile, so each descriptor is looked at in the quickest way there is:
 * fstat, 2 µs each, where reading its name takes 10 µs and a turn through the thread pool more.
 */
export async function countOpenHandles(paths: readonly string[]): Promise<number | null> {
  if (process.platform !== 'linux') return null
  const identities = await identitiesOf(paths)
  return readdirSync('/proc/self/fd').filter((entry) => identities.has(identityOf(Number(entry)))).length
}

async function identitiesOf(paths: readonly string[]): Promise<ReadonlySet<string | null>> {
  const parts = paths.flatMap((path) => liveSetSuffixes.map((suffix) => ({ path, suffix })))
  const found = await Promise.all(parts.map(async ({ path, suffix }) => {
    try {
      const { dev, ino } = await stat((await realpath(path)) + suffix, { bigint: true })
      return `${dev}:${ino}`
    } catch (error) {
      if (isMissing(error)) return null
      throw error
    }
  }))
  return new Set(found.filter((identity) => identity !== null))
}

const isMissing = (error: unknown): boolean => ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')

// The descriptor that listed the folder, or one closed by another thread, is gone by now.
function identityOf(descriptor: number): string | null {
  try {
    const { dev, ino } = fstatSync(descriptor, { bigint: true })
    return `${dev}:${ino}`
  } catch {
    return null
  }
}
