/** `restore --merge-newer`: salvages the damaged file, and merges what it still has into a restored backup. */

import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { SnapshotPath } from '../../model/brand.ts'
import { Failure } from '../../model/failure.ts'
import { AccountDraft } from '../account/account-draft.ts'
import type { SalvageResult } from '../salvage/salvage-result.ts'
import { salvage, type DamagedSnapshot, type SalvageOptions } from '../salvage/salvage.ts'
import { merge, type MergeResult, type MergeOptions } from './merge.ts'

export interface MergeNewerOptions {
  readonly prefer: MergeOptions['prefer']
  /** For sandboxes and files in between: a private folder of ours, on the file system of the new file. */
  readonly folder: string
  readonly limits: SalvageOptions['limits']
  readonly onProgress?: (progress: { readonly step: string; readonly done: number; readonly total: number }) => void
}

/** Disposing of it closes the account, not the file. */
export interface MergedNewer extends MergeResult, Disposable {
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
      { folder: between, schemaOf: backup, limits, ...progress },
      signal,
    )
    requireOwnTrees(salvaged.lostObjects)
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

/**
 * Where the schema is lost, only the backup says at which page a table begins. Since then the page may have become that
 * of another table, with rows of the same form. Merged by key, they would take the place of true ones.
 */
function requireOwnTrees(lost: SalvageResult['lostObjects']): void {
  const other = lost.find(({ kind, ofBackup }) => ofBackup === true && (kind === 'table' || kind === 'index'))
  if (other === undefined) return
  throw new Failure(
    'REMEDY_REFUSED',
    `the schema of the damaged file is lost, so it is not certain which pages belong to ${other.kind} ${other.name}; ` +
      'its rows are not merged by themselves',
    { hint: 'first write its rows to a new file with `holdfast salvage`; then restore without --merge-newer' },
  )
}
