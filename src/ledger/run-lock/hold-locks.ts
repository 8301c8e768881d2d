/**
 * A lock for each hold that stands open, so that it is resumed by one process at a time: a byte of one file in the
 * ledger's folder. The guardian takes it before the tenant is paused and passes it on to the process that resumes for
 * it; the next run, and `holdfast resume`, wait for it. Such a lock ends with the last process that shares it, however
 * that ends.
 */

import { createHash } from 'node:crypto'
import { closeSync, constants, fchownSync, fstatSync, openSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { monotonicMs, sleep } from '../../host/clock.ts'
import { SystemCallError } from '../../host/libc.ts'
import { tryLock, unlock, type ByteRange } from '../../host/locks/byte-lock.ts'

const fileName = 'resuming.lock'
const askAgainMs = 20

export class HoldLocks implements Disposable {
  /** Whoever inherits it shares its locks. */
  readonly descriptor: number

  private constructor(descriptor: number) {
    this.descriptor = descriptor
  }

  /** null where the folder is not there, or not ours to write in: nobody is kept from resuming by that. */
  static open(dir: string): HoldLocks | null {
    try {
      const { O_RDWR, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants
      const descriptor = openSync(join(dir, fileName), O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600)
      if (!fstatSync(descriptor).isFile()) {
        closeSync(descriptor)
        return null
      }
      giveToOwnerOf(dir, descriptor)
      return new HoldLocks(descriptor)
    } catch (error) {
      if (error instanceof Error && 'errno' in error) return null
      throw error
    }
  }

  /** From the process that started us. */
  static inherited(descriptor: number): HoldLocks {
    return new HoldLocks(descriptor)
  }

  /** A lock that we have, or share, is granted again; so is one on a file system without such locks. */
  take(holder: string): 'granted' | 'refused' {
    try {
      return tryLock(this.descriptor, 'write', byteOf(holder))
    } catch (error) {
      if (error instanceof SystemCallError) return 'granted'
      throw error
    }
  }

  /** Waits while another process has it. */
  async takeWithin(holder: string, ms: number): Promise<'granted' | 'refused'> {
    for (const untilMs = monotonicMs() + ms; ;) {
      const taken = this.take(holder)
      if (taken === 'granted' || monotonicMs() > untilMs) return taken
      await sleep(askAgainMs)
    }
  }

  release(holder: string): void {
    try {
      unlock(this.descriptor, byteOf(holder))
    } catch (error) {
      if (!(error instanceof SystemCallError)) throw error
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.descriptor)
  }
}

/** Holders are told apart by 48 bits: two that met in one byte would only wait for each other. */
const byteOf = (holder: string): ByteRange => ({
  start: createHash('sha256').update(holder).digest().readUIntBE(0, 6),
  length: 1,
})

/** A run as root must not lock the folder's owner out of the next run. */
function giveToOwnerOf(dir: string, descriptor: number): void {
  const { uid, gid } = statSync(dir)
  if (process.getuid?.() === 0 && uid !== 0 && fstatSync(descriptor).uid === 0) fchownSync(descriptor, uid, gid)
}
