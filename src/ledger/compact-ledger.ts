import { monotonicMs } from '../host/clock.ts'
import { Failure } from '../model/failure.ts'
import { orFailure } from '../model/or-failure.ts'
import type { Ledger } from './ledger.ts'

/** The report waits for this: so many ms at the end of each run, or a share of the time of a longer run. */
const workMsMin = 2_000
const workShare = 1 / 20
/** The ledger is asked for pieces of this length. */
const pieceMs = 500

/**
 * Compacts the ledger when no tenant is held any more and the results are on the disk. A failure changes no result, so
 * it is only reported.
 */
export async function compactLedger(
  ledger: Pick<Ledger, 'compact'>,
  { runMs, signal, onNotice }: { runMs: number; signal: AbortSignal; onNotice: (notice: string) => void },
): Promise<void> {
  const endsAtMs = monotonicMs() + Math.max(workMsMin, runMs * workShare)
  while (!signal.aborted && monotonicMs() < endsAtMs) {
    const more = await orFailure(ledger.compact(pieceMs))
    if (more instanceof Failure) return onNotice(`it could not be compacted: ${more.message}`)
    if (!more) return
  }
}
