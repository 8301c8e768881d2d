/** Starts the process that resumes what a run left open (resume-child.ts), and waits for its end. */
import { spawn } from 'node:child_process'
import { monotonicMs, sleep } from '../../host/clock.ts'
import { nodeFlags } from '../../host/process/child.ts'
import { underMask } from '../../host/process/file-mask.ts'
import { programBeside } from '../../host/process/program-beside.ts'
import type { HoldLocks } from '../../ledger/run-lock/hold-locks.ts'
import { exitCodes } from '../../model/exit-code.ts'
import type { ResumeOrder } from './guarded-hold.ts'

const attemptsMax = 3
const waitMs = 200
/**
 * A run is often killed because the machine ran out of memory or processes. Then this process may not start either, or
 * is killed too. By hooks nothing else ends the pause, so it is tried for long.
 */
const shortage = { waitMsMax: 5_000, endsAfterMs: 600_000 } as const

/** What it comes to stands in the ledger. One that could not even begin, or died, is started again. */
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

/** @returns null when it could not be started, or a signal ended it */
function exitCodeOf(order: ResumeOrder, locks: HoldLocks | null): Promise<number | null> {
  return new Promise<number | null>((resolve) => {
    // A session of its own, and the environment that the run had: a command must find what it would have found there.
    const program = programBeside(import.meta.url, 'resume-child')
    const child = underMask(order.terms.fileMask, () =>
      spawn(process.execPath, [...nodeFlags, program], {
        env: order.terms.env,
        stdio: ['pipe', 'ignore', 'ignore', locks?.descriptor ?? 'ignore'],
        detached: true,
      }),
    )
    child.once('error', () => resolve(null))
    child.once('exit', (code) => resolve(code))
    child.stdin?.on('error', () => undefined) // It has died: its end tells.
    // Nothing of it in its arguments or environment, where others could read it.
    child.stdin?.end(JSON.stringify(order))
  }).catch(() => null) // Node throws some errors of a start, and tells of others later.
}
