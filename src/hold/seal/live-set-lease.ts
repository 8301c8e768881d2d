/**
 * Kernel leases on every file of an open live set. While they stand, the kernel knows no other open or mapping of one
 * of the files. That covers every process, container and mount namespace (hold/README.md F3, I1.3). They harm no
 * program as long as they are released when it opens a file (F12).
 */
import { monotonicMs, sleep } from '../../host/clock.ts'
import { leaseOf, onLeaseBreak, releaseLease, takeWriteLease } from '../../host/locks/kernel-lease.ts'
import type { LiveSetPart } from '../../model/result/evidence.ts'
import type { LiveFiles } from '../live/live-files.ts'

export interface LiveSetLease extends Disposable {
  readonly kind: 'held'
  /** How many files are leased. */
  readonly count: number
  /** False as soon as another program asks for one of the files, even if its signal has not reached us yet. */
  isUnbroken(): boolean
}

export type LeaseOutcome =
  | LiveSetLease
  /** Another program has the part open or mapped. */
  | { readonly kind: 'refused'; readonly part: LiveSetPart }
  /** The kernel says nothing about other programs. */
  | { readonly kind: 'unsupported'; readonly part: LiveSetPart; readonly why: string }

/**
 * Takes leases on all files or on none.
 * @param waitMs how long to ask again for a file that another program has: a backup or an indexer may read it briefly
 */
export async function leaseLiveSet(files: LiveFiles, waitMs: number, signal: AbortSignal): Promise<LeaseOutcome> {
  const leased: LiveSetPart[] = []
  const release = (): void => {
    for (const part of leased) if (files.has(part)) releaseLease(files.descriptor(part))
  }
  try {
    for (const part of files.parts) {
      const answer = await leaseWithin(files.descriptor(part), waitMs, signal)
      if (answer.kind !== 'granted') {
        release()
        return { ...answer, part }
      }
      leased.push(part)
    }
  } catch (error) {
    release()
    throw error
  }
  let held = true
  return {
    kind: 'held',
    count: leased.length,
    isUnbroken: () => held && leased.every((part) => leaseOf(files.descriptor(part)) === 'write'),
    [Symbol.dispose]: () => {
      if (held) release()
      held = false
    },
  }
}

async function leaseWithin(
  descriptor: number,
  waitMs: number,
  signal: AbortSignal,
): Promise<ReturnType<typeof takeWriteLease>> {
  const deadlineMs = monotonicMs() + waitMs
  for (;;) {
    const answer = takeWriteLease(descriptor)
    if (answer.kind !== 'refused' || monotonicMs() >= deadlineMs) return answer
    await sleep(5, signal)
  }
}

/**
 * Calls `giveWay` once, when another program asks for one of the files. The process also hears of leases on other
 * files; they are ignored. Dispose to stop.
 */
export function watchForBreak(lease: LiveSetLease, giveWay: () => void): Disposable {
  const listening = onLeaseBreak(() => {
    if (lease.isUnbroken()) return
    listening[Symbol.dispose]()
    giveWay()
  })
  return listening
}
