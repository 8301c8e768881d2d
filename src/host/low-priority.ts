/**
 * How a child process makes way for the service: it gets less of the processors, and the kernel kills it first when
 * memory runs out. The child works without any of it too, so a refusal of the system is no error.
 */
import { writeFileSync } from 'node:fs'
import { setPriority } from 'node:os'
import { isSystemError, nameOfError } from './failures/system-failure.ts'

interface RunningChild {
  readonly pid: number
  readonly isRunning: boolean
}

/**
 * Linux divides the processors among sessions first (autogroup). The niceness of a process counts only within its
 * session. A child with a session of its own would get the same share as the service. So its session gets it, too.
 */
export function lowerPriority(
  child: RunningChild,
  { niceness, ownSession }: { readonly niceness: number; readonly ownSession: boolean },
): void {
  unlessRefused(() => setPriority(child.pid, niceness))
  if (ownSession) setSessionNiceness(child, niceness, attemptsMax)
}

/** The kernel answers EAGAIN to a user without rights if anybody has set one within the last 100 ms. */
const attemptsMax = 20
const apartMs = 150

function setSessionNiceness(child: RunningChild, niceness: number, attempts: number): void {
  if (!child.isRunning) return // By now its pid may be that of another process.
  try {
    writeFileSync(`/proc/${child.pid}/autogroup`, String(niceness))
  } catch (error) {
    if (!isSystemError(error)) throw error
    if (nameOfError(error) !== 'EAGAIN' || attempts === 1) return
    setTimeout(() => setSessionNiceness(child, niceness, attempts - 1), apartMs).unref()
  }
}

/** When memory runs out, the kernel should kill our child and not the service (I4.1). */
export function preferForOomKill(pid: number): void {
  unlessRefused(() => writeFileSync(`/proc/${pid}/oom_score_adj`, '1000'))
}

/**
 * null if the system refused the call. A started process must not be lost because of it, and an error in a timer would
 * end this process.
 */
export function unlessRefused<Done>(work: () => Done): Done | null {
  try {
    return work()
  } catch (error) {
    if (isSystemError(error)) return null
    throw error
  }
}
