/**
 * Tells whether the run of an open hold is still at work. The run lock of its service (`run-lock.ts`) shows it, because
 * a run keeps that lock to its end.
 */

import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { bootId } from '../../host/boot.ts'
import { findConflict } from '../../host/locks/byte-lock.ts'
import { isSurelyGone, isSurelyThere } from '../../host/process/owner-mark.ts'
import { Failure } from '../../model/failure.ts'
import { runLockFile } from '../folder.ts'
import type { RunOwner } from './run-owner.ts'

/** @returns a test for run ids: true if the run is gone, false in doubt. The system is asked once for all runs. */
export async function goneRuns(dir: string, service: string): Promise<(run: string) => boolean> {
  const lock = await readLock(dir, service)
  if (lock === null) return () => false
  const { owner, kernel } = lock
  // The run that has the lock now got it after the end of all earlier runs.
  const isFree = kernel === 'free' && owner.bootId !== '' && owner.bootId === bootId()
  return (run) => owner.run !== run || isFree || isSurelyGone(owner)
}

/** The run that is at work on this service; null in doubt. For callers that cannot take its lock. */
export async function runAtWork(dir: string, service: string): Promise<RunOwner | null> {
  const lock = await readLock(dir, service)
  return lock !== null && lock.kernel !== 'free' && isSurelyThere(lock.owner) ? lock.owner : null
}

interface LockState {
  readonly owner: RunOwner
  readonly kernel: 'held' | 'free' | 'unknown'
}

/** null if it does not exist, or cannot be read. */
async function readLock(dir: string, service: string): Promise<LockState | null> {
  // Loaded here: the library for shapes takes longer than a check of a small file, which has no lock to read.
  const { ownerBytesMax, readOwner } = await import('./run-owner.ts')
  try {
    await using file = await open(
      `${runLockFile(dir, service)}.json`,
      constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
    )
    const { buffer, bytesRead } = await file.read(Buffer.alloc(ownerBytesMax), 0, ownerBytesMax, 0)
    const owner = readOwner(buffer.toString('utf8', 0, bytesRead))
    return owner === null ? null : { owner, kernel: kernelLockOf(file) }
  } catch (error) {
    if (error instanceof Error && 'code' in error) return null
    throw error
  }
}

function kernelLockOf(file: FileHandle): LockState['kernel'] {
  try {
    return findConflict(file.fd, 'write', { start: 0, length: 1 }) === null ? 'free' : 'held'
  } catch (error) {
    if (error instanceof Failure || (error instanceof Error && 'errno' in error)) return 'unknown'
    throw error
  }
}
