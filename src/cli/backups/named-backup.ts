/** A backup as a word of a command line: `backup:ID`, or a bare id that the store knows. */
import { mkdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { isBackupId } from '../../backup/layout.ts'
import type { BackupManifest } from '../../backup/manifest.ts'
import type { Backups } from '../../backup/store.ts'
import type { SnapshotPath } from '../../model/brand.ts'
import { Failure } from '../../model/failure.ts'
import { backupPrefix } from '../../model/result/backup.ts'
import { openStore, type StoreOptions } from './open-store.ts'

export interface NamedBackup {
  readonly backups: Backups
  readonly id: string
  readonly manifest: BackupManifest
}

/**
 * @returns null if the word means something else
 * @throws {Failure} BACKUP_UNKNOWN for a word that can mean nothing else; BACKUP_BROKEN
 */
export async function findNamedBackup(word: string, options: StoreOptions): Promise<NamedBackup | null> {
  const isMeant = word.startsWith(backupPrefix)
  const id = isMeant ? word.slice(backupPrefix.length) : word
  if (!isMeant && !isBackupId(word)) return null
  try {
    const { backups } = await openStore(options)
    const { manifest, backup } = await backups.find(id)
    if (manifest !== null && backup.state !== 'broken') return { backups, id, manifest }
    throw new Failure('BACKUP_BROKEN', `backup ${id}: ${backup.failure?.message ?? 'it has no manifest'}`)
  } catch (error) {
    const isOther = error instanceof Failure && error.code !== 'BACKUP_BROKEN'
    if (isMeant || !isOther) throw error
    return null // A tenant may have such an id.
  }
}

/**
 * Restores it under the name of its live file, in a folder of its own.
 * @param scratch a private folder that the caller deletes
 * @throws {Failure} BACKUP_BROKEN, NO_SPACE; the reason of the signal
 */
export async function restoreNamedBackup(
  { backups, id, manifest }: NamedBackup,
  scratch: string,
  signal: AbortSignal,
): Promise<SnapshotPath> {
  const folder = join(scratch, `backup-${id}`)
  await mkdir(folder, { mode: 0o700, recursive: true })
  return backups.restore(id, join(folder, basename(manifest.path)), signal)
}
