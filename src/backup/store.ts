/**
 * The store of verified backups: one folder with compressed copies of sound databases, each with its manifest
 * (README.md has the layout). A backup counts only once its stored bytes were decompressed, and came out as the very
 * bytes of a file whose full check was sound.
 */
import { readdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { requireTrustedFolder } from '../hold/snapshot/private-folder.ts'
import { isNotFound, systemFailure } from '../host/failures/system-failure.ts'
import { syncFolder } from '../host/files/durable.ts'
import { onDisk } from '../host/files/file-name.ts'
import { isThere } from '../host/files/path-kind.ts'
import type { SnapshotPath, TenantId } from '../model/brand.ts'
import { Failure } from '../model/failure.ts'
import type { Backup, VerifiedBackup } from '../model/result/backup.ts'
import { readEntries, removeLeftovers, unlinkIfThere, type Entry } from './entries.ts'
import { keepBackup, type KeptBackup } from './keep.ts'
import { backupFolderOf, groups, isBackupId, partPath, type BackedUpFile } from './layout.ts'
import type { BackupManifest, SoundFile } from './manifest.ts'
import { restoreEntry } from './restore.ts'
import { isOfFuture, surplusOf, type RotationRule } from './rotation.ts'

export interface BackupFilter {
  /** null: bare files only. Absent: all. */
  readonly tenant?: TenantId | null
  readonly path?: string
}

interface PruneResult {
  /** Backups that were deleted, or would be. */
  readonly surplus: readonly Backup[]
  /** Ids of half-written backups that were deleted, or would be. */
  readonly leftovers: readonly string[]
}

export interface Backups {
  /** The folder of all backups. */
  readonly folder: string
  /**
   * All entries, file by file, those of one file oldest first. Broken and half-written entries are among them, with
   * the state `broken` and the reason. Entries that are being written or deleted now are not.
   */
  list(filter?: BackupFilter): AsyncIterable<Entry>
  /**
   * The entry in the folder of its file. A stray copy in the folder of another one is broken, and hides none.
   * @throws {Failure} BACKUP_UNKNOWN
   */
  find(id: string): Promise<Entry>
  /**
   * Stores a settled database: one plain file, as a full and sound check left it. It is compressed, synced, read back,
   * compared by its digest, and renamed; its manifest comes last. Content equal to that of the newest backup is not
   * stored again. If it fails, nothing of it is left.
   * @param settled no journal and no WAL may lie beside it
   * @throws {Failure} NO_SPACE, SNAPSHOT_UNSAFE; READ_FAILED if it is not one plain file; the reason of the signal
   */
  keep(settled: SnapshotPath, about: SoundFile, signal: AbortSignal): Promise<KeptBackup>
  /**
   * The newest verified backup of a file.
   * @param before ISO 8601; null: of any time. Backups that were taken later do not count
   * @returns null if there is none
   */
  newestVerified(of: BackedUpFile & { readonly before: string | null }): Promise<VerifiedBackup | null>
  /**
   * Writes the database of a backup to a new file (0600), durably, and compares its digest with the manifest. If that
   * fails, no file is left, and a backup whose bytes are wrong is broken from now on.
   * @param toFile absolute; must not exist
   * @returns the new file, which is a private copy: the caller may check it
   * @throws {Failure} BACKUP_UNKNOWN, BACKUP_BROKEN, NO_SPACE; the reason of the signal
   */
  restore(id: string, toFile: string, signal: AbortSignal): Promise<SnapshotPath>
  /**
   * Deletes the verified backups of a file that the rule does not keep. The newest one always stays.
   * @returns those that were deleted
   */
  rotate(of: BackedUpFile, rule: RotationRule): Promise<readonly Backup[]>
  /** The same for all files; also what dead runs left half written. @param dryRun deletes nothing */
  prune(rule: RotationRule, dryRun: boolean): Promise<PruneResult>
}

/**
 * Opens a store. Its folder need not exist; `keep` makes it.
 * @throws {Failure} SNAPSHOT_UNSAFE if another user could change where the folder leads
 */
export function openBackups(folder: string): Backups {
  requireTrustedFolder(folder, 'folder', 'name another folder (backups.dir, or --backups DIR)')
  return new BackupFolder(folder)
}

class BackupFolder implements Backups {
  readonly folder: string

  constructor(folder: string) {
    this.folder = folder
  }

  async *list({ tenant, path }: BackupFilter = {}): AsyncGenerator<Entry> {
    const wanted = tenant === undefined || tenant === null ? null : backupFolderOf({ tenant, path: '' })
    const folders = wanted === null ? this.#folders(tenant === null ? ['files'] : groups) : [wanted]
    for await (const folder of folders)
      for (const entry of await this.#entriesIn(folder, tenant ?? null))
        if (path === undefined || entry.backup.path === path) yield entry
  }

  async find(id: string): Promise<Entry> {
    const found: Entry[] = []
    if (isBackupId(id))
      for await (const folder of this.#folders(groups)) {
        const at = join(this.folder, folder)
        const parts = ['manifest', 'stored', 'partial'] as const
        const there = await Promise.all(parts.map((part) => isThere(partPath(at, id, part))))
        if (!there.includes(true)) continue
        const entries = (await this.#entriesIn(folder, null)).filter(({ backup }) => backup.id === id)
        const own = entries.find(({ manifest }) => isAt(manifest, folder))
        if (own !== undefined) return own
        found.push(...entries)
      }
    const [stray] = found
    if (stray !== undefined) return stray
    throw new Failure('BACKUP_UNKNOWN', `${this.folder} holds no backup ${JSON.stringify(id)}`)
  }

  keep(settled: SnapshotPath, about: SoundFile, signal: AbortSignal): Promise<KeptBackup> {
    return keepBackup(this.folder, settled, about, signal)
  }

  async newestVerified({ before, ...of }: BackedUpFile & { readonly before: string | null }) {
    const latest = before === null ? null : new Date(before).toISOString()
    const verified = (await this.#verifiedOf(of)).map(({ backup }) => backup)
    if (latest !== null) return verified.findLast(({ takenAt }) => takenAt <= latest) ?? null
    return verified.findLast((backup) => !isOfFuture(backup, Date.now())) ?? verified.at(-1) ?? null
  }

  async restore(id: string, toFile: string, signal: AbortSignal): Promise<SnapshotPath> {
    return restoreEntry(await this.find(id), toFile, signal)
  }

  async rotate(of: BackedUpFile, rule: RotationRule): Promise<readonly Backup[]> {
    const verified = await this.#verifiedOf(of)
    const surplus = surplusOf(
      verified.map(({ backup }) => backup),
      rule,
      Date.now(),
    )
    const ids = new Set(surplus.map(({ id }) => id))
    for (const entry of verified)
      if (ids.has(entry.backup.id))
        await removeEntry(entry).catch((error: unknown) => {
          throw systemFailure(error, { doing: 'delete an old backup in', path: entry.folder })
        })
    return surplus
  }

  async prune(rule: RotationRule, dryRun: boolean): Promise<PruneResult> {
    const surplus: Backup[] = []
    const leftovers: string[] = []
    for await (const folder of this.#folders(groups)) {
      const entries = await this.#entriesIn(folder, null)
      const files = new Map(entries.flatMap(({ manifest }) => (manifest === null ? [] : [[manifest.path, manifest]])))
      for (const file of files.values())
        surplus.push(
          ...(dryRun ? surplusOf(verifiedAmong(entries, file), rule, Date.now()) : await this.rotate(file, rule)),
        )
      const dead = entries.filter(({ backup, manifest }) => manifest === null && backup.path.endsWith('.partial'))
      leftovers.push(
        ...(dryRun ? dead.map(({ backup }) => backup.id) : await removeLeftovers(join(this.folder, folder))),
      )
    }
    return { surplus, leftovers }
  }

  /** Relative to the store. */
  async *#folders(within: readonly string[]): AsyncGenerator<string> {
    for (const group of within) for (const name of await namesIn(join(this.folder, group))) yield join(group, name)
  }

  /**
   * An entry that tells of another tenant or file than its folder is broken: a person or a defect put it there.
   * @param tenant whose folder it is; null if that is not known
   */
  async #entriesIn(folder: string, tenant: TenantId | null): Promise<readonly Entry[]> {
    const at = join(this.folder, folder)
    const entries = await readEntries(at).catch((error: unknown) => {
      throw systemFailure(error, { doing: 'read the backups in', path: at, tenant: 'untouched' })
    })
    const owner = tenant ?? entries.find(({ manifest }) => isAt(manifest, folder))?.manifest?.tenant ?? null
    const judged = entries.map((entry): Entry => {
      const { backup, manifest } = entry
      if (manifest === null) return { ...entry, backup: { ...backup, tenant: owner } }
      if (isAt(manifest, folder)) return entry
      const message = 'its manifest names a tenant or a file that another folder belongs to'
      return { ...entry, backup: { ...backup, state: 'broken', failure: { code: 'BACKUP_BROKEN', message } } }
    })
    return judged.toSorted(byFileAndTime)
  }

  async #verifiedOf(of: BackedUpFile): Promise<readonly EntryOfVerifiedBackup[]> {
    const entries = await this.#entriesIn(backupFolderOf(of), of.tenant)
    return entries
      .filter((entry) => isVerified(entry) && isOf(entry, of))
      .map((entry) => entry as EntryOfVerifiedBackup)
  }
}

const byFileAndTime = ({ backup: a }: Entry, { backup: b }: Entry): number => {
  const [first, second] = [a, b].map(({ path, id }) => `${path}\0${id}`) as [string, string]
  return first < second ? -1 : 1
}

type EntryOfVerifiedBackup = Entry & { readonly backup: VerifiedBackup; readonly manifest: BackupManifest }

const isVerified = ({ backup, manifest }: Entry): boolean => backup.state === 'verified' && manifest !== null

const isOf = ({ backup }: Entry, { tenant, path }: BackedUpFile): boolean =>
  backup.tenant === tenant && backup.path === path

const verifiedAmong = (entries: readonly Entry[], of: BackedUpFile): readonly VerifiedBackup[] =>
  entries.filter((entry) => isVerified(entry) && isOf(entry, of)).map(({ backup }) => backup as VerifiedBackup)

const isAt = (manifest: BackupManifest | null, folder: string): boolean =>
  manifest !== null && backupFolderOf(manifest) === folder

/** The manifest goes first, in one step: from then on the backup is not listed, and another run can finish. */
async function removeEntry({ folder, backup: { id } }: EntryOfVerifiedBackup): Promise<void> {
  await rename(onDisk(partPath(folder, id, 'manifest')), onDisk(partPath(folder, id, 'removed')))
  await syncFolder(folder)
  await unlinkIfThere(partPath(folder, id, 'stored'))
  await unlinkIfThere(partPath(folder, id, 'removed'))
}

/** Sorted; empty without the folder. @throws {Failure} if a file is in its place: a store that is there is not empty */
async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(onDisk(folder))).toSorted()
  } catch (error) {
    if (isNotFound(error) && (error as NodeJS.ErrnoException).code !== 'ENOTDIR') return []
    throw systemFailure(error, { doing: 'read the backups in', path: folder, tenant: 'untouched' })
  }
}
