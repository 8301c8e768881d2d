/** Kills or freezes a process that takes pinned snapshots, at many moments, beside programs that write. */
import { mkdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually, startNode } from '../processes.ts'
import type { PinnerOrders } from '../programs/live/orders.ts'
import { canCheckpoint } from './ask.ts'

export interface DeathOptions {
  readonly file: string
  readonly folder: string
  readonly signal: 'SIGKILL' | 'SIGSTOP'
  readonly times: number
  /** Ends early when its locks stood at so many of these moments. */
  readonly pinnedTimes?: number
  readonly random: () => number
  /** How long the guardian lets a frozen process keep its locks. */
  readonly maxPinMs: number
  /** Begins nothing new after this time of the monotonic clock. */
  readonly untilMs: number
}

export interface Deaths {
  readonly times: number
  /** How often its locks stood on the file at the moment of the signal. */
  readonly whilePinned: number
  /** The longest time from the signal until no lock of it stood. */
  readonly longestMs: number
}

/** @throws {Error} if locks outlive the process, or if no checkpoint goes through afterwards */
export async function endAtMoments(options: DeathOptions): Promise<Deaths> {
  let [times, whilePinned, longestMs] = [0, 0, 0]
  const pinnedTimes = options.pinnedTimes ?? options.times
  for (; times < options.times && whilePinned < pinnedTimes && performance.now() < options.untilMs; times++) {
    const { pinned, ms } = await endOnce(options, times)
    if (pinned) whilePinned++
    longestMs = Math.max(longestMs, ms)
  }
  return { times, whilePinned, longestMs }
}

async function endOnce(
  { file, folder, signal, random, maxPinMs }: DeathOptions,
  number: number,
): Promise<{ readonly pinned: boolean; readonly ms: number }> {
  const snapshots = join(folder, `${signal}-${number}`)
  mkdirSync(snapshots, { mode: 0o700 })
  const orders: PinnerOrders = { file, folder: snapshots, maxPinMs }
  await using pinner = startNode('test/support/programs/live/pinner.ts', [JSON.stringify(orders)])
  const locks = Math.ceil(random() * 3)
  await eventually(`lock ${locks} of ${file}`, () => pinner.stdout().split('"locked"').length > locks)
  await sleep(random() * 12)
  pinner.kill(signal)
  // A signal is not delivered before kill returns, but soon after it.
  await eventually('the signal has come', () => hasCome(pinner.pid, signal))
  const pinned = isLocked(file)
  const sinceMs = performance.now()
  await eventually('no lock of it stands', () => !isLocked(file), maxPinMs + 10_000)
  const ms = performance.now() - sinceMs
  pinner.kill('SIGKILL')
  await pinner.ended
  await eventually('a checkpoint goes through', () => canCheckpoint(file))
  rmSync(snapshots, { recursive: true })
  return { pinned, ms }
}

function hasCome(pid: number, signal: DeathOptions['signal']): boolean {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const state = text.slice(text.lastIndexOf(')') + 2)[0]
    return signal === 'SIGSTOP' ? state === 'T' || state === 'Z' : state === 'Z' || state === 'X'
  } catch {
    return true
  }
}

/** True if an open file description has a lock on the file: SQLite's own locks belong to processes. */
export function isLocked(file: string): boolean {
  const { dev, ino } = statSync(file, { bigint: true })
  const hex = (number: bigint): string => number.toString(16).padStart(2, '0')
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & 0xfffff000n)
  const minor = (dev & 0xffn) | ((dev >> 12n) & 0xffffff00n)
  const name = ` ${hex(major)}:${hex(minor)}:${ino} `
  return readFileSync('/proc/locks', 'utf8')
    .split('\n')
    .some((line) => line.includes('OFDLCK') && line.includes(name))
}
