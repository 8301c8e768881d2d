/** `--merge-newer`: what the live file still has, and the backup has not, is added to the restored backup. */

import { dirname, join } from 'node:path'
import type { CheckLimits } from '../../../check/check.ts'
import type { SnapshotPath } from '../../../model/brand.ts'
import { invariant } from '../../../model/bug.ts'
import type { ConflictRule } from '../../../model/result/account.ts'
import { mergeNewer } from '../../../repair/merge/merge-newer.ts'
import type { CheckedFile } from '../checked-group.ts'
import { accountFrom } from './account.ts'
import type { BroughtBackup } from './choose-backup.ts'
import type { MergedBackup, RestoreTools } from './try-restore.ts'

/** The merged file lies beside the brought backup, and is deleted with it. */
export const mergerWith =
  (prefer: ConflictRule, folder: string, limits: CheckLimits, onStep: RestoreTools['onStep']) =>
  async (backup: BroughtBackup, file: CheckedFile, signal: AbortSignal): Promise<MergedBackup> => {
    const { held } = file
    invariant(held.kind === 'snapshot', 'only a file that was held is merged')
    const to = join(dirname(backup.path), 'merged.db')
    const onProgress = ({
      step,
      done,
      total,
    }: {
      readonly step: string
      readonly done: number
      readonly total: number
    }) => onStep(file, `${stepWords[step] ?? step}, ${done} of ${total}`)
    const merged = await mergeNewer(backup.path, held.snapshot, to, { prefer, folder, limits, onProgress }, signal)
    return {
      path: merged.file as SnapshotPath, // Made of private copies that came out of holds.
      losses: merged.losses,
      account: accountFrom(merged.account),
      notes: merged.unmerged.map(({ table, stays, why }) => `${table} stays as the ${sides[stays]} has it: ${why}`),
    }
  }

const sides = { newer: 'live file', backup: 'backup' } as const

const stepWords: Readonly<Record<string, string>> = {
  trees: 'finding the pages of each table',
  rows: 'reading the rows that are readable',
  indexes: 'building indexes',
  copy: 'copying the backup',
  compare: 'comparing tables with the backup',
  write: 'adding newer rows',
  verify: 'verifying the merged file',
  account: 'listing keys',
}
