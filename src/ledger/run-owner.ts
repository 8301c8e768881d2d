/** Who holds the run lock, written down for whoever finds it taken. */
import { readlinkSync } from 'node:fs'
import * as z from 'zod/mini'
import { bootId } from '../host/boot.ts'
import { isAlive, startTimeOf } from '../host/processes.ts'

const shape = z.object({
  pid: z.int().check(z.positive()), startTime: z.string(), bootId: z.string(), pidNamespace: z.string(), run: z.nullable(z.string()), since: z.number(),
})
/** `since` in ms since 1970. The other fields together name one process among all that ever were. */
export type RunOwner = z.infer<typeof shape>

/** The file of the run lock is no longer than this. */
export const ownerBytesMax = 4096

export function ourselves(run: string | null): RunOwner {
  return { pid: process.pid, startTime: startTimeOf(process.pid) ?? '', ...machine(), run, since: Date.now() }
}

/** null for what is empty or was not written by us. */
export function readOwner(text: string): RunOwner | null {
  try {
    return shape.safeParse(JSON.parse(text)).data ?? null
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

/** The process did run on this machine, since its last boot and where we can see it, and it is there no more. Any doubt: false. */
export function isSurelyGone(owner: RunOwner): boolean {
  const { bootId, pidNamespace } = machine()
  if (bootId === '' || owner.bootId !== bootId || owner.pidNamespace !== pidNamespace || owner.startTime === '') return false
  if (isAlive(owner.pid, owner.startTime)) return false
  const startTime = startTimeOf(owner.pid)
  // A zombie is gone. /proc may hide other users' processes; a signal that is refused still tells that somebody is there.
  return startTime !== null || !answersSignal(owner.pid)
}

/** The process runs on this machine, where we can see it. Any doubt: false. */
export function isSurelyThere(owner: RunOwner): boolean {
  const { bootId, pidNamespace } = machine()
  return bootId !== '' && owner.bootId === bootId && owner.pidNamespace === pidNamespace && isAlive(owner.pid, owner.startTime)
}

function answersSignal(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH')
  }
}

function machine(): Pick<RunOwner, 'bootId' | 'pidNamespace'> {
  if (process.platform !== 'linux') return { bootId: '', pidNamespace: '' }
  try {
    return { bootId: bootId(), pidNamespace: readlinkSync('/proc/self/ns/pid') }
  } catch (error) {
    if (error instanceof Error && 'code' in error) return { bootId: '', pidNamespace: '' }
    throw error
  }
}
