/**
 * Kernel leases on every file of an open live set: the kernel's word that nobody else has one of them open or mapped,
 * in any process, container or mount namespace (hold/README.md F3, I1.3). They harm nobody as long as they are given up
 * when somebody opens a file (F12).
 */
import { monotonicMs, sleep } from '../../host/clock.ts'
import { leaseOf, onLeaseBreak, releaseLease, takeWriteLease } from '../../host/locks/kernel-lease.ts'
import type { LiveSetPart } from '../../model/result/evidence.ts'
import type { LiveFiles } from '../live/live-files.ts'

export interface LiveSetLease extends Disposable {
  readonly kind: 'held'
  /** How many files are leased. */
  readonly count: number
  /** True until somebody asks for one of the files; the signal of it may not have reached us yet. */
  isUnbroken(): boolean
}

export type LeasedOrNot =
  | LiveSetLease
  /** Somebody else has the part open or mapped. */
  | { readonly kind: 'refused'; readonly part: LiveSetPart }
  /** Nothing is said about others. */
  | { readonly kind: 'unsupported'; readonly part: LiveSetPart; readonly why: string }

/**
 * Takes all or none.
 * @param patienceMs how long a file is asked for that somebody has: a backup or an indexer may look at it for a moment
 */
export async function leaseLiveSet(files: LiveFiles, patienceMs: number, signal: AbortSignal): Promise<LeasedOrNot> {
  const leased: LiveSetPart[] = []
  const release = (): void => {
    for (const part of leased) if (files.has(part)) releaseLease(files.descriptor(part))
  }
  try {
    for (const part of files.parts) {
      const answer = await leaseWithPatience(files.descriptor(part), patienceMs, signal)
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

async function leaseWithPatience(
  descriptor: number,
  patienceMs: number,
  signal: AbortSignal,
): Promise<ReturnType<typeof takeWriteLease>> {
  const deadlineMs = monotonicMs() + patienceMs
  for (;;) {
    const answer = takeWriteLease(descriptor)
    if (answer.kind !== 'refused' || monotonicMs() >= deadlineMs) return answer
    await sleep(5, signal)
  }
}

/**
 * Calls `giveWay` once, when somebody asks for one of the files; of leases on other files the process hears too.
 * Dispose to stop.
 */
export function onceBroken(lease: LiveSetLease, giveWay: () => void): Disposable {
  const listening = onLeaseBreak(() => {
    if (lease.isUnbroken()) return
    listening[Symbol.dispose]()
    giveWay()
  })
  return listening
}
