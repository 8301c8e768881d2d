/**
 * What the two words of `compare` mean: files, private copies, folders of them, backups, or tenants. A word that could
 * mean two of these is refused.
 */
import { dirname } from 'node:path'
import { findConfiguration } from '../config/load.ts'
import { findDatabases } from '../hold/live/find-databases.ts'
import { isFolder, isThere } from '../host/files/path-kind.ts'
import { tenantId } from '../model/brand.ts'
import { Failure } from '../model/failure.ts'
import { tenantPrefix, type SidePair } from '../model/result/comparison.ts'
import type { GivenFiles, GivenSide } from '../runs/compare/sides.ts'
import { shellWord } from '../text/shell-words.ts'
import { noDatabaseIn } from './database-files.ts'

interface SideOptions {
  readonly snapshot: boolean
  readonly config: string | null
  /** Restores the backup that a word means, for as long as the comparison takes; null if it means none. */
  readonly restore: (given: string) => Promise<string | null>
}

/** @throws {Failure} USAGE for a name that nothing has, for a folder without a database, and for one tenant twice */
export async function sidesOf(a: string, b: string, options: SideOptions): Promise<SidePair<GivenSide>> {
  const sides = { a: await sideOf(a, options), b: await sideOf(b, options) }
  if (sides.a.kind === 'tenant' && sides.b.kind === 'tenant' && sides.a.id === sides.b.id)
    throw new Failure('USAGE', `${a} and ${b} are the same tenant`, {
      hint: 'name two; a file needs a slash (./app.db)',
    })
  return sides
}

export const areFiles = (sides: SidePair<GivenSide>): sides is SidePair<GivenFiles> =>
  sides.a.kind !== 'tenant' && sides.b.kind !== 'tenant'

async function sideOf(given: string, { snapshot, config, restore }: SideOptions): Promise<GivenSide> {
  if (given === '') throw new Failure('USAGE', 'an empty name is neither a file nor a tenant')
  if (given.startsWith(tenantPrefix) && given !== tenantPrefix)
    return { kind: 'tenant', given, id: tenantId(given.slice(tenantPrefix.length)) }
  if (!(await isThere(given))) {
    const restored = await restore(given)
    if (restored !== null) return { kind: 'backup', given, isFolder: false, paths: [restored] }
  }
  if (given.includes('/') || (await isThere(given)))
    return { kind: snapshot ? 'copy' : 'file', given, ...(await databasesIn(given)) }
  await requireConfiguration(given, config)
  return { kind: 'tenant', given, id: tenantId(given) }
}

/** The file itself, or the databases in a folder. */
async function databasesIn(given: string): Promise<Pick<GivenFiles, 'isFolder' | 'paths'>> {
  if (!(await isFolder(given))) return { isFolder: false, paths: [given] }
  const paths = await findDatabases(given)
  if (paths.length === 0) throw await noDatabaseIn(given, (below) => `name that folder: ${shellWord(dirname(below))}`)
  return { isFolder: true, paths }
}

/**
 * Without a configuration holdfast knows no tenants: then the word is a mistake.
 * @throws {Failure} USAGE; CONFIG_INVALID if `--config` names a configuration that is not there
 */
async function requireConfiguration(given: string, config: string | null): Promise<void> {
  try {
    await findConfiguration(config)
  } catch (error) {
    if (config !== null) throw error
    throw new Failure(
      'USAGE',
      `there is no file ${given}, and no holdfast.yaml that could name a service with such a tenant`,
      { hint: 'correct the name; a tenant needs the configuration of its service (--config FILE)', cause: error },
    )
  }
}
