/**
 * Reads hostile files in a thread, and watches that thread: reports an input whose reading does not end, and the memory
 * that the inputs took.
 */
import { Worker } from 'node:worker_threads'
import type { HostileAnswer, HostileTask } from './hostile-thread.ts'

/** The reading of an input that takes longer counts as one that does not end, on the busiest machine. */
const inputMsMax = 30_000
/** Processor time for one input of some hundred kilobytes. */
const cpuMsMax = 2000
/** Bytes above the memory of the process at the first input. */
const memoryBytesMax = 512e6
const watchEveryMs = 100
/** Progress is reported after this many inputs. */
const reportEvery = 10_000

/** @returns false if an input threw, did not end, took too long or too much memory */
export async function fuzzHostile(inputs: number, firstSeed: number, say: (line: string) => void): Promise<boolean> {
  const progress = new Int32Array(new SharedArrayBuffer(4))
  const task: HostileTask = { inputs, firstSeed, progress }
  const thread = new Worker(new URL('hostile-thread.ts', import.meta.url), { workerData: task })
  const watch = watchOver(progress, thread, say)
  try {
    const answer = await new Promise<HostileAnswer | null>((resolve, reject) => {
      thread.once('message', resolve)
      thread.once('error', reject)
      thread.once('exit', () => resolve(null))
    })
    const memory = watch.peak - watch.before
    if (answer === null) return false
    if (answer.kind === 'threw') {
      say(`seed ${answer.seed} (${answer.what}): ${answer.error}`)
      return false
    }
    const { slowest } = answer
    say(
      `${inputs} inputs from ${answer.specimens} databases: ${answer.findings} findings, nothing found ` +
        `in ${answer.silent}; ${(answer.ms / inputs).toFixed(1)} ms each, the slowest ` +
        `${slowest.cpuMs.toFixed(0)} ms of processor time (seed ${slowest.seed}, ${slowest.bytes} bytes: ` +
        `${slowest.what}); memory ${mb(watch.before)} before, ${mb(watch.peak)} at its peak`,
    )
    if (slowest.cpuMs > cpuMsMax) say('AN INPUT TOOK TOO LONG')
    if (memory > memoryBytesMax) say('TOO MUCH MEMORY')
    return slowest.cpuMs <= cpuMsMax && memory <= memoryBytesMax
  } finally {
    watch.stop()
    await thread.terminate()
  }
}

const mb = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`

/** @param progress the number of the current input, from 1 */
function watchOver(
  progress: Int32Array,
  thread: Worker,
  say: (line: string) => void,
): { readonly before: number; readonly peak: number; readonly stop: () => void } {
  const seen = { input: 0, since: performance.now() }
  let reported = 0
  const memory = { before: process.memoryUsage.rss(), peak: 0 }
  const timer = setInterval(() => {
    const input = Atomics.load(progress, 0)
    if (input <= 1) memory.before = process.memoryUsage.rss()
    memory.peak = Math.max(memory.peak, process.memoryUsage.rss())
    if (input - reported > reportEvery) say(`${(reported = input - 1)} inputs without a failure`)
    if (input !== seen.input) Object.assign(seen, { input, since: performance.now() })
    else if (input > 0 && performance.now() - seen.since > inputMsMax) {
      say(`INPUT ${input} DOES NOT END: its seed is the first seed plus ${input - 1}`)
      void thread.terminate()
    }
  }, watchEveryMs)
  return {
    get before() {
      return memory.before
    },
    get peak() {
      return memory.peak
    },
    stop: () => clearInterval(timer),
  }
}
