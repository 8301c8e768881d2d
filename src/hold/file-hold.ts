/**
 * One file on its way through a hold, and the steps that several files of a tenant take together. What one file meets
 * ends its own part and lets go of it; the others go on, for each has proofs of its own. What concerns the tenant or
 * the run is thrown, and ends the hold for all.
 */
import { Disposables } from '../host/disposal.ts'
import type { Failure } from '../model/failure.ts'
import { gravestOf } from './hold-failure.ts'
import type { FileRequest } from './hold-request.ts'
import type { HoldRecord, HoldStep } from './record.ts'

export class FileHold implements Disposable {
  readonly request: FileRequest
  readonly record: HoldRecord
  readonly #kept = new Disposables()
  #failure: Failure | null = null

  constructor(request: FileRequest, record: HoldRecord) {
    this.request = request
    this.record = record
  }

  /** What ended its part before the hold ended; null if nothing did. */
  get failure(): Failure | null {
    return this.#failure
  }

  /** Registers what is given up with the file: descriptors, then locks, then leases. */
  keep<Kept extends Disposable>(kept: Kept): Kept {
    return this.#kept.add(kept)
  }

  /** The file takes no further step, and nothing of it stays locked. */
  end(failure: Failure): void {
    this.#failure = failure
    this[Symbol.dispose]()
  }

  /** Gives up everything of the live set, the last first. Repeatable. */
  [Symbol.dispose](): void {
    this.#kept[Symbol.dispose]()
  }
}

interface OfFile {
  readonly hold: FileHold
}

/**
 * Takes a step with one file after the other.
 * @returns what came of those that went through
 * @throws what concerns more than one file
 */
export async function inTurn<From extends OfFile, To>(
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
 * Takes a step with all files in parallel: where each may have to wait for somebody, the tenant stands still only as
 * long as the longest wait. Ends when all have ended.
 */
export async function inParallel<From extends OfFile, To>(
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

/** Tells each file that a step is done. */
export function tellStep(files: readonly OfFile[], step: HoldStep): void {
  for (const { hold } of files) hold.record.step(step)
}

/** These say something of the tenant, of the disk or of the run: no other file may go on. */
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

/** @throws what is more than the failure of one file */
function ownFailure(error: unknown, { hold }: OfFile): Failure {
  const failure = gravestOf(error, hold.request.named)
  if (concernsAll.has(failure.code)) throw error
  return failure
}
