/** Where the snapshots of bare files go: each run has a private folder of its own, which its end deletes. */
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { canReflink } from '../host/copying.ts'
import { openDescriptor } from '../host/descriptor.ts'
import { isMarkAlive, ownMark } from '../host/processes.ts'
import { requirePrivateFolder } from './draft.ts'
import { failureOfFolder } from './folder-failure.ts'

export interface SnapshotFolder extends AsyncDisposable {
  readonly path: string
}

const prefix = 'holdfast-'
const ownerFile = 'owner'

/**
 * @param given folder from the command line; null: under TMPDIR, or beside the file where that shares blocks with it
 * @param file a database that will be copied first
 */
export async function openSnapshotFolder(given: string | null, file: string | null): Promise<SnapshotFolder> {
  if (given !== null) await requirePrivateFolder(given)
  const parent = given ?? (file !== null && (await reflinksBeside(file)) ? dirname(file) : tmpdir())
  await clearAbandoned(parent)
  const path = await mkdtemp(join(parent, prefix)).catch((error: unknown) => {
    throw failureOfFolder(parent, error)
  })
  await writeFile(join(path, ownerFile), ownMark(), { mode: 0o600 })
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

/** Beside the file only where that saves the copy, and TMPDIR does not: a stranger's folder is not ours to fill. */
async function reflinksBeside(file: string): Promise<boolean> {
  try {
    if (!file.isWellFormed() || !(await stat(file)).isFile()) return false // A name that is not UTF-8 is no place for a folder of ours.
    using source = openDescriptor(file, 'read-only')
    return !(await canReflink(source.number, tmpdir())) && (await canReflink(source.number, dirname(file)))
  } catch {
    return false // Whatever is wrong with the file, the hold will say it; here it only means: TMPDIR.
  }
}

/** Deletes the folders of runs that were killed, by the mark that they left in it. Where there is no /proc it says no start time, and nobody can tell. */
async function clearAbandoned(parent: string): Promise<void> {
  for (const name of await readdir(parent).catch(() => [])) {
    if (!name.startsWith(prefix)) continue
    const folder = join(parent, name)
    const mark = await readFile(join(folder, ownerFile), 'utf8').catch(() => '')
    if (/^\d+-\d+$/.test(mark) && !isMarkAlive(mark)) await rm(folder, { recursive: true, force: true }).catch(() => undefined)
  }
}
