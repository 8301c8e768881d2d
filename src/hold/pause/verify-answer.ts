/** Compares what the service says about the files with what we see ourselves (I2.1). */
import { realpathSync, statSync } from 'node:fs'
import { nameOf, onDisk } from '../../host/files/file-name.ts'
import type { LivePath } from '../../model/brand.ts'
import { Failure } from '../../model/failure.ts'
import { isAtLeast, type SealLevel } from '../../model/result/evidence.ts'
import type { QuiesceAnswer } from '../../service/port.ts'
import { count } from '../../text/count.ts'

/**
 * @throws {Failure} CONTRACT_BROKEN if the service itself says that it keeps files open, and the seal must see none
 */
export function requireClosed(answer: QuiesceAnswer, required: SealLevel): void {
  if (answer.openHandles > 0 && isAtLeast(required, 'sealed')) {
    throw contractFailure(
      `the service says that it quiesced ${answer.tenant}, and that it ` +
        `keeps ${count(answer.openHandles, 'handle')} open`,
    )
  }
}

/**
 * Synchronous, because the tenant is paused meanwhile.
 * @throws {Failure} CONTRACT_BROKEN if the answer to a quiesce contradicts this file, or does not name it
 */
export function requireNamedByService(path: LivePath, answer: QuiesceAnswer): void {
  if (answer.files === null) return // Command hooks name no files: the seal alone decides.
  const seen = statSync(onDisk(path), { bigint: true, throwIfNoEntry: false }) ?? null
  for (const claim of answer.files) {
    if (claim.path !== path && realPathOf(claim.path) !== path) continue
    if (seen && claim.dev === String(seen.dev) && claim.ino === String(seen.ino)) return
    throw contractFailure(
      `the service says that ${path} is inode ${claim.ino} on device ${claim.dev}; we see ` +
        (seen ? `inode ${seen.ino} on device ${seen.dev}` : 'no file'),
    )
  }
  throw contractFailure(`the service did not name ${path} among the files it quiesced`)
}

function realPathOf(path: string): string | null {
  try {
    return nameOf(realpathSync.native(onDisk(path), 'buffer'))
  } catch {
    return null // It leads nowhere, so not to the file that we hold.
  }
}

const contractFailure = (message: string): Failure => new Failure('CONTRACT_BROKEN', message, { tenant: 'unknown' })
