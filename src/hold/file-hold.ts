/**
 * One file during a hold, and the steps that the files of a tenant take together. A failure of one file ends its own
 * part and releases what it has; the other files go on, because each has its own proofs. A failure that concerns the
 * tenant or the run is thrown and ends the hold for all files.
 */
import { Disposables } from '../host/disposal.ts'
import type { Failure } from '../model/failure.ts'
import { gravestOf } from './hold-failure.ts'
import type { FileRequest } from './hold-request.ts'
import type { HoldRecord, HoldStep } from './record.ts'

export class FileHold implements Disposable {
  readonly request: FileRequest
  readonly record: HoldRecord
  readonly #resources = new Disposables()
  #failure: Failure | null = null

  constructor(request: FileRequest, record: HoldRecord) {
    this.request = request
    this.record = record
  }

  /** What ended the part of this file before the hold ended; null if nothing did. */
  get failure(): Failure | null {
    return this.#failure
  }

  /**
   * Registers a resource of the file. Call it for the descriptors first, then the locks, then the kernel leases. They
   * are released in reverse order.
   */
  add<Resource extends Disposable>(resource: Resource): Resource {
    return this.#resources.add(resource)
  }

  /** Ends the part of this file: it takes no further step, and nothing of it stays locked. */
  end(failure: Failure): void {
    this.#failure = failure
    this[Symbol.dispose]()
  }

  /** Releases everything of the live set, the last first. Repeatable. */
  [Symbol.dispose](): void {
    this.#resources[Symbol.dispose]()
  }
}

interface FileInHold {
  readonly hold: FileHold
}

/**
 * Takes a step with one file after the other.
 * @returns the results of the files for which the step succeeded
 * @throws a failure that concerns more than one file
 */
export async function inTurn<From extends FileInHold, To>(
  files: readonly From[],
  step: (file: From) => To | Promise<To>,
): Promise<readonly To[]> {
  const through: To[] = []
  for (const file of files) {
    try {
      through.push(await step(file))
    } catch (error) {
      file.hold.end(ownFailure(error, file))
    }
  }
  return through
}

/**
 * Takes a step with all files in parallel, and returns when all have ended. A step that may wait for another program
 * then lengthens the pause by the longest wait, not by the sum.
 * @returns as `inTurn`
 * @throws as `inTurn`
 */
export async function inParallel<From extends FileInHold, To>(
  files: readonly From[],
  step: (file: From) => To | Promise<To>,
): Promise<readonly To[]> {
  const ended = await Promise.allSettled(files.map(async (file) => step(file)))
  const failed = ended.flatMap((end, at) => {
    const file = files[at]
    return end.status === 'rejected' && file ? [{ file, error: end.reason as unknown }] : []
  })
  const failures = failed.map(({ file, error }) => ({ file, failure: ownFailure(error, file) }))
  for (const { file, failure } of failures) file.hold.end(failure)
  return ended.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []))
}

/** Reports for each file that a step is done. */
export function reportStep(files: readonly FileInHold[], step: HoldStep): void {
  for (const { hold } of files) hold.record.step(step)
}

/** These concern the tenant, the disk or the run: no other file may go on. */
const concernsAll = new Set<Failure['code']>([
  'INTERRUPTED',
  'LEASE_LOST',
  'TOO_LARGE_FOR_PAUSE',
  'RESUME_FAILED',
  'LOCK_NOT_HONOURED',
  'NO_SPACE',
  'GUARDIAN_LOST',
  'LEDGER_UNUSABLE',
])

export const concernsAllFiles = ({ code }: Failure): boolean => concernsAll.has(code)

/** @throws an error that is more than the failure of one file */
function ownFailure(error: unknown, { hold }: FileInHold): Failure {
  const failure = gravestOf(error, hold.request.named)
  if (concernsAllFiles(failure)) throw error
  return failure
}
