/** A pin that stands for as long as a test wants: the second process, which a pinned hold asks, is stopped. */
import { openSync, closeSync } from 'node:fs'
import { startHoldProcesses } from '../../../src/hold/hold-processes.ts'
import type { HoldResult } from '../../../src/hold/hold.ts'
import { findConflict } from '../../../src/host/locks/byte-lock.ts'
import { shmLockBytes } from '../../../src/sqlite/lock-bytes.ts'
import type { HoldFixture } from '../hold/hold-fixture.ts'
import { descendantsRunning, eventually } from '../processes.ts'
import { pinOptions, type PinOptions } from './pinned-files.ts'

/** Whether an open file description has the checkpoint byte. Takes nothing. */
export function isPinned(file: string): boolean {
  const shm = openSync(`${file}-shm`, 'r+')
  try {
    return findConflict(shm, 'write', { start: shmLockBytes.checkpoint, length: 1 })?.pid === null
  } finally {
    closeSync(shm)
  }
}

/**
 * Runs `work` while the pin of the first attempt stands.
 * @returns the outcome of the hold, after all of its attempts
 */
export async function whilePinned(
  fixture: HoldFixture,
  file: string,
  options: PinOptions & { readonly signal?: AbortSignal },
  work: () => Promise<void>,
): Promise<HoldResult> {
  const before = descendantsRunning(process.pid, 'probe-child')
  await using processes = await startHoldProcesses()
  await processes.probe.ready()
  const [probe] = descendantsRunning(process.pid, 'probe-child').filter((pid) => !before.includes(pid))
  if (probe === undefined) throw new Error('the probe does not run')
  let stopped = false
  const { signal } = options
  const { onStep, ...pinned } = pinOptions(options)
  const held = fixture.holdBare(file, {
    ...pinned,
    processes,
    ...(signal === undefined ? {} : { signal }),
    onStep: (step, of) => {
      if (step === 'locked' && !stopped) process.kill(probe, 'SIGSTOP')
      stopped ||= step === 'locked'
      onStep?.(step, of)
    },
  })
  held.catch(() => {}) // It is awaited below.
  try {
    await eventually('the pin stands', () => isPinned(file))
    await work()
  } finally {
    process.kill(probe, 'SIGCONT')
  }
  return await held
}
