import { prctl } from '../libc.ts'

/**
 * The kernel kills us when our parent dies, even in a loop that never returns to hear of it. Lost at a change of user,
 * so `confine` asks again. @param parent its pid: of one that died before we asked, the kernel tells nobody, and we end
 * at once
 */
export function dieWithParent(parent: number): void {
  if (process.platform === 'linux') {
    const PR_SET_PDEATHSIG = 1
    const SIGKILL = 9
    prctl(PR_SET_PDEATHSIG, SIGKILL)
  }
  if (process.ppid !== parent) process.exit()
}
