import { prctl } from '../libc.ts'

/**
 * The kernel kills us when our parent dies, also in a loop that never returns. A change of user removes this, so
 * `confine` calls it again.
 * @param parent its pid. The kernel does not report a death before this call; we then end immediately.
 */
export function dieWithParent(parent: number): void {
  if (process.platform === 'linux') {
    const PR_SET_PDEATHSIG = 1
    const SIGKILL = 9
    prctl(PR_SET_PDEATHSIG, SIGKILL)
  }
  if (process.ppid !== parent) process.exit()
}
