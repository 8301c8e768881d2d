/** `restore --merge-newer`: salvages the damaged file, and merges what it still has into a restored backup. */

import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { SnapshotPath } from '../../model/brand.ts'
import { AccountDraft } from '../account/account-draft.ts'
import { salvage, type DamagedSnapshot, type SalvageOptions } from '../salvage/salvage.ts'
import { merge, type Merged, type MergeOptions } from './merge.ts'

export interface MergeNewerOptions {
  readonly prefer: MergeOptions['prefer']
  /** For sandboxes and files in between: a private folder of ours, on the file system of the new file. */
  readonly folder: string
  readonly limits: SalvageOptions['limits']
  readonly onProgress?: (progress: { readonly step: string; readonly done: number; readonly total: number }) => void
}

/** Disposing of it closes the account, not the file. */
export interface MergedNewer extends Merged, Disposable {
  /** May be published more than once. */
  readonly account: AccountDraft
}

/**
 * @param backup a restored backup: one plain file, checked and sound. It is only read.
 * @param to the new file, which must not exist
 * @throws {Failure} as `salvage` and `merge` @throws signal.reason if it was aborted. Nothing is left then.
 */
export async function mergeNewer(
  backup: SnapshotPath,
  damaged: DamagedSnapshot,
  to: string,
  { prefer, folder, limits, onProgress }: MergeNewerOptions,
  signal: AbortSignal,
): Promise<MergedNewer> {
  const between = await mkdtemp(join(folder, 'merge-'))
  try {
    const progress = onProgress === undefined ? {} : { onProgress }
    const salvaged = await salvage(
      damaged,
      join(between, 'salvaged'),
      { folder: between, schemaOf: backup, listDoubted: true, limits, ...progress },
      signal,
    )
    const account = new AccountDraft(between)
    try {
      const merged = await merge(
        {
          backup,
          salvaged: salvaged.file as SnapshotPath,
          facts: salvaged.facts as SnapshotPath,
          schemaIsWhole: salvaged.lostObjects.length === 0,
        },
        to,
        { prefer, account, folder: between, ...limits, ...progress },
        signal,
      )
      return { ...merged, account, [Symbol.dispose]: () => account[Symbol.dispose]() }
    } catch (error) {
      account[Symbol.dispose]()
      throw error
    }
  } finally {
    await rm(between, { recursive: true, force: true })
  }
}
