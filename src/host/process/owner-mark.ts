/** A process written down, for others to tell later whether it still runs. */
import { readlinkSync } from 'node:fs'
import { bootId } from '../boot.ts'
import { isAlive, startTimeOf } from './processes.ts'

/** Names one process among all that ever were; empty texts where the system does not tell. */
export interface OwnerMark {
  readonly pid: number
  readonly startTime: string
  readonly bootId: string
  readonly pidNamespace: string
}

export const ownMark = (): OwnerMark => ({ pid: process.pid, startTime: startTimeOf(process.pid) ?? '', ...machine() })

/**
 * The process did run on this machine, since its last boot and where we can see it, and it is there no more. Any
 * doubt: false.
 */
export function isSurelyGone(owner: OwnerMark): boolean {
  const { bootId, pidNamespace } = machine()
  if (bootId === '' || owner.bootId !== bootId || owner.pidNamespace !== pidNamespace) return false
  if (owner.startTime === '' || isAlive(owner.pid, owner.startTime)) return false
  const startTime = startTimeOf(owner.pid)
  // A zombie is gone. /proc may hide other users' processes; a signal that is refused still tells that one is there.
  return startTime !== null || !answersSignal(owner.pid)
}

/** The process runs on this machine, where we can see it. Any doubt: false. */
export function isSurelyThere(owner: OwnerMark): boolean {
  const { bootId, pidNamespace } = machine()
  if (bootId === '' || owner.bootId !== bootId || owner.pidNamespace !== pidNamespace) return false
  return isAlive(owner.pid, owner.startTime)
}

function answersSignal(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH')
  }
}

function machine(): Pick<OwnerMark, 'bootId' | 'pidNamespace'> {
  if (process.platform !== 'linux') return { bootId: '', pidNamespace: '' }
  try {
    return { bootId: bootId(), pidNamespace: readlinkSync('/proc/self/ns/pid') }
  } catch (error) {
    if (error instanceof Error && 'code' in error) return { bootId: '', pidNamespace: '' }
    throw error
  }
}
