/** Stores one sound database: compressed, synced, read back, renamed; the manifest last. */
import { constants } from 'node:fs'
import { open, rename, type FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { requireSpace } from '../hold/preflight.ts'
import { requirePrivateFolder } from '../hold/snapshot/private-folder.ts'
import { systemFailure } from '../host/failures/system-failure.ts'
import { syncFolder } from '../host/files/durable.ts'
import { onDisk } from '../host/files/file-name.ts'
import { isThere } from '../host/files/path-kind.ts'
import { SystemCallError } from '../host/libc.ts'
import { tryLock } from '../host/locks/byte-lock.ts'
import type { SnapshotPath } from '../model/brand.ts'
import { Failure } from '../model/failure.ts'
import type { Backup } from '../model/result/backup.ts'
import type { ContentDigests } from '../model/result/last-good.ts'
import { readHeader } from '../sqlite/header.ts'
import { compressWhole } from './compress.ts'
import type { CompressedFile } from './compression.ts'
import { backupOf, readEntries, removeLeftovers, unlinkIfThere, writerLock } from './entries.ts'
import { draftOf, backupFolderOf, newBackupId, partPath } from './layout.ts'
import { writeManifest, type BackupManifest, type HeaderContent, type SoundFile } from './manifest.ts'

/** `stored`: a new backup. `confirmed`: the newest backup has the same content, and is current again. */
export interface KeptBackup {
  readonly kind: 'stored' | 'confirmed'
  readonly backup: Backup
}

/**
 * @param store the folder of all backups
 * @param settled one plain file, as a full and sound check left it
 * @throws {Failure} NO_SPACE, SNAPSHOT_UNSAFE; READ_FAILED if it is not one plain file; the reason of the signal
 */
export async function keepBackup(
  store: string,
  settled: SnapshotPath,
  sound: SoundFile,
  signal: AbortSignal,
): Promise<KeptBackup> {
  const about = { ...sound, takenAt: new Date(sound.takenAt).toISOString() } // Times are compared as text.
  const folder = join(store, backupFolderOf(about))
  try {
    await makeFolder(store, folder)
    await removeLeftovers(folder)
    await using source = await openSettled(settled)
    const header = await headerOf(source, settled)
    const newest = await newestWithManifest(folder, about)
    if (newest !== null && hasSameContent(newest, about, header)) {
      const confirmed = { ...newest, confirmedAt: confirmedAt(newest, about) }
      await writeManifest(folder, confirmed)
      await syncFolder(folder)
      return { kind: 'confirmed', backup: backupOf(confirmed) }
    }
    requireSpace(folder, (await source.stat()).size, 'the backup')
    return { kind: 'stored', backup: backupOf(await storeNew(source, settled, folder, about, header, signal)) }
  } catch (error) {
    throw systemFailure(error, { doing: 'keep a backup in', path: folder, elsewhere: 'name another backups.dir' })
  }
}

/** Each level is made on its own, and its name synced. */
async function makeFolder(store: string, folder: string): Promise<void> {
  for (const path of [store, dirname(folder), folder]) {
    const isNew = !(await isThere(path))
    await requirePrivateFolder(path)
    if (isNew) await syncFolder(dirname(path))
  }
}

async function openSettled(settled: SnapshotPath): Promise<FileHandle> {
  for (const companion of ['-wal', '-journal'])
    if (await isThere(settled + companion))
      throw new Failure('READ_FAILED', `a ${companion.slice(1)} lies beside ${settled}: it was not recovered`)
  const file = await open(onDisk(settled), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  if ((await file.stat()).isFile()) return file
  await file.close()
  throw new Failure('READ_FAILED', `${settled} is not a regular file`)
}

async function headerOf(file: FileHandle, path: string): Promise<HeaderContent> {
  const first = Buffer.alloc(100)
  const { bytesRead } = await file.read(first, 0, first.length, 0)
  const read = readHeader(first.subarray(0, bytesRead))
  if (read.kind !== 'header') throw new Failure('READ_FAILED', `${path} has no header of SQLite`)
  const { schemaCookie, userVersion, applicationId, textEncoding } = read.header
  return { schemaCookie, userVersion, applicationId, textEncoding }
}

/** The newest backup of the file that may be restored. */
async function newestWithManifest(folder: string, { tenant, path }: SoundFile): Promise<BackupManifest | null> {
  const newest = (await readEntries(folder)).findLast(
    ({ manifest, backup }) => manifest?.path === path && manifest.tenant === tenant && backup.state === 'verified',
  )
  return newest?.manifest ?? null
}

/** A time that is only the latest possible one confirms nothing. */
const confirmedAt = (newest: BackupManifest, { takenAt, takenAtLatest }: SoundFile): string | null =>
  takenAtLatest === true ? newest.confirmedAt : laterOf(newest.confirmedAt, takenAt)

/** True only if every table has a digest, and all of them and what the header holds are equal. */
function hasSameContent(older: BackupManifest, { content, takenAt }: SoundFile, header: HeaderContent): boolean {
  if (takenAt < older.takenAt || older.content.format !== content.format) return false
  if (JSON.stringify(older.header) !== JSON.stringify(header)) return false
  return textOf(older.content) === textOf(content) && content.tables.every(({ digest }) => digest !== null)
}

const textOf = ({ tables }: ContentDigests): string =>
  JSON.stringify(
    tables
      .map(({ name, rows, digest }) => [name, rows, digest])
      .toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1)),
  )

