/** Which programs have a live set open, mapped or locked: as evidence, and in words. Slow, because it reads /proc. */
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { onDisk } from '../../host/files/file-name.ts'
import type { FileIdentity } from '../../host/locks/file-identity.ts'
import { findHolders, type FoundHolders } from '../../host/locks/open-file-table.ts'
import type { LivePath } from '../../model/brand.ts'
import { Failure } from '../../model/failure.ts'
import { holdingProcesses, nameProcess } from '../../model/holders.ts'
import { liveSetParts, type Holder } from '../../model/result/evidence.ts'
import type { LiveFiles } from '../live/live-files.ts'
import { resolveLivePath } from '../live/live-path.ts'

export type DescribedHolders = FoundHolders & { readonly sentence: string }

/** No search takes longer. On a busy machine with many processes it may take some seconds. */
const searchMsMax = 60_000

/**
 * Holders of an open live set, without this process.
 * @param until aborts when the search must end sooner, because a tenant stands still for it; null: nothing waits for it
 */
export async function holdersOf(files: LiveFiles, until: AbortSignal | null): Promise<DescribedHolders> {
  const identities = files.parts.map((part) => {
    const { dev, ino } = files.stat(part)
    return { path: files.path + part, dev, ino }
  })
  const limit = AbortSignal.timeout(searchMsMax)
  const search = { exceptPids: [process.pid], until: until === null ? limit : AbortSignal.any([until, limit]) }
  return withSentence(await findHolders(identities, search))
}

/**
 * As `holdersOf`, where no kernel lease says more: a process that was not looked at may be one.
 * @throws {Failure} IN_USE
 */
export async function allHoldersOf(files: LiveFiles): Promise<DescribedHolders> {
  const found = await holdersOf(files, null)
  if (found.isWhole) return found
  throw new Failure('IN_USE', `it cannot be seen whether another program has ${files.path} open: ${found.unseen[0]}`, {
    hint: 'a process that is stuck, as behind a dead network mount, hides what it has: `ps -eo pid,stat,comm` shows D',
  })
}

/** Holders of the live set that a path names. Opens nothing. @throws {Failure} as `resolveLivePath` */
export async function holdersOfPath(named: string): Promise<DescribedHolders> {
  const path = await resolveLivePath(named, null)
  return withSentence(
    await findHolders(await identitiesOf(path), { exceptPids: [], until: AbortSignal.timeout(searchMsMax) }),
  )
}

/** The parts of a live set that exist. Opens nothing. */
export async function identitiesOf(path: LivePath): Promise<readonly FileIdentity[]> {
  const identities: FileIdentity[] = []
  for (const part of liveSetParts) {
    const found = await stat(onDisk(path + part), { bigint: true }).catch(() => null)
    if (found) identities.push({ path: path + part, dev: found.dev, ino: found.ino })
  }
  return identities
}

const withSentence = (found: FoundHolders): DescribedHolders => ({
  ...found,
  sentence: describeHolders(found.holders, found.unseen),
})

/** `process 7 (node app.js) has app.db, app.db-wal (read, write)`: each process once, with its files. */
export function describeHolders(holders: readonly Holder[], unseen: readonly string[]): string {
  const named = holdingProcesses(holders).map(
    (one) => `${nameProcess(one)} has ${one.paths.map((path) => basename(path)).join(', ')} (${one.modes.join(', ')})`,
  )
  const blind = unseen.length > 0 ? ` (not seen: ${unseen.join('; ')})` : ''
  return named.length > 0
    ? named.join('; ')
    : `the holder is outside our view, perhaps in another pid namespace${blind}`
}

/** The hint if the service was asked to close its files. */
export const leftOpenHint = [
  'if it is the service, its quiesce left handles open: correct the service or the hook',
  'If it is another program, end it. Then try again',
].join('. ')
