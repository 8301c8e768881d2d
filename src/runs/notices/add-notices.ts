/** Adds to a reading what is known of a file besides its content: what changed silently, and the notices. */

import { noticesOfLiveSet, type FileOfLiveSet } from '../../diagnosis/notices/live-set.ts'
import { rowsGone } from '../../diagnosis/notices/rows-gone.ts'
import { slowerThanUsual } from '../../diagnosis/notices/slower.ts'
import type { Evidence } from '../../model/result/evidence.ts'
import type { Finding } from '../../model/result/finding.ts'
import type { Reading } from '../../model/result/reading.ts'
import { addSilentChange, paceOf } from '../earlier-checks.ts'
import type { UncheckedFile } from '../file-result.ts'

/** The files of the original, as they were when it was copied, in ms since 1970. */
export interface SeenFiles {
  readonly files: readonly FileOfLiveSet[]
  readonly seenAtMs: number
}

/** By the first proof of a hold; none if it reached none. */
export function seenFilesOf({ proofs }: Evidence): SeenFiles {
  const [first] = proofs
  return {
    seenAtMs: first === undefined ? Date.now() : Date.parse(first.at),
    files: (first?.files ?? []).map(({ part, size, mtimeNs }) => ({
      part,
      bytes: size,
      modifiedMs: Number(BigInt(mtimeNs) / 1_000_000n),
    })),
  }
}

export function addNotices(reading: Reading, file: UncheckedFile, seen: SeenFiles): Reading {
  const { earlierChecks, evidence, notices } = file
  const silent = addSilentChange(reading, earlierChecks, evidence)
  const found = [...notices, ...noticesOfLiveSet(seen.files, seen.seenAtMs, reading), ...findingsSince(reading, file)]
  return { ...silent, facts: [...silent.facts, ...found.map((finding) => ({ kind: 'found' as const, finding }))] }
}

function findingsSince(reading: Reading, { earlierChecks: { lastGood }, timings }: UncheckedFile): readonly Finding[] {
  if (lastGood === null) return []
  const now = paceOf(reading, timings.pauseMs)
  const isAlike = reading.depth === 'full' && reading.engine === 'census'
  return [
    ...rowsGone(lastGood, reading),
    ...slowerThanUsual(lastGood.paces, { ...now, checkMs: isAlike ? now.checkMs : null }),
  ]
}
