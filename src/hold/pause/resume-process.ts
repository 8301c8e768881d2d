/** Starts the process that resumes what a run left paused (resume-child.ts), and waits for its end. */
import { spawn } from 'node:child_process'
import { monotonicMs, sleep } from '../../host/clock.ts'
import { nodeFlags } from '../../host/process/child.ts'
import { withFileMask } from '../../host/process/file-mask.ts'
import { programBeside } from '../../host/process/program-beside.ts'
import type { HoldLocks } from '../../ledger/run-lock/hold-locks.ts'
import { exitCodes } from '../../model/exit-code.ts'
import type { ResumeOrder } from './guarded-hold.ts'

const attemptsMax = 3
const waitMs = 200
/**
 * A run is often killed because the machine ran out of memory or processes. Then this process may fail to start, or is
 * killed too. With hooks nothing else ends the pause, so it is tried for long.
 */
const shortage = { waitMsMax: 5_000, endsAfterMs: 600_000 } as const

/** The result is in the ledger. A process that could not start, or died, is started again. */
export async function resumeInProcess(order: ResumeOrder, locks: HoldLocks | null): Promise<void> {
  const untilMs = monotonicMs() + shortage.endsAfterMs
  let pauseMs: number = waitMs
  for (let attempt = 1; attempt <= attemptsMax;) {
    const code = await exitCodeOf(order, locks)
    if (code === exitCodes.sound || code === exitCodes.maybePaused) return
    if (code !== null || monotonicMs() > untilMs) attempt++
    await sleep(pauseMs)
    pauseMs = Math.min(pauseMs * 2, shortage.waitMsMax)
  }
}

/** @returns null if it could not be started, or a signal ended it */
function exitCodeOf(order: ResumeOrder, locks: HoldLocks | null): Promise<number | null> {
  return new Promise<number | null>((resolve) => {
    // In a session of its own, and with the environment of the run, so that its commands find what they need.
    const program = programBeside(import.meta.url, 'resume-child')
    const child = withFileMask(order.terms.fileMask, () =>
      spawn(process.execPath, [...nodeFlags, program], {
        env: order.terms.env,
        stdio: ['pipe', 'ignore', 'ignore', locks?.descriptor ?? 'ignore'],
        detached: true,
      }),
    )
    child.once('error', () => resolve(null))
    child.once('exit', (code) => resolve(code))
    child.stdin?.on('error', () => undefined) // It has died: 'exit' follows.
    // Not in its arguments or environment, where other users could read it.
    child.stdin?.end(JSON.stringify(order))
  }).catch(() => null) // Node throws some errors of a start, and reports others by 'error'.
}