const laterOf = (one: string | null, other: string): string => (one !== null && one > other ? one : other)

async function storeNew(
  source: FileHandle,
  settled: SnapshotPath,
  folder: string,
  about: SoundFile,
  header: HeaderContent,
  signal: AbortSignal,
): Promise<BackupManifest> {
  const id = newBackupId(about.takenAt)
  const partial = partPath(folder, id, 'partial')
  const stored = partPath(folder, id, 'stored')
  const draft = draftOf(folder, id, 'stored')
  await using file = await open(onDisk(draft), 'wx+', 0o600)
  try {
    // It gets a name of the store only when it is locked: a file of that name without a lock has a dead writer.
    lockAsWriter(file)
    await rename(onDisk(draft), onDisk(partial))
    const compressed = await compressWhole({ file: source, path: settled }, { file, path: partial }, signal)
    requireWhatWasCopied(about, compressed)
    const manifest: BackupManifest = {
      schema: 'holdfast.backup/1',
      id,
      ...about,
      confirmedAt: null,
      verifiedAt: new Date().toISOString(),
      ...compressed,
      header,
      broken: null,
    }
    await rename(onDisk(partial), onDisk(stored))
    await writeManifest(folder, manifest)
    await syncFolder(folder)
    return manifest
  } catch (error) {
    // If the disk refuses this too, the first error is reported; the leftovers are removed later.
    for (const path of [draft, partial, stored]) await unlinkIfThere(path).catch(() => undefined)
    throw error
  }
}

/** Recovery changes a snapshot that had a WAL or a journal. Any other must still be what the hold copied. */
function requireWhatWasCopied({ evidence, path }: SoundFile, { sha256 }: CompressedFile): void {
  const files = evidence.snapshot?.files ?? []
  if (files.length !== 1 || files[0]?.sha256 === sha256) return
  throw new Failure('READ_FAILED', `the snapshot of ${path} is not what was copied, so it was not kept`, {
    hint: 'another program changes the folder for snapshots; give holdfast a folder of its own',
  })
}

/** Other processes see by this lock that it is written, and by its absence that its writer is dead. */
function lockAsWriter({ fd }: FileHandle): void {
  try {
    tryLock(fd, 'write', writerLock)
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error // Without locks, the age of the file shows it.
  }
}
