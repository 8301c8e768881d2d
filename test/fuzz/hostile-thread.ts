/** The thread that reads hostile files, one seed after the other. */
import { parentPort, workerData } from 'node:worker_threads'
import { makeHostile, makeSpecimens } from '../support/differential/hostile-inputs.ts'
import { readHostile } from '../support/differential/read-hostile.ts'

export interface HostileTask {
  readonly inputs: number
  readonly firstSeed: number
  /** The number of the current input, from 1. */
  readonly progress: Int32Array
}

interface SlowestInput {
  readonly cpuMs: number
  readonly seed: number
  readonly bytes: number
  readonly what: string
}

export type HostileAnswer =
  | {
      readonly kind: 'ended'
      readonly specimens: number
      readonly findings: number
      readonly silent: number
      readonly ms: number
      readonly slowest: SlowestInput
    }
  | { readonly kind: 'threw'; readonly seed: number; readonly what: string; readonly error: string }

const task = workerData as HostileTask
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port of a thread has none
parentPort?.postMessage(read())

function read(): HostileAnswer {
  const specimens = makeSpecimens(40, 100_000)
  const began = performance.now()
  let slowest: SlowestInput = { cpuMs: 0, seed: 0, bytes: 0, what: '' }
  let findings = 0
  let silent = 0
  for (let i = 0; i < task.inputs; i++) {
    const seed = task.firstSeed + i
    Atomics.store(task.progress, 0, i + 1)
    const input = makeHostile(specimens, seed)
    const what = `${input.name}: ${input.done.join(', ')}`
    try {
      const before = process.threadCpuUsage()
      const found = readHostile(input)
      const { user, system } = process.threadCpuUsage(before)
      const cpuMs = (user + system) / 1000
      if (cpuMs > slowest.cpuMs) slowest = { cpuMs, seed, bytes: input.bytes.length, what }
      findings += found
      if (found === 0) silent++
    } catch (error) {
      return {
        kind: 'threw',
        seed,
        what,
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      }
    }
  }
  return { kind: 'ended', specimens: specimens.length, findings, silent, ms: performance.now() - began, slowest }
}
