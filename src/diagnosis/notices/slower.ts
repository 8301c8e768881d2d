/** Notices about a check or a pause that took far longer than this file's history lets expect. Pure. */

import type { Finding } from '../../model/result/finding.ts'
import type { Pace } from '../../model/result/last-good.ts'
import { humanMs } from '../../text/units.ts'
import { theFile } from '../messages/schema-view.ts'

/** With fewer earlier checks, chance may be all there is. */
const earlierMin = 5
/** The median does not move with one slow night. Five times as long is more than a busy machine explains. */
const timesMedian = 5
/** What is shorter disturbs nobody. */
const pauseMsMin = 1_000
const checkMsMin = 10_000

/** `checkMs`: null if this check is of another kind than the earlier ones. */
export interface PresentPace extends Omit<Pace, 'checkMs'> {
  readonly checkMs: number | null
}

/** @param earlier of the last sound checks of this file */
export function slowerThanUsual(earlier: readonly Pace[], now: PresentPace): readonly Finding[] {
  const slow = (
    what: string,
    ms: number | null,
    msMin: number,
    of: (pace: Pace) => number | null,
  ): readonly Finding[] => {
    const known = earlier.flatMap((pace) => expectedMs(of(pace), pace.bytes, now.bytes))
    const median = known.toSorted((a, b) => a - b)[Math.floor(known.length / 2)]
    if (ms === null || median === undefined || known.length < earlierMin) return []
    if (ms < msMin || ms <= timesMedian * median) return []
    return [
      {
        rule: 'slower-than-usual',
        severity: 'notice',
        source: 'ledger',
        object: theFile,
        text:
          `the ${what} took ${humanMs(ms)}; the median of the ${known.length} sound checks before is ` +
          `${humanMs(median)} for a file of this size`,
      },
    ]
  }
  return [
    ...slow('pause', now.pauseMs, pauseMsMin, ({ pauseMs }) => pauseMs),
    ...slow('check', now.checkMs, checkMsMin, ({ checkMs }) => checkMs),
  ]
}

/** A file that has grown takes longer. One that has shrunk is not expected to be faster: much of the time is fixed. */
const expectedMs = (ms: number | null, bytes: number, bytesNow: number): readonly number[] =>
  ms === null ? [] : [ms * Math.max(1, bytes > 0 ? bytesNow / bytes : 1)]

/** The history with one more check. The oldest is dropped if there are too many. */
export const withPace = (earlier: readonly Pace[], now: Pace): readonly Pace[] => [...earlier, now].slice(-pacesMax)

const pacesMax = 15
