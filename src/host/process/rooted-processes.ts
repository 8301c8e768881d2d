import { readdirSync, readlinkSync } from 'node:fs'
import { monotonicMs, sleep } from '../clock.ts'

const killMsMax = 2_000

/**
 * Kills every process whose root folder is `folder`, until none is left or two seconds are over. A process that a
 * confined child started may have left its session and its parent, but it cannot leave its root.
 * @param folder as the kernel names it (`pathOf`)
 */
export async function killRootedIn(folder: string): Promise<void> {
  const endsAtMs = monotonicMs() + killMsMax
  for (let found = findRootedIn(folder); found.length > 0 && monotonicMs() < endsAtMs; found = findRootedIn(folder)) {
    for (const pid of found) killIfThere(pid)
    await sleep(2)
  }
}

function findRootedIn(folder: string): readonly number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && rootOf(pid) === folder)
}

/** null for a process that has ended, or that we may not inspect. */
function rootOf(pid: number): string | null {
  try {
    return readlinkSync(`/proc/${pid}/root`)
  } catch {
    return null
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
