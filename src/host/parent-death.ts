import { prctl } from './libc.ts'

/**
 * The kernel kills us when our parent dies, even in a loop that never returns to hear of it. Lost at a change of user,
 * so `confine` asks again.
 */
export function dieWithParent(): void {
  if (process.platform !== 'linux') return
  const PR_SET_PDEATHSIG = 1
  const SIGKILL = 9
  prctl(PR_SET_PDEATHSIG, SIGKILL)
}
