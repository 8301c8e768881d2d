/** What can be seen of files without opening them: sizes, times, and what a crash has left beside them. */

import type { Stats } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import PQueue from 'p-queue'
import { nullOnAbort, startDeadline } from '../../../host/clock.ts'
import { onDisk } from '../../../host/files/file-name.ts'
import { parseLocks } from '../../../host/locks/proc-locks.ts'
import type { Target } from '../../begin/target.ts'
import type { FileFacts } from '../suspicion.ts'

/** A call that hangs on a dead mount blocks one of the few threads of the pool. */
const parallelCalls = 2

export const unseenFile: FileFacts = { bytes: null, writtenAt: null, left: null }

/**
 * Takes at most `msMax`: a file on a dead mount stays unseen, and so do those behind it.
 * @param serves whether the service runs. If it does, and shows no lock on any file, locks cannot be seen here
 */
export async function lookAtFiles(
  targets: readonly Target[],
  msMax: number,
  serves: boolean,
): Promise<ReadonlyMap<Target, FileFacts>> {
  using deadline = startDeadline(msMax)
  const late = nullOnAbort(deadline.signal)
  const seen = new Map<Target, SeenParts>()
  const queue = new PQueue({ concurrency: parallelCalls })
  const locked = lockedFiles()
  for (const target of targets) {
    void queue.add(async () => {
      if (!deadline.signal.aborted) seen.set(target, await partsOf(target.named))
    })
  }
  await Promise.race([queue.onIdle(), late])
  queue.clear()
  const locks = await Promise.race([locked, late.then(() => new Set<string>())])
  const all = [...seen]
  const seesLocks = !serves || all.some(([, parts]) => Object.values(parts).some((part) => isLocked(part, locks)))
  return new Map(all.map(([target, parts]) => [target, factsOf(parts, locks, seesLocks)]))
}

interface SeenParts {
  readonly main: Stats | null
  readonly wal: Stats | null
  readonly shm: Stats | null
  readonly journal: Stats | null
}

async function partsOf(named: string): Promise<SeenParts> {
  const [main, wal, shm, journal] = [
    await statOrNull(named),
    await statOrNull(`${named}-wal`),
    await statOrNull(`${named}-shm`),
    await statOrNull(`${named}-journal`),
  ]
  return { main, wal, shm, journal }
}

/** null for nothing, and for what may not be seen. */
const statOrNull = (path: string): Promise<Stats | null> => stat(onDisk(path)).catch(() => null)

function factsOf({ main, wal, shm, journal }: SeenParts, locks: ReadonlySet<string>, seesLocks: boolean): FileFacts {
  if (main === null) return unseenFile
  const parts = [main, ...[wal, journal].flatMap((part) => (part === null ? [] : [part]))]
  const inUse = isLocked(main, locks) || isLocked(shm, locks)
  const beside = hasBytes(journal) ? 'journal' : !hasBytes(wal) ? null : shm === null ? 'orphaned-wal' : 'wal'
  const left = !seesLocks || inUse ? null : beside
  return {
    bytes: parts.reduce((sum, { size }) => sum + size, 0),
    writtenAt: Math.max(...parts.map(({ mtimeMs }) => mtimeMs)),
    left,
  }
}

const hasBytes = (part: Stats | null): boolean => (part?.size ?? 0) > 0

const isLocked = (part: Stats | null, locks: ReadonlySet<string>): boolean =>
  part !== null && locks.has(`${deviceOf(part.dev)} ${part.ino}`)

/** `major:minor` of a device number, as the C library splits it (gnu_dev_major). */
function deviceOf(dev: number): string {
  const low = dev % 2 ** 32
  const high = Math.floor(dev / 2 ** 32)
  return `${((low >>> 8) & 0xfff) | (high & ~0xfff)}:${(low & 0xff) | ((low >>> 12) & ~0xff)}`
}

/** Files with a lock of any process that we may see. Empty if the system does not say. */
async function lockedFiles(): Promise<ReadonlySet<string>> {
  const text = await readFile('/proc/locks', 'utf8').catch(() => '')
  return new Set(parseLocks(text).map(({ device, ino }) => `${device} ${ino}`))
}
