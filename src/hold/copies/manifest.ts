/**
 * A pulled snapshot: a folder with the live set as it was copied, and a manifest that says what it is. `check
 * --snapshot` recognises it elsewhere by the digests. A copy that was altered on its way loses its evidence.
 */
import { fstatSync } from 'node:fs'
import { lstat, readdir, open, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { copyRegularFile } from '../../host/files/copy-file.ts'
import { openDescriptor } from '../../host/files/descriptor.ts'
import { digestOf } from '../../host/files/digest.ts'
import { syncFolder } from '../../host/files/durable.ts'
import { nameOf, onDisk } from '../../host/files/file-name.ts'
import { realPathOf } from '../../host/files/path-kind.ts'
import { readSmallFile } from '../../host/files/small-file.ts'
import { removeFolders, tryFolder } from '../../host/folders/folder.ts'
import { tenantId, type TenantId } from '../../model/brand.ts'
import { Failure } from '../../model/failure.ts'
import { liveSetParts, type Evidence } from '../../model/result/evidence.ts'
import { failureOfPath } from '../live/path-failure.ts'
import type { Snapshot } from '../snapshot/draft.ts'
import { failureOfFolder } from '../snapshot/folder-failure.ts'
import { makeTrustedFolder, requireTrustedFolder } from '../snapshot/private-folder.ts'
import { requireNoCompanions } from './new-database.ts'

const manifestName = 'manifest.json'

export interface Manifest {
  readonly schema: 'holdfast.snapshot/1'
  readonly tenant: TenantId | null
  /** Where the live set was. */
  readonly path: string
  readonly takenAt: string
  readonly tool: { readonly version: string }
  readonly files: readonly { readonly name: string; readonly bytes: number; readonly sha256: string }[]
  readonly evidence: Evidence
}

/**
 * Copies a snapshot with its manifest into a new folder, durably. If that fails, nothing of it is left. The manifest,
 * which says that all is there, is written last and deleted first.
 * @param database name of the database file in the folder
 * @throws {Failure} USAGE if a file of such a name, or a WAL or journal for it, is there; SNAPSHOT_UNSAFE; see
 *   `failureOfFolder`
 */
export async function writePulled(
  snapshot: Pick<Snapshot, 'path' | 'files'>,
  folder: string,
  database: string,
  about: Omit<Manifest, 'schema' | 'files'>,
): Promise<string> {
  const files = snapshot.files.map(({ part, bytes, sha256 }) => ({ name: database + part, bytes, sha256 }))
  const manifest: Manifest = { schema: 'holdfast.snapshot/1', ...about, files }
  const written: string[] = []
  let made: readonly string[] = []
  try {
    made = await makeTrustedFolder(folder)
    requireNoCompanions(join(folder, database)) // They may have come while the tenant was held.
    for (const { part } of snapshot.files)
      await copyDurably(snapshot.path + part, join(folder, database + part), written)
    await writeDurably(join(folder, manifestName), `${JSON.stringify(manifest, null, 2)}\n`, written)
    await syncFolder(folder)
  } catch (error) {
    // If the disk refuses this too, the first error is reported: the cause is the same.
    for (const path of written.toReversed()) await unlink(onDisk(path)).catch(() => undefined)
    await removeFolders(made).catch(() => undefined)
    throw failureOfCopy(folder, error)
  }
  return join(folder, database)
}

/**
 * Refuses a folder before a tenant is held for it. Leaves no folder behind.
 * @throws {Failure} USAGE if the folder has something in it or is none, SNAPSHOT_UNSAFE; see `failureOfFolder`
 */
export async function requireEmptyFolder(folder: string): Promise<void> {
  requireTrustedFolder(folder, 'folder')
  const names = await readdir(folder).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw failureOfFolder(folder, error)
  })
  if (names.length > 0)
    throw new Failure('USAGE', `${folder} has something in it already; nothing is overwritten`, {
      hint: 'name a new folder',
    })
  await tryFolder(folder, 0o700).catch((error: unknown) => {
    throw failureOfFolder(folder, error)
  })
}

/** @param written receives the name of the copy when there is one */
async function copyDurably(from: string, to: string, written: string[]): Promise<void> {
  await copyRegularFile(from, to, 'refuse') // If it fails, it leaves nothing.
  written.push(to)
  await using file = await open(onDisk(to), 'r+')
  await file.chmod(0o600)
  await file.sync()
}

