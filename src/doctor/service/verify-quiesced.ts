/** For the doctor: do the files of a quiesced tenant stand still as the service says? */

import { LiveFiles } from '../../hold/live/live-files.ts'
import { resolveLivePath } from '../../hold/live/live-path.ts'
import { compareClaims, requireClosed } from '../../hold/pause/verify-answer.ts'
import type { Guardian } from '../../hold/seal/guardian.ts'
import { holdersOf, holdersOfPath, leftOpenHint } from '../../hold/seal/holders.ts'
import { monotonicMs, sleep } from '../../host/clock.ts'
import { leaseOf, onLeaseBreak, takeWriteLease } from '../../host/locks/kernel-lease.ts'
import { Failure } from '../../model/failure.ts'
import type { Quiesced } from '../../service/port.ts'

/**
 * Nothing is opened.
 * @param listed the files of the tenant in the service's list: the answer must name each of them. By hooks, which name
 *   none, these are looked at.
 * @returns what could not be looked at: who may have them open all the same
 * @throws {Failure} CONTRACT_BROKEN when a file is not named, is another than the service names, or somebody has it
 *   open; and as resolveLivePath
 */
export async function requireFilesClosed(
  answer: Quiesced,
  listed: readonly string[],
  roots: readonly string[],
): Promise<readonly string[]> {
  const unlooked = new Set<string>()
  requireClosed(answer, 'sealed')
  for (const named of listed) compareClaims(await resolveLivePath(named, roots), answer)
  for (const named of answer.files?.map(({ path }) => path) ?? listed) {
    const path = await resolveLivePath(named, roots)
    compareClaims(path, answer)
    const { holders, unseen, sentence } = await holdersOfPath(path)
    if (holders.length > 0)
      throw new Failure('CONTRACT_BROKEN', `${path} is not closed: ${sentence}`, {
        tenant: 'unknown',
        hint: leftOpenHint,
      })
    for (const one of unseen) unlooked.add(one)
  }
  return [...unlooked]
}

/**
 * Should this process hang with a kernel lease, the service could not open its files: the guardian ends it
 * (hold/README.md F12, F13).
 */
const watchMarginMs = 20_000
/** A child that is being forked has copies of our descriptors for a moment. */
const patienceMs = 100

/**
 * Watches for `ms` whether anything opens a file of the quiesced tenant. A kernel lease on each file tells, and is then
 * given up.
 * @returns why there was no lease, where there is none here; then only changes were looked for
 * @throws {Failure} CONTRACT_BROKEN when a file is open, is opened, or changes; and as resolveLivePath and LiveFiles
 */
export async function watchQuiesced(
  answer: Quiesced,
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
    open[Symbol.dispose]() // Closing ends every lease: whoever opens a file waits for that.
  }
  let unsupported: string | null = null
  for (const { path: named } of answer.files ?? []) {
    const files = new LiveFiles(await resolveLivePath(named, roots), roots)
    sets.push(files)
    await files.follow()
    for (const part of files.parts) unsupported = (await lease(files, part)) ?? unsupported
  }
  const before = await lookOf(sets)
  using _listening = unsupported === null ? onLeaseBreak(giveWay) : null
  const untilMs = monotonicMs() + ms
  while (!opened.signal.aborted && monotonicMs() < untilMs) await sleep(10, signal)
  if (unsupported === null) giveWay() // The signal may not have reached us yet.
  const moved = (what: string): Failure =>
    new Failure('CONTRACT_BROKEN', `a file of it ${what} while it stood still`, {
      tenant: 'unknown',
      hint: 'the service serves requests of a quiesced tenant, or another program uses its files',
    })
  if (opened.signal.aborted) throw moved('was opened')
  if ((await lookOf(sets)) !== before) throw moved('changed')
  return unsupported
}

type Part = LiveFiles['parts'][number]

/** @returns why there is no lease here; null with one @throws {Failure} CONTRACT_BROKEN when somebody has the file */
async function lease(files: LiveFiles, part: Part): Promise<string | null> {
  for (const untilMs = monotonicMs() + patienceMs; ;) {
    const answer = takeWriteLease(files.descriptor(part))
    if (answer.kind === 'granted') return null
    if (answer.kind === 'unsupported') return answer.why
    if (monotonicMs() > untilMs) {
      const { sentence } = await holdersOf(files)
      throw new Failure('CONTRACT_BROKEN', `${files.path}${part} is not closed: ${sentence}`, { tenant: 'unknown' })
    }
    await sleep(5)
  }
}

async function lookOf(sets: readonly LiveFiles[]): Promise<string> {
  const looks = sets.map(async (files) => {
    const stats = await Promise.all(files.parts.map((part) => files.stat(part)))
    return [
      files.path,
      await files.areNamed(),
      ...stats.map(({ size, mtimeNs, ino }) => `${ino} ${size} ${mtimeNs}`),
    ].join(' ')
  })
  return (await Promise.all(looks)).join('\n')
}
