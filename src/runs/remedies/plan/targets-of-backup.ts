/**
 * Which files a `--from` means. This is decided before anything is held: a backup never takes the place of another
 * file of its tenant.
 */

import { basename } from 'node:path'
import type { Backups } from '../../../backup/store.ts'
import { recognise } from '../../../hold/copies/manifest.ts'
import { Failure } from '../../../model/failure.ts'
import type { Target } from '../../begin/target.ts'
import { backedUpFileOf, namesFile, requireStore, whyOtherFile } from './choose-backup.ts'

/**
 * @param from id of a backup, or the name of a database file; null: each file gets its own newest backup
 * @param targets all files of one tenant, or bare files
 * @param backups null if no store is known
 * @returns those that the backup is for
 * @throws {Failure} BACKUP_UNKNOWN if there is no such backup of any of them. USAGE if it is not clear which one of
 * several files is meant.
 */
export async function targetsOfBackup(
  from: string | null,
  targets: readonly Target[],
  backups: Backups | null,
): Promise<ReadonlySet<Target>> {
  if (from === null) return new Set(targets)
  if (await namesFile(from)) return targets.length === 1 ? new Set(targets) : new Set([await meantBy(from, targets)])
  const { backup, manifest } = await requireStore(backups, from).find(from)
  if (manifest === null) return new Set(targets) // It is broken, and restored for none of them.
  const meant = new Set<Target>()
  for (const target of targets) {
    const { tenant, path } = await backedUpFileOf(target)
    if (backup.tenant === tenant && backup.path === path) meant.add(target)
  }
  if (meant.size === 0) throw whyOtherFile(backup)
  return meant
}

/** A pulled copy says which file it is of. Any other file must have the name of one of them. */
async function meantBy(from: string, targets: readonly Target[]): Promise<Target> {
  const pulled = await recognise(from)
  const fitting = targets.filter(({ tenant, named }) =>
    pulled === null ? basename(named) === basename(from) : pulled.tenant === tenant && pulled.path === named,
  )
  const [meant, ...others] = fitting
  if (meant !== undefined && others.length === 0) return meant
  throw new Failure(
    'USAGE',
    `${targets[0]?.tenant ?? 'the tenant'} has ${targets.length} files, and it is not clear which one ${from} is for`,
    {
      hint:
        `give the file the name of the one that it is for ` +
        `(${targets.map(({ named }) => basename(named)).join(', ')}), ` +
        'or name the id of a backup: `holdfast backups list`',
    },
  )
}
