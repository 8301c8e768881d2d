/** What a change costs, for the plan; and which method fits a file. */
import { newRunId } from '../../ledger/run-lock/run-id.ts'
import type { ChangeId } from '../../model/brand.ts'
import type { ChangeMethod } from '../../model/result/remedy.ts'
import { predictPauseMs } from '../preflight.ts'
import { besideBytes, keptBytes, type ChangedBytes } from './original/disk-space.ts'

/** A new id. Ids sort by time. */
export const newChangeId = (): ChangeId => String(newRunId()) as ChangeId

/** Names that change in the pause: each is waited for until it is on the disk. */
const swapMs = 20
/** Bytes a second that a disk takes, written and synced, with the journal before. */
const overwriteRateFloor = 60e6

export interface ChangeCost {
  /** For a live set that was not written meanwhile. */
  readonly predictedPauseMs: number
  /** For the kept original and the files beside the live ones. */
  readonly needsBytes: number
}

/** @param differing bytes of the pages that an in-place change writes */
export function estimateChange(
  files: readonly (ChangedBytes & { readonly differing: number })[],
  method: ChangeMethod,
): ChangeCost {
  const written = method === 'swap' ? 0 : files.reduce((sum, { differing }) => sum + differing, 0)
  return {
    predictedPauseMs:
      predictPauseMs(files.length, 0, null) + swapMs * files.length + (written / overwriteRateFloor) * 1000,
    needsBytes: files.reduce(
      (sum, file) => sum + keptBytes(file) + (method === 'swap' ? besideBytes(file) : file.differing),
      0,
    ),
  }
}
