/** The proofs of a pinned snapshot: what was observed before and after the copy, to show that nothing moved. */
import { sleep } from '../../host/clock.ts'
import { Failure } from '../../model/failure.ts'
import type { LiveSetPart, Proof } from '../../model/result/evidence.ts'
import type { LiveFiles } from '../live/live-files.ts'
import { findMoved, observeFiles } from '../seal/proof.ts'

/** Kernels before 6.13 stamp the times of files by their tick, which is 10 ms at most. */
const tickMs = 10

/**
 * The first proof. Resolves when any later write would give a file another time than the one that was observed.
 * @throws {Failure} WRITER_SEEN; the signal's reason
 */
export async function proveStill(files: LiveFiles, parts: readonly LiveSetPart[], signal: AbortSignal): Promise<Proof> {
  const proof = observeFiles(files, parts)
  const justChanged = proof.files.some(({ ctimeNs }) => Date.now() - Number(ctimeNs) / 1e6 <= 2 * tickMs)
  if (justChanged) await sleep(tickMs, signal)
  return proof
}

/**
 * The second proof, of the same parts.
 * @throws {Failure} COPY_CHANGED
 */
export function proveStillAgain(files: LiveFiles, parts: readonly LiveSetPart[], before: Proof): Proof {
  const after = observeAfter(files, parts)
  const moved = findMoved(before, after)
  if (moved !== null) throw new Failure('COPY_CHANGED', `${files.path}: ${moved} changed while the copy was made`)
  return after
}

function observeAfter(files: LiveFiles, parts: readonly LiveSetPart[]): Proof {
  try {
    return observeFiles(files, parts)
  } catch (error) {
    if (error instanceof Failure) throw new Failure('COPY_CHANGED', error.message, { cause: error })
    throw error
  }
}
