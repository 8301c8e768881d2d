import { monotonicMs, sleep } from '../../host/clock.ts'
import { Disposables } from '../../host/disposal.ts'
/**
 * A bare file has no owner who was asked to stand still. So it is asked first, by what nobody notices, whether anybody
 * uses it: the kernel's list of leases, the locks of others, a kernel lease of ours. Only a file that nobody uses is
 * read and locked. Where the kernel gives no lease, the open-file table must do.
 */
import { findConflict } from '../../host/locks/byte-lock.ts'
import { findLeaseHolders } from '../../host/locks/open-file-table.ts'
import type { LivePath } from '../../model/brand.ts'
import { Failure } from '../../model/failure.ts'
import { isAtLeast } from '../../model/result/evidence.ts'
import { lockBytes } from '../../sqlite/lock-bytes.ts'
import type { HoldSettings } from '../hold-request.ts'
import type { LiveFiles } from '../live/live-files.ts'
import { judgeFileSystem } from '../preflight.ts'
import type { HoldRecord } from '../record.ts'
import type { NameConflict, Refusal } from './conflict.ts'
import type { Guardian } from './guardian.ts'
import { describeHolders, holdersOf, identitiesOf } from './holders.ts'
import { leaseLiveSet, onceBroken, type LiveSetLease } from './live-set-lease.ts'
import { whoLocks } from './lock.ts'

/** Nobody uses the file. It stands as long as nobody opens it; whoever does waits for nothing of ours. */
export interface UnusedFile extends Disposable {
  /**
   * False where only the open-file table could be asked: then nothing tells us of somebody who opens the file while we
   * hold it.
   */
  readonly leased: boolean
  /** @throws {Failure} IN_USE when somebody has opened the file since */
  assertStanding(): void
  /**
   * Waits until the file was watched long enough to notice somebody who opens it for each request.
   * @throws as `assertStanding`
   */
  watched(signal: AbortSignal): Promise<void>
}

/**
 * The ending of a transaction, and somebody who looks at the file in passing, are waited for; nothing of ours stands
 * meanwhile.
 */
const patienceMs = { lock: 250, open: 30 } as const
/** A shell that writes in a loop opens the file every few milliseconds. */
const watchMs = 30

/**
 * To be asked before the file is opened: opening it would end the lease of somebody else, which may be another check.
 * @throws {Failure} IN_USE
 */
export async function requireNoLease(path: LivePath): Promise<void> {
  const holders = await findLeaseHolders(await identitiesOf(path))
  if (holders.length > 0)
    throw new Failure('IN_USE', `somebody has a kernel lease on ${path}: ${describeHolders(holders, [])}`)
}

export interface UnusedRequest {
  readonly settings: Pick<HoldSettings, 'require' | 'trustMounts'>
  readonly record: HoldRecord
  readonly accuse: NameConflict
  readonly guardian: Guardian
}

/**
 * @throws {Failure} LOCKS_UNTRUSTED, LOCK_BUSY, IN_USE; LEASE_UNAVAILABLE where the seal could not come to what is
 * required
 */
export async function requireUnused(
  files: LiveFiles,
  { settings, record, accuse, guardian }: UnusedRequest,
  signal: AbortSignal,
): Promise<UnusedFile> {
  const { fileSystem, strongestLevel: ceiling } = await judgeFileSystem(files, settings.trustMounts)
  record.add({ fileSystem: fileSystem.type })
  const locked = await lockOfOthers(files, signal)
  if (locked !== null) throw await accuse('LOCK_BUSY', locked)
  using given = new Disposables()
  // Who opens the file waits for a lease of ours, and would wait for a frozen one.
  given.add(await guardian.watchHeartbeat())
  const lease = await leaseLiveSet(files, patienceMs.open, signal)
  if (lease.kind === 'refused') {
    throw await accuse('IN_USE', { who: 'somebody', pid: null, does: `has ${files.path}${lease.part} open or mapped` })
  }
  if (lease.kind === 'held') given.add(lease)
  if (lease.kind === 'unsupported' || ceiling !== 'sealed') {
    const why =
      lease.kind === 'held'
        ? `on this file system a kernel lease on ${files.path} does not notice every program that opens it`
        : `no kernel lease on ${files.path}${lease.part}: ${lease.why}`
    if (!isAtLeast('exclusive', settings.require)) throw new Failure('LEASE_UNAVAILABLE', why)
    await requireNoHolder(files, record)
  }
  return unusedBy(files, lease.kind === 'held' ? lease : null, given.move())
}

/** Where the kernel does not say who has the file, the open-file table names whom it can. @throws {Failure} IN_USE */
async function requireNoHolder(files: LiveFiles, record: HoldRecord): Promise<void> {
  const { holders, unseen, sentence } = await holdersOf(files)
  record.add({ holders, unseen })
  if (holders.length > 0) throw new Failure('IN_USE', `somebody has ${files.path} open or mapped: ${sentence}`)
}

/** Looks for a lock that would refuse ours, without asking for one. @returns who has it; null for nobody */
async function lockOfOthers(files: LiveFiles, signal: AbortSignal): Promise<Refusal | null> {
  const deadlineMs = monotonicMs() + patienceMs.lock
  for (;;) {
    const conflict = findConflict(files.descriptor(''), 'write', lockBytes.all)
    if (conflict === null) return null
    if (monotonicMs() > deadlineMs) return whoLocks(files.path, conflict)
    await sleep(5, signal)
  }
}

function unusedBy(files: LiveFiles, lease: LiveSetLease | null, release: Disposable): UnusedFile {
  const sinceMs = monotonicMs()
  let broken = false
  let given = false
  const giveWay = (): void => {
    broken ||= !given
    lease?.[Symbol.dispose]()
  }
  const listening = lease === null ? null : onceBroken(lease, giveWay)
  const assertStanding = (): void => {
    // The signal may not have reached us yet: ask the kernel.
    if (lease !== null && !given && !lease.isUnbroken()) giveWay()
    if (broken)
      throw new Failure(
        'IN_USE',
        `another program opened a file of ${files.path} while we looked whether it is in use: we gave way immediately`,
      )
  }
  return {
    leased: lease !== null,
    assertStanding,
    watched: async (signal) => {
      const leftMs = sinceMs + watchMs - monotonicMs()
      if (lease !== null && leftMs > 0) await sleep(leftMs, signal)
      assertStanding()
    },
    [Symbol.dispose]: () => {
      given = true
      listening?.[Symbol.dispose]()
      release[Symbol.dispose]()
    },
  }
}
