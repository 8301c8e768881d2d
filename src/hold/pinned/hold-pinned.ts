/**
 * Takes a snapshot of each file while programs use it, without a pause (README.md). Each file has its own attempts and
 * its own outcome: files that are ATTACHed together are consistent each for itself. No service is asked, and nothing is
 * written to the ledger: no tenant stands still.
 */
import { sleep } from '../../host/clock.ts'
import { AsyncDisposables } from '../../host/disposal.ts'
import type { Failure } from '../../model/failure.ts'
import { concernsAllFiles, FileHold } from '../file-hold.ts'
import { isWorthRetrying, withoutSnapshot } from '../file-outcome.ts'
import { gravestOf } from '../hold-failure.ts'
import type { HoldProcesses } from '../hold-processes.ts'
import type { FileRequest, HoldResult, HoldRequest } from '../hold-request.ts'
import { HoldRecord } from '../record.ts'
import { takeFile, type PinRequest } from './take-file.ts'

/** Few, and well apart: each attempt may cost a program that opens the file a recovery (README.md L9). */
const attemptsMax = 3
const apartMs = 1_000

/**
 * @returns one outcome for each file, in their order
 * @throws {Failure} INTERRUPTED if the signal aborted the hold. All other failures are outcomes.
 */
export async function holdPinned(
  request: HoldRequest,
  processes: HoldProcesses,
  signal: AbortSignal,
): Promise<readonly HoldResult[]> {
  await using unclaimed = new AsyncDisposables()
  const terms: PinRequest = { ...request, seen: new Map(), compared: new Set(), earlierBytes: 0 }
  const outcomes: HoldResult[] = []
  let ofAll: Failure | null = null
  for (const file of request.files) {
    const held: HoldResult = ofAll === null ? await holdFile(file, terms, processes, signal) : notTried(file, ofAll)
    outcomes.push(held)
    if (held.kind === 'snapshot') {
      unclaimed.add(held.snapshot)
      terms.earlierBytes += held.snapshot.bytesOnDisk
    } else if (concernsAllFiles(held.failure) && held.failure.code !== 'TOO_LARGE_FOR_PAUSE') ofAll = held.failure
  }
  unclaimed.move()
  return outcomes
}

async function holdFile(
  request: FileRequest,
  terms: PinRequest,
  processes: HoldProcesses,
  signal: AbortSignal,
): Promise<HoldResult> {
  const record = new HoldRecord(request.onStep)
  for (let attempt = 1; ; attempt++) {
    const file = new FileHold(request, record)
    record.startAttempt()
    try {
      return await takeFile(file, terms, processes, signal)
    } catch (error) {
      file.end(gravestOf(error, request.named))
    }
    if (file.failure?.code === 'INTERRUPTED') throw file.failure.withTenant('untouched')
    if (attempt === attemptsMax || !isWorthRetrying(file, null)) return withoutSnapshot(file, null, null, false)
    await sleep(apartMs, signal)
  }
}

const notTried = (request: FileRequest, failure: Failure): HoldResult => ({
  kind: 'refused',
  failure,
  record: new HoldRecord(request.onStep),
})
