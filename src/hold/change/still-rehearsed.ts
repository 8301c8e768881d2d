/** Is the live set still what the remedy was rehearsed on? Answered in the pause, under the seal. */
import { fstatSync } from 'node:fs'
import { monotonicMs } from '../../host/clock.ts'
import type { Proof } from '../../model/result/evidence.ts'
import { isHot } from '../../sqlite/journal/journal.ts'
import type { ProvenFile } from '../file-steps.ts'
import { forEachDifference } from './steps/overwrite.ts'

/** Bytes a second of two files that are compared, one of them in memory. */
const compareRateFloor = 400e6

/**
 * @param rehearsed last proof of the hold that took the snapshot
 * @param settled open descriptor of what SQLite makes of that snapshot
 * @param untilMs on the monotonic clock: a comparison that would take longer is not begun
 */
export async function isStillRehearsed(
  file: ProvenFile,
  rehearsed: Proof,
  settled: number,
  untilMs: number,
  over: AbortSignal,
): Promise<boolean> {
  if (isSameMoment(file.proven.proof, rehearsed)) return true
  const { files } = file
  if (hasCommits(file)) return false
  const { size } = fstatSync(settled)
  const main = files.descriptor('')
  if (fstatSync(main).size !== size) return false
  if (monotonicMs() + (size / compareRateFloor) * 1000 > untilMs) return false
  let same = true
  // The first page has the change counter: it differs after almost every write.
  for (const end of [Math.min(size, 512), size]) {
    await forEachDifference(main, settled, 512, end, () => {
      same = false
    })
    over.throwIfAborted()
    if (!same) return false
  }
  return true
}

/** No part came, went, or was written. A `-shm` is no part of the content. */
function isSameMoment(now: Proof, then: Proof): boolean {
  const [is, was] = [now, then].map(({ files }) => files.filter(({ part }) => part !== '-shm'))
  return (
    is?.length === was?.length &&
    is?.every((file) => {
      const before = was?.find(({ part }) => part === file.part)
      return (['dev', 'ino', 'size', 'mtimeNs', 'ctimeNs'] as const).every((field) => before?.[field] === file[field])
    }) === true
  )
}

/** Whether SQLite may take something from a WAL or a journal. */
function hasCommits({ files }: ProvenFile): boolean {
  if (files.has('-wal') && files.stat('-wal').size > 0n) return true
  return files.has('-journal') && isHot(files.readCached('-journal', 0, 28), Number(files.stat('-journal').size))
}
