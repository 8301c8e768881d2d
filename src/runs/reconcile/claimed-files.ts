/** Where the files lead that tenants claim. They are inspected and never opened. */

import { realpath, stat } from 'node:fs/promises'
import { requireInside } from '../../hold/live/live-path.ts'
import { nullOnAbort, startDeadline } from '../../host/clock.ts'
import { inWords, isNotFound, isSystemError } from '../../host/failures/system-failure.ts'
import { nameOf, onDisk } from '../../host/files/file-name.ts'
import type { TenantId } from '../../model/brand.ts'
import { Failure } from '../../model/failure.ts'
import { orFailure } from '../../model/or-failure.ts'
import type { Target } from '../begin/target.ts'

/** A file as a tenant lists it. */
export interface ClaimedFile {
  readonly tenant: TenantId
  readonly named: string
  /** `unseen`: it cannot be inspected, so nothing is said about it. */
  readonly state: 'there' | 'missing' | 'outside' | 'unseen'
  /** Why it is outside or unseen; otherwise empty. */
  readonly why: string
  /** null unless it is there or outside. */
  readonly found: FoundFile | null
}

interface FoundFile {
  readonly real: string
  /** Device and inode. */
  readonly identity: string
  /** When it was made, in ms since 1970. */
  readonly madeAt: number
}

/** A dead mount must not block the command. */
const inspectMsMax = 60_000
/** Each call that hangs blocks one of the few threads of the pool. */
const parallelCalls = 2

export async function inspectClaimed(
  targets: readonly Target[],
  roots: readonly string[],
  signal: AbortSignal,
): Promise<readonly ClaimedFile[]> {
  using deadline = startDeadline(inspectMsMax)
  const over = AbortSignal.any([signal, deadline.signal])
  const late = nullOnAbort(over)
  const claims = targets.flatMap(({ tenant, named }) => (tenant === null ? [] : [{ tenant, named }]))
  const inspected: ClaimedFile[] = []
  for (let at = 0; at < claims.length; at += parallelCalls) {
    const some = claims.slice(at, at + parallelCalls)
    const found = over.aborted ? null : await Promise.race([Promise.all(some.map((one) => inspect(one, roots))), late])
    inspected.push(...(found ?? some.map((one) => ({ ...one, ...unseen(`it took longer than ${inspectMsMax} ms`) }))))
  }
  signal.throwIfAborted()
  return inspected
}

async function inspect(claim: Pick<ClaimedFile, 'tenant' | 'named'>, roots: readonly string[]): Promise<ClaimedFile> {
  // No call takes a path with a zero byte.
  if (claim.named.includes('\0')) return { ...claim, state: 'missing', why: '', found: null }
  try {
    const real = nameOf(await realpath(onDisk(claim.named), 'buffer'))
    const { dev, ino, birthtimeMs, ctimeMs } = await stat(onDisk(real), { bigint: true })
    const madeAt = Number(birthtimeMs > 0n ? birthtimeMs : ctimeMs)
    const found = { real, identity: `${dev} ${ino}`, madeAt }
    const inside = await orFailure(requireInside(real, roots))
    return inside instanceof Failure
      ? { ...claim, state: 'outside', why: inside.message, found }
      : { ...claim, state: 'there', why: '', found }
  } catch (error) {
    if (!isSystemError(error)) throw error
    if (isNotFound(error)) return { ...claim, state: 'missing', why: '', found: null }
    return { ...claim, ...unseen(inWords(error)) }
  }
}

const unseen = (why: string): Pick<ClaimedFile, 'state' | 'why' | 'found'> => ({ state: 'unseen', why, found: null })
