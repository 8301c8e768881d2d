/** Writes what a remedy does to each row and entry, before anything is changed. */

import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { onDisk } from '../../../host/files/file-name.ts'
import type { ChangeId } from '../../../model/brand.ts'
import type { Target } from '../../begin/target.ts'
import type { TriedRemedy } from '../plan/tried-remedy.ts'
import type { RemedyRun } from '../remedy-run.ts'

/**
 * An account of the same change that was written before is replaced: the file was mended anew.
 * @returns its path; null if the plan says it all @throws {Failure} NO_SPACE and others
 */
export async function writeAccount(
  target: Target,
  { account }: TriedRemedy,
  change: ChangeId,
  run: RemedyRun,
): Promise<string | null> {
  if (account === null) return null
  await removeAccount(target, change, run)
  return account.publish(change, await run.accountPlaceOf(target, change))
}

/** Of a change that was not made: the account would tell of rows that nothing has touched. */
export async function removeAccount(target: Target, change: ChangeId, run: RemedyRun): Promise<void> {
  const { folder, name } = await run.accountPlaceOf(target, change)
  // What cannot be deleted stays: an account that is written to its name then fails, and says why.
  await rm(onDisk(join(folder, name)), { force: true }).catch(() => undefined)
}
