/** Brings a backup back: decompressed, synced, and compared with its manifest by its digest. */
import { constants } from 'node:fs'
import { open, unlink, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { requireSpace } from '../hold/preflight.ts'
import { isSystemError, systemFailure } from '../host/failures/system-failure.ts'
import { syncFolder } from '../host/files/durable.ts'
import { onDisk } from '../host/files/file-name.ts'
import type { SnapshotPath } from '../model/brand.ts'
import { Failure } from '../model/failure.ts'
import { decompress, isFrameError } from './compression.ts'
import type { Entry } from './entries.ts'
import { partPath } from './layout.ts'
import { writeManifest, type BackupManifest } from './manifest.ts'

/**
 * @param toFile absolute; must not exist
 * @throws {Failure} BACKUP_BROKEN, NO_SPACE; the reason of the signal
 */
export async function restoreEntry(entry: Entry, toFile: string, signal: AbortSignal): Promise<SnapshotPath> {
  const { manifest, backup, folder } = entry
  if (manifest === null || backup.state === 'broken') throw brokenBackup(backup.id, backup.failure?.message ?? '')
  requireSpace(dirname(toFile), manifest.bytes, 'the restored database')
  try {
    await using stored = await open(onDisk(partPath(folder, manifest.id, 'stored')), careful)
    await using restored = await open(onDisk(toFile), 'wx', 0o600)
    try {
      const why = await whyDifferent(stored, restored, manifest, signal)
      if (why !== null) {
        await markBroken(entry, why)
        throw brokenBackup(manifest.id, why)
      }
    } catch (error) {
      await unlink(onDisk(toFile)).catch(() => undefined) // The first error counts.
      throw error
    }
    await syncFolder(dirname(toFile))
    return toFile as SnapshotPath // A private copy of what came out of a hold.
  } catch (error) {
    throw failureOfRestore(error, manifest.id, folder, toFile)
  }
}

const careful = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/** @returns null if what came out is what the manifest says */
async function whyDifferent(
  stored: FileHandle,
  restored: FileHandle,
  { bytes, sha256 }: BackupManifest,
  signal: AbortSignal,
): Promise<string | null> {
  try {
    const out = await decompress(stored, restored, bytes, signal)
    if (out === 'too-many') return `more than its ${bytes} bytes came out of its stored file`
    if (out.bytes !== bytes) return `${out.bytes} bytes came out of its stored file instead of ${bytes}`
    return out.sha256 === sha256 ? null : 'other bytes came out of its stored file than were put in'
  } catch (error) {
    if (!isFrameError(error)) throw error
    return `its stored file cannot be decompressed (${error.message.toLowerCase()}, ${error.code})`
  }
}

/** It is never offered again. A manifest that cannot be written changes nothing of what is reported now. */
export async function markBroken({ manifest, folder }: Entry, message: string): Promise<void> {
  if (manifest === null) return
  const broken = { at: new Date().toISOString(), code: 'BACKUP_BROKEN', message } as const
  await writeManifest(folder, { ...manifest, broken })
    .then(() => syncFolder(folder))
    .catch((error: unknown) => {
      if (!isSystemError(error)) throw error
    })
}

const brokenBackup = (id: string, why: string): Failure => new Failure('BACKUP_BROKEN', `backup ${id}: ${why}`)

function failureOfRestore(error: unknown, id: string, folder: string, toFile: string): unknown {
  if (error instanceof Failure || !isSystemError(error)) return error
  const { path, syscall } = error
  const ofStored = path?.startsWith(folder) || syscall === 'read'
  if (!ofStored) return systemFailure(error, { doing: 'restore to', path: toFile })
  const { message, hint } = systemFailure(error, { doing: 'read', path: partPath(folder, id, 'stored') })
  return new Failure('BACKUP_BROKEN', `backup ${id}: ${message}`, { hint, cause: error })
}
