/** Copies of snapshots that the user wants to keep, with their evidence: damaged ones are studied elsewhere (I1.11). */

import { basename } from 'node:path'
import { folderOfPulled, requireEmptyFolder, writePulled } from '../hold/copies/manifest.ts'
import type { HoldResult } from '../hold/hold.ts'
import { invariant } from '../model/bug.ts'
import type { Target } from './begin/target.ts'

/** Called after the hold and before the check: the files are kept as they were copied, WAL and journal included. */
export type KeepSnapshot = (target: Target, held: Extract<HoldResult, { readonly kind: 'snapshot' }>) => Promise<void>

/**
 * @param folder for the copies; must be new or empty (see `folderOfPulled`)
 * @param onKept called with the path of each database file that was kept
 * @throws {Failure} USAGE if the folder holds anything
 */
export async function keepSnapshotsIn(
  folder: string,
  version: string,
  onKept: (database: string) => void,
): Promise<KeepSnapshot> {
  await requireEmptyFolder(folder)
  let kept = 0
  return async ({ tenant, named }, { snapshot, record }) => {
    const takenAt = record.evidence.proofs[0]?.at
    invariant(takenAt !== undefined, 'a snapshot has a first proof')
    onKept(
      await writePulled(snapshot, folderOfPulled(folder, ++kept, basename(named)), basename(named), {
        tenant,
        path: named,
        takenAt,
        tool: { version },
        evidence: record.evidence,
      }),
    )
  }
}
