/** Checks from outside that the files of a quiesced tenant are closed, and that nothing opens or changes them. */

import { requireListedOnce } from '../../hold/live/listed-once.ts'
import { LiveFiles } from '../../hold/live/live-files.ts'
import { resolveLivePath } from '../../hold/live/live-path.ts'
import { requireClosed, requireNamedByService } from '../../hold/pause/verify-answer.ts'
import type { Guardian } from '../../hold/seal/guardian.ts'
import { holdersOf, holdersOfPath, leftOpenHint } from '../../hold/seal/holders.ts'
import { monotonicMs, sleep } from '../../host/clock.ts'
import { leaseOf, onLeaseBreak, takeWriteLease } from '../../host/locks/kernel-lease.ts'
import { Failure } from '../../model/failure.ts'
import type { QuiesceAnswer } from '../../service/port.ts'

/**
 * Opens nothing.
 * @param listed the tenant's files in the service's list. The answer must name each of them. With hooks, which name
 *   none, these are checked.
 * @returns processes that could not be checked and may have the files open
 * @throws {Failure} CONTRACT_BROKEN if a file is not named, is not the one that the service names, or is open; and as
 *   `resolveLivePath`
 */
export async function requireFilesClosed(
  answer: QuiesceAnswer,
  listed: readonly string[],
  roots: readonly string[],
): Promise<readonly string[]> {
  const unchecked = new Set<string>()
  requireClosed(answer, 'sealed')
  for (const named of listed) requireNamedByService(await resolveLivePath(named, roots), answer)
  for (const named of answer.files?.map(({ path }) => path) ?? listed) {
    const path = await resolveLivePath(named, roots)
    requireNamedByService(path, answer)
    const { holders, unseen, sentence } = await holdersOfPath(path)
    if (holders.length > 0)
      throw new Failure('CONTRACT_BROKEN', `${path} is not closed: ${sentence}`, {
        tenant: 'unknown',
        hint: leftOpenHint,
      })
    for (const one of unseen) unchecked.add(one)
  }
  return [...unchecked]
}

/**
 * If this process hung with a kernel lease, the service could not open its files. Then the guardian ends it after this
 * time (hold/README.md F12, F13).
 */
const watchMarginMs = 20_000
/** A child that is being forked has copies of our descriptors for a moment: so a lease is tried for so long. */
const leaseRetryMs = 100

/**
 * Watches for `ms` whether any program opens a file of the quiesced tenant. A kernel lease on each file shows it, and
 * is then released.
 * @returns why kernel leases do not work here, so that only changes were watched for; null if they do
 * @throws {Failure} CONTRACT_BROKEN if a file is open, is opened, or changes; and as `resolveLivePath` and `LiveFiles`
 */
export async function watchQuiesced(
  answer: QuiesceAnswer,
  roots: readonly string[],
  guardian: Guardian,
  ms: number,
  signal: AbortSignal,
): Promise<string | null> {
  using _watch = await guardian.watch(monotonicMs() + ms, monotonicMs() + ms + watchMarginMs)
  const sets: LiveFiles[] = []
  using open = {
    [Symbol.dispose]: () => {
      for (const files of sets) files[Symbol.dispose]()
    },
  }
  const opened = new AbortController()
  const giveWay = (): void => {
    const isLeased = (files: LiveFiles): boolean =>
      files.parts.every((part) => leaseOf(files.descriptor(part)) === 'write')
    if (opened.signal.aborted || sets.every(isLeased)) return
    opened.abort()
    open[Symbol.dispose]() // Closing the files ends every lease: the program that opens a file waits for that.
  }
  let unsupported: string | null = null
  const seen = new Map<string, string>()
  for (const { path: named } of answer.files ?? []) {
    const path = await resolveLivePath(named, roots)
    requireListedOnce(named, path, seen)
    const files = new LiveFiles(path, roots)
    sets.push(files)
    await files.openNamed()
    for (const part of files.parts) unsupported = (await lease(files, part)) ?? unsupported
  }
  const before = stateOf(sets)
  using _listening = unsupported === null ? onLeaseBreak(giveWay) : null
  const untilMs = monotonicMs() + ms
  while (!opened.signal.aborted && monotonicMs() < untilMs) await sleep(10, signal)
  if (unsupported === null) giveWay() // The signal of a broken lease may not have arrived yet.
  const moved = (what: string): Failure =>
    new Failure('CONTRACT_BROKEN', `a file of it ${what} while it was quiesced`, {
      tenant: 'unknown',
      hint: 'the service serves requests of a quiesced tenant, or another program uses its files',
    })
  if (opened.signal.aborted) throw moved('was opened')
  if (stateOf(sets) !== before) throw moved('changed')
  return unsupported
}

type Part = LiveFiles['parts'][number]

/** @returns why leases do not work here; null if it has one. @throws {Failure} CONTRACT_BROKEN if the file is open */
async function lease(files: LiveFiles, part: Part): Promise<string | null> {
  for (const untilMs = monotonicMs() + leaseRetryMs; ;) {
    const answer = takeWriteLease(files.descriptor(part))
    if (answer.kind === 'granted') return null
    if (answer.kind === 'unsupported') return answer.why
    if (monotonicMs() > untilMs) {
      const { sentence } = await holdersOf(files, null)
      throw new Failure('CONTRACT_BROKEN', `${files.path}${part} is not closed: ${sentence}`, { tenant: 'unknown' })
    }
    await sleep(5)
  }
}

function stateOf(sets: readonly LiveFiles[]): string {
  const states = sets.map((files) => {
    const stats = files.parts.map((part) => files.stat(part))
    return [files.path, files.areNamed(), ...stats.map(({ size, mtimeNs, ino }) => `${ino} ${size} ${mtimeNs}`)].join(
      ' ',
    )
  })
  return states.join('\n')
}
