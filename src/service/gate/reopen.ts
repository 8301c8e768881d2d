/**
 * Waits until no kernel lease is on the files any more. The process that copied the tenant may be frozen and still hold
 * a lease. SQLite's blocking open would then stop this whole process, for all its tenants, for up to 45 seconds.
 * O_NONBLOCK answers EAGAIN instead, and asks the kernel to break the lease.
 */
import { closeSync, constants, openSync, statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { countOpenHandles, liveSetSuffixes } from './files.ts'

const retryMsFirst = 5
const retryMsMax = 500

/**
 * Resolves when all files can be opened without waiting, or when another obstacle than a lease is there, which `open`
 * will then meet. `onLate` is called once if it takes longer than `lateMs`.
 */
export async function untilUnleased(
  paths: readonly string[],
  lateMs: number,
  onLate: () => void,
  signal: AbortSignal,
): Promise<void> {
  // Opening and closing a file drops all POSIX locks of this process on it. If the service still has a handle open, it
  // would lose SQLite's locks, and a second writer would get in (I1.2). Then the files must not be opened here.
  if (countOpenHandles(paths) !== 0) return
  const late = setTimeout(onLate, lateMs)
  try {
    for (const path of paths.flatMap((main) => liveSetSuffixes.map((suffix) => main + suffix)))
      await untilFree(path, signal)
  } finally {
    clearTimeout(late)
  }
}

async function untilFree(path: string, signal: AbortSignal): Promise<void> {
  for (let waitMs = retryMsFirst; isLeased(path) && !signal.aborted; waitMs = Math.min(waitMs * 2, retryMsMax))
    await sleep(waitMs)
}

function isLeased(path: string): boolean {
  try {
    // Most have no journal and no WAL. An error for each of them takes ten times as long as this check.
    if (!statSync(path, { throwIfNoEntry: false })) return false
    closeSync(openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY))
    return false
  } catch (error) {
    return ['EAGAIN', 'EWOULDBLOCK'].includes((error as NodeJS.ErrnoException).code ?? '')
  }
}
