/** Is a hold that stands open in the ledger that of a run at work, or was it left behind? */
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { ageOf } from '../model/age.ts'
import type { OpenHold } from '../model/event.ts'
import type { OtherHold } from '../model/service-way.ts'
import { lockFile } from './folder.ts'
import { isSurelyGone, isSurelyThere, ownerBytesMax, readOwner, type RunOwner } from './run-owner.ts'

/**
 * A hold was left behind when its lease must have ended; when its run is gone, or has given the run lock to another; and when it was asked for at a time that
 * is yet to come, for then nobody knows when its lease ends.
 * @param service whose hold it is; null where that is not known
 */
export async function isAtWork(dir: string, service: string | null, hold: OpenHold, now: number): Promise<boolean> {
  if (hold.endsBy < now || ageOf(hold.askedAt, now) === null) return false
  const owner = service === null ? null : await ownerOf(dir, service)
  if (owner === null) return true
  return owner.run === hold.run && !isSurelyGone(owner)
}

/** Of holds of others those that nobody is at work on. */
export async function leftBehind(holds: readonly OtherHold[], dir: string): Promise<readonly OtherHold[]> {
  const now = Date.now()
  const atWork = await Promise.all(holds.map((hold) => isAtWork(dir, hold.service, hold, now)))
  return holds.filter((_, at) => atWork[at] !== true)
}

/** Does a run of this service surely work now? For those who cannot take its lock. */
export async function runAtWork(dir: string, service: string): Promise<RunOwner | null> {
  const owner = await ownerOf(dir, service)
  return owner !== null && isSurelyThere(owner) ? owner : null
}

/** Who signed the run lock last; null where nobody did, or that cannot be read. */
async function ownerOf(dir: string, service: string): Promise<RunOwner | null> {
  try {
    await using file = await open(`${lockFile(dir, service)}.json`, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    if (!(await file.stat()).isFile()) return null
    const { buffer, bytesRead } = await file.read(Buffer.alloc(ownerBytesMax), 0, ownerBytesMax, 0)
    return readOwner(buffer.toString('utf8', 0, bytesRead))
  } catch (error) {
    if (error instanceof Error && 'code' in error) return null
    throw error
  }
}
