/** Which store of backups a command line means, and how its backups are checked and rotated. */
import { resolve } from 'node:path'
import type { Entry } from '../../backup/entries.ts'
import { isBackupId } from '../../backup/layout.ts'
import { openBackups, type Backups } from '../../backup/store.ts'
import { defaultKept } from '../../config/defaults.ts'
import { findConfiguration, loadSettings } from '../../config/load.ts'
import type { BackupSettings, Settings } from '../../config/settings.ts'
import { tenantId } from '../../model/brand.ts'
import { Failure } from '../../model/failure.ts'

export interface StoreOptions {
  readonly config?: string
  /** Folder from the command line. */
  readonly backups?: string
}

export interface OpenedStore {
  readonly backups: Backups
  readonly keep: BackupSettings['keep']
  /** null if `--backups` names the folder and no configuration was named. */
  readonly settings: Settings | null
}

/** @throws {Failure} CONFIG_INVALID if no folder of backups is known; SNAPSHOT_UNSAFE */
export async function openStore(options: StoreOptions): Promise<OpenedStore> {
  const settings = await settingsOf(options)
  const dir = options.backups === undefined ? settings?.backups?.dir : resolve(options.backups)
  if (dir === undefined)
    throw new Failure('CONFIG_INVALID', `${settings?.file ?? 'the configuration'} names no folder of backups`, {
      hint: 'set backups.dir there, or name a folder with --backups DIR',
    })
  return { backups: openBackups(dir), keep: settings?.backups?.keep ?? defaultKept, settings }
}

async function settingsOf({ config, backups }: StoreOptions): Promise<Settings | null> {
  if (backups !== undefined && config === undefined) return null
  return loadSettings(await findConfiguration(config ?? null))
}

/**
 * The backups that words of a command line mean: ids of backups, or all of a tenant. Without a word: all.
 * @throws {Failure} BACKUP_UNKNOWN for a word that no backup fits
 */
export async function* chosenEntries(backups: Backups, words: readonly string[]): AsyncGenerator<Entry> {
  if (words.length === 0) yield* backups.list()
  for (const word of new Set(words)) {
    if (isBackupId(word)) {
      yield await backups.find(word)
      continue
    }
    let found = 0
    for await (const entry of backups.list({ tenant: tenantId(word) })) {
      found++
      yield entry
    }
    if (found === 0)
      throw new Failure('BACKUP_UNKNOWN', `${backups.folder} holds no backup of a tenant ${JSON.stringify(word)}`)
  }
}
