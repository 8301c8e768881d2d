/** What the service says of the files against what we see ourselves (hold.md step 2, I2.1). */
import { realpath, stat } from 'node:fs/promises'
import type { LivePath } from '../model/brand.ts'
import { isAtLeast, type SealLevel } from '../model/evidence.ts'
import { Failure } from '../model/failure.ts'
import type { Quiesced } from '../service/port.ts'

/** @throws {Failure} CONTRACT_BROKEN when the answer to a quiesce contradicts the files */
export async function compareClaims(path: LivePath, answer: Quiesced, required: SealLevel): Promise<void> {
  if (answer.openHandles > 0 && isAtLeast(required, 'sealed')) {
    throw broken(`the service says that it quiesced ${answer.tenant}, and that it keeps ${answer.openHandles} handles open`)
  }
  if (answer.files === null) return // Hooks claim nothing: the seal alone decides.
  const seen = await stat(path, { bigint: true }).catch(() => null)
  for (const claim of answer.files) {
    if ((await realpath(claim.path).catch(() => claim.path)) !== path) continue
    if (seen && claim.dev === String(seen.dev) && claim.ino === String(seen.ino)) return
    throw broken(`the service says that ${path} is inode ${claim.ino} on device ${claim.dev}; we see ${seen ? `inode ${seen.ino} on device ${seen.dev}` : 'no file'}`)
  }
  throw broken(`the service did not name ${path} among the files it quiesced`)
}

const broken = (message: string): Failure => new Failure('CONTRACT_BROKEN', message, { tenant: 'unknown' })
