/**
 * Is the run that left a hold open still at work? Told by the run lock of its service (run-lock.ts), which it keeps to
 * its end.
 */

import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { bootId } from '../../host/boot.ts'
import { findConflict } from '../../host/locks/byte-lock.ts'
import { Failure } from '../../model/failure.ts'
import { lockFile } from '../folder.ts'
import { isSurelyGone, isSurelyThere, ownerBytesMax, readOwner, type RunOwner } from './run-owner.ts'

/** @returns whether a run, by its id, is surely gone; never true in doubt. Asks the system once, for all runs. */
export async function goneRuns(dir: string, service: string): Promise<(run: string) => boolean> {
  const lock = await lookAtLock(dir, service)
  if (lock === null) return () => false
  const { owner, kernel } = lock
  // Who has the lock now was given it after the end of all runs before.
  const isFree = kernel === 'free' && owner.bootId !== '' && owner.bootId === bootId()
  return (run) => owner.run !== run || isFree || isSurelyGone(owner)
}

/** Who surely works on this service now; null in doubt. For those who cannot take its lock. */
export async function runAtWork(dir: string, service: string): Promise<RunOwner | null> {
  const lock = await lookAtLock(dir, service)
  return lock !== null && lock.kernel !== 'free' && isSurelyThere(lock.owner) ? lock.owner : null
}

interface LockSeen {
  readonly owner: RunOwner
  readonly kernel: 'held' | 'free' | 'unknown'
}

/** null where it is not there, or may not be read. */
async function lookAtLock(dir: string, service: string): Promise<LockSeen | null> {
  try {
    await using file = await open(
      `${lockFile(dir, service)}.json`,
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

function kernelLockOf(file: FileHandle): LockSeen['kernel'] {
  try {
    return findConflict(file.fd, 'write', { start: 0, length: 1 }) === null ? 'free' : 'held'
  } catch (error) {
    if (error instanceof Failure || (error instanceof Error && 'errno' in error)) return 'unknown'
    throw error
  }
}
