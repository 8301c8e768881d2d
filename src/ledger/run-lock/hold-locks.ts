/**
 * A lock for each open hold, so that one process at a time resumes it: a byte of one file in the ledger's folder. The
 * guardian takes it before the tenant is paused, and passes it to the process that resumes for it. The next run and
 * `holdfast resume` wait for it. The lock ends with the last process that shares it, even if that is killed.
 */

import { createHash } from 'node:crypto'
import { closeSync, constants, fstatSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { monotonicMs, sleep } from '../../host/clock.ts'
import { SystemCallError } from '../../host/libc.ts'
import { tryLock, unlock, type ByteRange } from '../../host/locks/byte-lock.ts'
import { giveToFolderOwner } from '../../host/private-files/folder-owner.ts'

const fileName = 'resuming.lock'
const askAgainMs = 20

export class HoldLocks implements Disposable {
  /** A child process that inherits it shares its locks. */
  readonly descriptor: number

  private constructor(descriptor: number) {
    this.descriptor = descriptor
  }

  /** null if the folder does not exist or cannot be written: tenants are resumed all the same. */
  static open(dir: string): HoldLocks | null {
    try {
      const { O_RDWR, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants
      const descriptor = openSync(join(dir, fileName), O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600)
      if (!fstatSync(descriptor).isFile()) {
        closeSync(descriptor)
        return null
      }
      giveToFolderOwner(descriptor, dir)
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

  /** Also grants a lock that we have or share already, and any lock on a file system without such locks. */
  take(holder: string): 'granted' | 'refused' {
    try {
      return tryLock(this.descriptor, 'write', byteOf(holder))
    } catch (error) {
      if (error instanceof SystemCallError) return 'granted'
      throw error
    }
  }

  /** Waits while another process has it, for at most `ms`. */
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

/** Holders have 48 bits: two holders with the same byte would only wait for each other. */
const byteOf = (holder: string): ByteRange => ({
  start: createHash('sha256').update(holder).digest().readUIntBE(0, 6),
  length: 1,
})
