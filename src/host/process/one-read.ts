/**
 * Reads of /proc/PID for which the kernel may let us wait: while the process changes its memory, or is stuck in it, as
 * behind a dead network mount. Such a read cannot be ended, and it keeps one of the four threads with which Node reads
 * files. So a process is read once at a time, and nothing more is read while two of them are stuck.
 */
import { nextTurn, startDeadline } from '../clock.ts'

/** A process that only works answers much sooner. */
const patienceMs = 1_000
const stuckMax = 2

const reading = new Map<number, Promise<void>>()
const stuck = new Set<number>()

/** True while a read is stuck. A program then has to end with `endProcess`, because Node would wait for the read. */
export const isReadStuck = (): boolean => stuck.size > 0

/**
 * @param over resolves when there is no time left
 * @returns `stuck` if the process does not answer, or if there was no time
 * @throws what `read` throws
 */
export async function readOnce<Value>(
  pid: number,
  over: Promise<unknown>,
  read: () => Promise<Value>,
): Promise<Value | 'stuck'> {
  using patience = startDeadline(patienceMs)
  const { promise: tooLong, resolve: end } = Promise.withResolvers<void>()
  patience.signal.addEventListener('abort', () => end(), { once: true })
  const late = lateAfter(Promise.race([over, tooLong]))
  for (let other; (other = reading.get(pid)) !== undefined;)
    if ((await Promise.race([other, late])) === 'stuck') return 'stuck'
  if (stuck.size >= stuckMax) return 'stuck'
  const value = read()
  const ended = value.then(
    () => undefined,
    () => undefined,
  )
  reading.set(pid, ended)
  void ended.then(() => {
    reading.delete(pid)
    stuck.delete(pid)
  })
  const found = await Promise.race([value, late])
  if (found === 'stuck') stuck.add(pid)
  return found
}

/** What came while this process was busy has arrived two turns later. */
async function lateAfter(end: Promise<unknown>): Promise<'stuck'> {
  await end
  await nextTurn()
  await nextTurn()
  return 'stuck'
}
