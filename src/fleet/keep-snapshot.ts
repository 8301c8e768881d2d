/**
 * Keeping what a hold brought: a live set as it is, with its evidence, to study elsewhere (I1.11). Damaged ones are the
 * point of it.
 */
import { basename } from 'node:path'
import { folderOfPulled, requireRoomFor, writePulled } from '../hold/copies/manifest.ts'
import type { Held } from '../hold/hold.ts'
import { invariant } from '../model/bug.ts'
import type { Target } from './run/run-context.ts'

/** Called between hold and check: the kept files stay as they were copied, journal and WAL included. */
export type KeepSnapshot = (target: Target, held: Extract<Held, { readonly kind: 'snapshot' }>) => Promise<void>

/**
 * @param folder where they go, new or empty; see `folderOfPulled`
 * @param onKept told where the database file was put
 * @throws {Failure} USAGE when there is something in the folder
 */
export async function keepIn(
  folder: string,
  version: string,
  onKept: (database: string) => void,
): Promise<KeepSnapshot> {
  await requireRoomFor(folder)
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
