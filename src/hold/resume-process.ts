/** Starts the process that resumes what a run left open (resume-child.ts), and waits for its end. */
import { spawn } from 'node:child_process'
import { nodeFlags } from '../host/child.ts'
import { sleep } from '../host/clock.ts'
import { underMask } from '../host/file-mask.ts'
import { programBeside } from '../host/program-beside.ts'
import type { HoldLocks } from '../ledger/hold-locks.ts'
import { exitCodes } from '../model/exit-code.ts'
import type { ResumeOrder } from './guarded-hold.ts'

const attemptsMax = 3
const waitMs = 200

/** What it comes to stands in the ledger. One that could not even begin, or died, is started again. */
export async function resumeInProcess(order: ResumeOrder, locks: HoldLocks | null): Promise<void> {
  for (let attempt = 1; attempt <= attemptsMax; attempt++) {
    const code = await exitCodeOf(order, locks)
    if (code === exitCodes.sound || code === exitCodes.maybePaused) return
    await sleep(waitMs)
  }
}

/** @returns null when it could not be started, or did not end by itself */
function exitCodeOf(order: ResumeOrder, locks: HoldLocks | null): Promise<number | null> {
  return new Promise((resolve) => {
    // A session of its own, and the environment that the run had: a command must find what it would have found there.
    const program = programBeside(import.meta.url, 'resume-child')
    const child = underMask(order.terms.fileMask, () => spawn(process.execPath, [...nodeFlags, program], {
      env: order.terms.env, stdio: ['pipe', 'ignore', 'ignore', locks?.descriptor ?? 'ignore'], detached: true,
    }))
    child.once('error', () => resolve(null))
    child.once('exit', (code) => resolve(code))
    child.stdin?.on('error', () => undefined) // It has died: its end tells.
    // Nothing of it in its arguments or environment, where others could read it.
    child.stdin?.end(JSON.stringify(order))
  })
}
