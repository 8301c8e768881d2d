/**
 * The live set is no longer what was rehearsed: it is copied, checked and mended anew inside the pause, if that fits.
 */
import { fstatSync } from 'node:fs'
import { monotonicMs } from '../../host/clock.ts'
import type { AsyncDisposables } from '../../host/disposal.ts'
import { invariant } from '../../model/bug.ts'
import { Failure } from '../../model/failure.ts'
import type { NonEmpty } from '../../model/result/verdict.ts'
import { humanMs } from '../../text/units.ts'
import { copyFile, proveFileAgain, type ProvenFile } from '../file-steps.ts'
import type { ChangeRequest, RehearsedCopy, RetakenSnapshot } from './change-types.ts'
import type { ChangedOriginal } from './original/keep-original.ts'
import type { ChangedFile } from './record/change-record.ts'

/** Bytes a second that a disk takes: each file is written four times, of which three are synced. */
const writeRateFloor = 150e6
const copies = 4

interface RemadeFile {
  readonly kept: ChangedFile
  readonly rehearsed: RehearsedCopy
}

/**
 * @param stale path of the file that has changed
 * @param opened receives the snapshots
 * @throws {Failure} REMEDY_STALE if it may not be tried, would take too long, or would come to another plan
 */
export async function remakeInPause(
  files: readonly ProvenFile[],
  stale: string,
  { remake, settings: { maxPauseMs } }: ChangeRequest,
  original: ChangedOriginal,
  opened: AsyncDisposables,
  { over, startedMs }: { readonly over: AbortSignal; readonly startedMs: number },
): Promise<readonly RemadeFile[]> {
  if (remake === null) throw isStale(stale, 'it was written since')
  const bytes = files.reduce((sum, { files: live }) => sum + fstatSync(live.descriptor('')).size, 0)
  const predictedMs = monotonicMs() - startedMs + remake.ms + ((copies * bytes) / writeRateFloor) * 1000
  if (predictedMs > maxPauseMs)
    throw isStale(
      stale,
      `it was written since, and to mend it anew in the pause would take about ${humanMs(predictedMs)}; ` +
        `hold.maxPause is ${humanMs(maxPauseMs)}`,
    )
  const taken: RetakenSnapshot[] = []
  for (const file of files) {
    const copied = await copyFile(file, over)
    proveFileAgain(copied)
    taken.push({ path: file.files.path, snapshot: opened.add(await copied.draft.publish(over)) })
  }
  const [first, ...more] = taken
  invariant(first, 'a change has a file')
  const all: NonEmpty<RetakenSnapshot> = [first, ...more]
  const kept = await original.keepAgain(all, over)
  const rehearsed = await remake.work(all, over)
  over.throwIfAborted()
  if (rehearsed === null) throw isStale(stale, 'it was written since, and what would mend it now is another remedy')
  return kept.map((one, at) => {
    const mended = rehearsed[at]
    invariant(mended, 'each file was mended anew')
    return { kept: one, rehearsed: mended }
  })
}

const isStale = (path: string, why: string): Failure =>
  new Failure('REMEDY_STALE', `${path} is no longer what the remedy was rehearsed on: ${why}`)
