/**
 * The store of verified backups: one folder with compressed copies of sound databases, each with its manifest
 * (README.md has the layout). A backup counts only once its stored bytes were decompressed, and came out as the very
 * bytes of a file whose full check was sound.
 */
import type { SnapshotPath, TenantId } from '../model/brand.ts'
import type { Backup } from '../model/result/backup.ts'
import type { Evidence } from '../model/result/evidence.ts'
import type { ContentDigests } from '../model/result/last-good.ts'

/** Which database file a backup is of: a file of a tenant, or a bare file. */
export interface BackedUpFile {
  /** null for a bare file. */
  readonly tenant: TenantId | null
  /** As the service names it; for a bare file the real path. */
  readonly path: string
}

/** `held`: a snapshot of a hold. `copied`: a private copy. `fetched`: brought by the command `backups.fetch`. */
export type BackupOrigin = 'held' | 'copied' | 'fetched'

/** What is known of a settled database whose full check was sound. */
export interface SoundFile extends BackedUpFile {
  /** The name of the service; null without one. */
  readonly service: string | null
  readonly origin: BackupOrigin
  /** When the live set had this content, as in ISO 8601. */
  readonly takenAt: string
  readonly content: ContentDigests
  readonly evidence: Evidence
  readonly tool: { readonly version: string; readonly sqlite: string }
}

/** `stored`: a new backup. `confirmed`: the newest backup has the same content, and is current again as of today. */
export interface KeptBackup {
  readonly kind: 'stored' | 'confirmed'
  readonly backup: Backup
}

export interface Backups {
  /** The folder of all backups. */
  readonly folder: string
  /**
   * All entries, of one tenant or file if one is given, oldest first for each file. Broken and half-written entries
   * are among them, with the state `broken` and the reason.
   */
  list(of?: Partial<BackedUpFile>): AsyncIterable<Backup>
  /** @throws {Failure} BACKUP_UNKNOWN */
  find(id: string): Promise<Backup>
  /**
   * Stores a settled database: one plain file, as a full and sound check left it. It is compressed, synced, read back,
   * compared by its digest, and renamed; its manifest comes last. Content equal to the newest backup is not stored
   * again. If it fails, nothing of it is left.
   * @param settled no journal and no WAL may lie beside it
   * @throws {Failure} NO_SPACE, SNAPSHOT_UNSAFE; READ_FAILED if it is not one plain file; the reason of the signal
   */
  keep(settled: SnapshotPath, about: SoundFile, signal: AbortSignal): Promise<KeptBackup>
  /**
   * The newest verified backup of a file. A backup that was confirmed counts with the date of its confirmation.
   * @param before ISO 8601; null: of any time. Backups that were neither taken nor confirmed before it do not count
   * @returns null if there is none
   */
  newestVerified(of: BackedUpFile & { readonly before: string | null }): Promise<Backup | null>
  /**
   * Writes the database of a backup to a new file (0600), durably, and compares its digest with the manifest. If that
   * fails, no file is left, and a backup whose bytes are wrong is broken from now on.
   * @param toFile absolute; must not exist
   * @returns the new file, which is a private copy: the caller may check it
   * @throws {Failure} BACKUP_UNKNOWN, BACKUP_BROKEN, NO_SPACE; the reason of the signal
   */
  restore(id: string, toFile: string, signal: AbortSignal): Promise<SnapshotPath>
}