async function writeDurably(path: string, text: string, written: string[]): Promise<void> {
  await using file = await open(onDisk(path), 'wx', 0o600)
  written.push(path)
  await file.writeFile(text)
  await file.sync()
}

function failureOfCopy(folder: string, error: unknown): unknown {
  const { code, dest, path } = error as NodeJS.ErrnoException & { readonly dest?: string }
  if (code === 'EEXIST')
    return new Failure('USAGE', `${dest ?? path ?? folder} exists already; nothing is overwritten`, {
      hint: 'name a new folder',
      cause: error,
    })
  return failureOfFolder(folder, error)
}

/**
 * The folder for a database of a tenant. A folder has one manifest, so each database after the first gets a folder
 * below that of the first.
 * @param nth counted from 1
 */
export const folderOfPulled = (folder: string, nth: number, database: string): string =>
  nth === 1 ? folder : join(folder, `${nth}-${database}`)

/** The database files that a manifest in this folder names, without their companions. */
export async function namedInManifest(folder: string): Promise<ReadonlySet<string>> {
  const names = (await readManifest(join(folder, manifestName)))?.files.map(({ name }) => name) ?? []
  return new Set(
    names.filter((name) => !names.some((main) => liveSetParts.slice(1).some((part) => name === main + part))),
  )
}

/**
 * The databases that `pull` put into folders below this one, in its order.
 * @throws {Failure} NO_PERMISSION if the folder cannot be read
 */
export async function findPulledBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(onDisk(folder), { withFileTypes: true, encoding: 'buffer' }).catch((error: unknown) => {
    throw failureOfPath(folder, error)
  })
  const pulled: { readonly nth: number; readonly path: string }[] = []
  for (const entry of entries) {
    const name = nameOf(entry.name)
    const [, nth, database] = /^(\d+)-(.+)$/s.exec(name) ?? []
    if (!entry.isDirectory() || nth === undefined || database === undefined) continue
    const path = join(folder, name, database)
    if ((await isThere(join(folder, name, manifestName))) && (await isThere(path)))
      pulled.push({ nth: Number(nth), path })
  }
  return pulled.sort((a, b) => a.nth - b.nth).map(({ path }) => path)
}

/**
 * The manifest beside a pulled snapshot. Symbolic links to the snapshot are resolved.
 * @returns null if there is no manifest, if a file is not what it says, or if a journal or WAL was added since
 */
export async function recognise(given: string): Promise<Manifest | null> {
  const named = await realPathOf(given)
  if (named === null) return null
  const folder = dirname(named)
  const manifest = await readManifest(join(folder, manifestName))
  const listed = new Set(manifest?.files.map(({ name }) => name))
  if (!manifest || !listed.has(basename(named))) return null
  for (const part of ['-wal', '-journal'])
    if (!listed.has(basename(named) + part) && (await isThere(named + part))) return null
  for (const { name, bytes, sha256 } of manifest.files)
    if ((await digestOfPath(join(folder, basename(name)), bytes)) !== sha256) return null
  return manifest
}

async function readManifest(path: string): Promise<Manifest | null> {
  try {
    const file = await readSmallFile(onDisk(path), manifestBytesMax, 'refuse')
    if (file.kind !== 'read') return null
    const { manifestShape } = await import('./manifest-shape.ts') // Loads its library only if there is a manifest.
    const manifest = manifestShape.safeParse(JSON.parse(file.bytes.toString('utf8')))
    return manifest.success
      ? { ...manifest.data, tenant: manifest.data.tenant === null ? null : tenantId(manifest.data.tenant) }
      : null
  } catch {
    return null // Not there, or another kind of manifest: nothing is known about the file then.
  }
}

const manifestBytesMax = 1_000_000

/** Also true if permissions hide the file. */
const isThere = (path: string): Promise<boolean> =>
  lstat(onDisk(path)).then(
    () => true,
    (error: unknown) => (error as NodeJS.ErrnoException).code !== 'ENOENT',
  )

/** Null if it is no regular file of so many bytes. */
async function digestOfPath(path: string, bytes: number): Promise<string | null> {
  try {
    using file = openDescriptor(path, 'read-only')
    if (fstatSync(file.number).size !== bytes) return null
    return (await digestOf(file.number, never)).sha256
  } catch {
    return null
  }
}

const never = new AbortController().signal
