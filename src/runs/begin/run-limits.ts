/** How much a run may do at the same time, and with how much memory, time and space. */

import { statfs } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import type { Settings } from '../../config/settings.ts'
import type { RunLimits } from './run-context.ts'

export const checksInParallel = ({ check }: Pick<Settings, 'check'>): number =>
  check.workers === 'auto' ? availableParallelism() : check.workers

export const checkLimits = ({
  check,
}: Pick<Settings, 'check'>): {
  readonly timeoutMs: number
  readonly memoryBytesMax: number
  readonly niceness: number
} => ({ timeoutMs: check.timeoutMs, memoryBytesMax: check.memoryBytes, niceness: check.niceness })

/** Snapshots may take half of the free space. The other half is for the service. */
export async function limitsFor(
  folder: string,
  depth: RunLimits['depth'],
  maxPaused: number,
  checksAtOnce: number,
  besidePaused: number,
): Promise<RunLimits> {
  const { bavail, bsize } = await statfs(folder)
  const snapshotsMax = checksAtOnce + maxPaused + besidePaused + 1
  return {
    depth,
    maxPaused,
    besidePaused,
    checksInParallel: checksAtOnce,
    mayBegin: () => true,
    leadingTargets: 0,
    snapshotsMax,
    snapshotBytesMax: (bavail * bsize) / 2,
  }
}

/** While one tenant is paused, the next one is prepared, and the snapshot of the one before is hashed. */
export const besidePausedTenant = 2
/** A bare file is watched for 30 ms before it is locked. Several are watched in parallel, or a folder takes long. */
export const besideLockedFile = 10
