/**
 * How long a copy keeps writers waiting that use a rollback journal. While SHARED stands, a commit waits with PENDING,
 * and from then on new readers wait too (README.md L11). So the wait is predicted before, and ended at its limit.
 */
import { monotonicMs } from '../../host/clock.ts'
import { Failure } from '../../model/failure.ts'
import type { LiveLimits } from '../hold-request.ts'
import { readIntoCache, measureCopyRate } from '../snapshot/warm-copy.ts'
import type { PinTask } from './pin-task.ts'

/** SQLite sleeps so long, at most, before it tries a lock again. A commit waits for that in addition. */
export const napMs = 100

/** Proofs, probes and the wait for the next time stamp. */
const besidesCopyMs = 20

/** How long SHARED may stand. */
export const sharedMsMax = ({ maxWriterWaitMs }: LiveLimits): number => Math.max(0, maxWriterWaitMs - napMs)

/**
 * Predicts the wait by the rate of a copy, and then reads the file into the cache. To be called while nothing is
 * locked, and no watch of the guardian runs. Where blocks are shared, a copy of any file takes milliseconds.
 * @throws {Failure} TOO_LARGE_FOR_PAUSE, NO_SPACE; the signal's reason
 */
export async function requireShortWait(
  { files, draft, preflight, limits }: Pick<PinTask, 'files' | 'draft' | 'preflight' | 'limits'>,
  signal: AbortSignal,
): Promise<void> {
  if (preflight.reflink) return
  const cold = await measureCopyRate(files, draft, signal) // It reads from the disk.
  const rate = Math.max(cold, await measureCopyRate(files, draft, signal))
  const copyBytes = preflight.mainBytes + preflight.tailBytes
  const predictedMs = besidesCopyMs + (rate === 0 ? 0 : (copyBytes / rate) * 1000)
  if (predictedMs > sharedMsMax(limits))
    throw new Failure(
      'TOO_LARGE_FOR_PAUSE',
      `a copy of ${files.path} would keep programs that write to it waiting for about ` +
        `${Math.ceil(predictedMs + napMs)} ms; live.maxWriterWait is ${limits.maxWriterWaitMs} ms`,
      { hint: shorterWait },
    )
  await readIntoCache(files, signal)
}

const shorterWait =
  'use WAL mode or a file system with reflinks (xfs, btrfs), where writers hardly wait; or raise live.maxWriterWait, ' +
  'if the busy timeout of the programs is longer'

/** How long SHARED may still stand, and what then ended the copy. */
export function limitOfWait({ files, limits, sharedSinceMs }: PinTask): {
  readonly maxMs: number
  readonly why: Failure
} {
  const maxMs = sharedMsMax(limits)
  return {
    maxMs: Math.max(0, sharedSinceMs + maxMs - monotonicMs()),
    why: new Failure(
      'TOO_LARGE_FOR_PAUSE',
      `the copy of ${files.path} was not done after ${maxMs} ms: holdfast ended it, because ` +
        `live.maxWriterWait is ${limits.maxWriterWaitMs} ms`,
      { hint: `try again when the disk is less busy; or ${shorterWait}` },
    ),
  }
}
