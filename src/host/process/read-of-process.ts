/**
 * Reads files of /proc/PID for which the kernel may let us wait. It does so while the process changes its memory, or is
 * stuck in it, as behind a dead network mount. Such a read cannot be ended, and it keeps one of the four threads with
 * which Node reads files. So those that want the same file share a read, and nothing more is read while two of them are
 * stuck.
 */
import { readFile } from 'node:fs/promises'
import { nextTurn, startDeadline } from '../clock.ts'

/** A process that only works answers much sooner, on a busy machine too. */
const answerMsMax = 5_000
const stuckMax = 2

const reading = new Map<string, Promise<string>>()
const stuck = new Set<string>()

/** True while a read is stuck. A program then has to end with `endProcess`, because Node would wait for the read. */
export const isReadStuck = (): boolean => stuck.size > 0

/**
 * @param over resolves when there is no time left; left out: there is
 * @returns null if the process does not answer, or if there was no time
 * @throws what reading throws, such as ENOENT for a process that is gone
 */
export async function readOfProcess(path: string, over: Promise<unknown> = never()): Promise<string | null> {
  if (stuck.has(path)) return null
  const shared = reading.get(path)
  if (shared === undefined && stuck.size >= stuckMax) return null
  const text = shared ?? begin(path)
  using deadline = startDeadline(answerMsMax)
  const { promise: tooLong, resolve: end } = Promise.withResolvers<void>()
  deadline.signal.addEventListener('abort', () => end(), { once: true })
  const found = await Promise.race([text, lateAfter(Promise.race([over, tooLong]))])
  if (found === null && reading.has(path)) stuck.add(path)
  return found
}

function begin(path: string): Promise<string> {
  const text = readFile(path, 'utf8')
  reading.set(path, text)
  const end = (): void => {
    reading.delete(path)
    stuck.delete(path)
  }
  text.then(end, end)
  return text
}

const never = (): Promise<never> => new Promise(() => undefined)

/** What came while this process was busy has arrived two turns later. */
async function lateAfter(end: Promise<unknown>): Promise<null> {
  await end
  await nextTurn()
  await nextTurn()
  return null
}
