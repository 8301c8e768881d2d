/** Progress of a comparison: which side of which pair is held or checked. */

import type { SidePair } from '../../model/result/comparison.ts'
import type { PagesObserver } from '../examine.ts'
import type { CheckProgress, ProgressObserver } from '../progress-tracker.ts'

export interface PairProgress {
  beginHold(side: 'a' | 'b'): void
  /** Both sides are being checked. @returns what to call with the pages of each */
  beginChecks(): SidePair<PagesObserver>
}

/** @param done pairs before this one, of `total` */
export function pairProgress(
  names: SidePair<string>,
  done: number,
  total: number,
  observer: ProgressObserver,
): PairProgress {
  const report = (holding: readonly string[], checking: readonly CheckProgress[]): void =>
    observer.onProgress({ done: done * 2, total: total * 2, holding, checking })
  return {
    beginHold: (side) => report([names[side]], []),
    beginChecks: () => {
      const both: SidePair<{ name: string; pages: CheckProgress['pages'] }> = {
        a: { name: names.a, pages: null },
        b: { name: names.b, pages: null },
      }
      const onPagesOf =
        (side: 'a' | 'b'): PagesObserver =>
        (pages) => {
          both[side].pages = pages
          report([], [both.a, both.b])
        }
      report([], [both.a, both.b])
      return { a: onPagesOf('a'), b: onPagesOf('b') }
    },
  }
}
