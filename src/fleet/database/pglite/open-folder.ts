/**
 * The folder of PGlite, for one user and one process. A new one is made beside its place and renamed, so that a process
 * that is killed meanwhile leaves no half of a database. Call these with the lock of the folder.
 */

import { existsSync, renameSync, rmSync, statSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { PGlite } from '@electric-sql/pglite'
import { systemFailure } from '../../../host/failures/system-failure.ts'
import { findUntrusted } from '../../../host/files/trusted-path.ts'
import { makeFolders } from '../../../host/folders/folder.ts'
import { Failure } from '../../../model/failure.ts'
import { lacksRoomForNew } from './disk-space.ts'

/** @throws {Failure} CONFIG_INVALID if another user could change where the folder leads; the failure of the system */
export async function prepareParent(dir: string): Promise<void> {
  const parent = dirname(dir)
  requireTrustedPath(parent)
  await makeFolders(parent, 0o700).catch((error: unknown) => {
    throw systemFailure(error, { doing: 'make the folder', path: parent, elsewhere: 'name another in fleet.database' })
  })
  requireTrustedPath(parent) // Again: a folder that appeared meanwhile may be another user's.
}

function requireTrustedPath(parent: string): void {
  const untrusted = findUntrusted(parent, 'folder')
  if (untrusted !== null)
    throw new Failure('CONFIG_INVALID', `another user could change ${parent}: ${untrusted.path}: ${untrusted.why}`, {
      hint: 'name a folder in fleet.database below folders that no other user can write',
    })
}

/** Opens the database in the folder, or makes both. @throws {Failure} CONFIG_INVALID if the folder is open to others */
export async function openFolder(create: (dir: string) => Promise<PGlite>, dir: string): Promise<PGlite> {
  if (!hasDatabase(dir)) await makeDatabase(create, dir)
  const { mode, uid } = statSync(dir)
  const user = process.geteuid?.()
  if ((mode & 0o077) !== 0)
    throw new Failure('CONFIG_INVALID', `${dir} is open to others (mode ${(mode & 0o777).toString(8)})`, {
      hint: `chmod go= ${dir}`,
    })
  if (user !== undefined && uid !== user)
    throw new Failure('CONFIG_INVALID', `${dir} belongs to another user (uid ${uid})`, {
      hint: 'run the coordinator as that user, or name another folder in fleet.database',
    })
  return create(dir)
}

/** PostgreSQL writes this file when it makes a database. */
const hasDatabase = (dir: string): boolean => existsSync(join(dir, 'PG_VERSION'))

async function makeDatabase(create: (dir: string) => Promise<PGlite>, dir: string): Promise<void> {
  const draft = `${dir}.new`
  const lacking = lacksRoomForNew(dirname(dir))
  if (lacking !== null) throw new Failure('FLEET_FULL', `cannot make the database of the fleet: ${lacking}`)
  try {
    rmSync(draft, { recursive: true, force: true }) // Of a process that was killed.
    await mkdir(draft, { mode: 0o700 })
    await (await create(draft)).close()
    renameSync(draft, dir) // It takes the place of an empty folder, and of no other.
  } catch (error) {
    rmSync(draft, { recursive: true, force: true })
    throw systemFailure(error, {
      doing: 'make the database in',
      path: dir,
      elsewhere: 'name another in fleet.database',
    })
  }
}
