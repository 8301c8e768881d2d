/** Identifies a process in a file, so that others can see later whether it still runs. */
import { readlinkSync } from 'node:fs'
import { bootId } from '../boot.ts'
import { isAlive, startTimeOf } from './processes.ts'

/** Names one process among all that ever ran. A text is empty if the system does not say. */
export interface OwnerMark {
  readonly pid: number
  readonly startTime: string
  readonly bootId: string
  readonly pidNamespace: string
}

export const ownMark = (): OwnerMark => ({ pid: process.pid, startTime: startTimeOf(process.pid) ?? '', ...machine() })

/**
 * True if the process ran on this machine since its last start, where we can see it, and is gone. False in any doubt.
 */
export function isSurelyGone(owner: OwnerMark): boolean {
  const { bootId, pidNamespace } = machine()
  if (bootId === '' || owner.bootId !== bootId || owner.pidNamespace !== pidNamespace) return false
  if (owner.startTime === '' || isAlive(owner.pid, owner.startTime)) return false
  const startTime = startTimeOf(owner.pid)
  // A zombie is gone. /proc may hide other users' processes, but a refused signal still shows that one exists.
  return startTime !== null || !answersSignal(owner.pid)
}

/** True if the process runs on this machine, where we can see it. False in any doubt. */
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
