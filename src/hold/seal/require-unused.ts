/**
 * Finds out whether a program uses a bare file, which has no service that was asked to stand still. It uses means that
 * harm no program: the kernel's list of leases, the locks of others, a kernel lease of ours. holdfast reads and locks
 * only an unused file. If the kernel grants no lease, holdfast reads the open-file table instead.
 */
import { monotonicMs, sleep } from '../../host/clock.ts'
import { Disposables } from '../../host/disposal.ts'
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
import { describeHolders, allHoldersOf, identitiesOf } from './holders.ts'
import { leaseLiveSet, watchForBreak, type LiveSetLease } from './live-set-lease.ts'
import { describeConflict } from './lock.ts'

/** No program uses the file. This holds until a program opens it; holdfast then releases its kernel lease for it. */
export interface UnusedFile extends Disposable {
  /** False: then nothing reports a program that opens the file. */
  readonly hasKernelLease: boolean
  /** @throws {Failure} IN_USE if another program has opened the file since */
  assertStanding(): void
  /**
   * Waits until the file was watched long enough to notice a program that opens it for each request.
   * @throws as `assertStanding`
   */
  waitUntilWatched(signal: AbortSignal): Promise<void>
}

/**
 * How long to wait for a transaction that is ending, and for a program that reads the file briefly. Nothing of ours
 * stands meanwhile.
 */
const waitMs = { lock: 250, open: 30 } as const
/** A shell that writes in a loop opens the file every few milliseconds. */
const watchMs = 30

/**
 * To be called before the file is opened: opening it would break another program's lease, perhaps of another check.
 * @throws {Failure} IN_USE
 */
export async function requireNoLease(path: LivePath): Promise<void> {
  const holders = await findLeaseHolders(await identitiesOf(path))
  if (holders.length > 0)
    throw new Failure('IN_USE', `another program has a kernel lease on ${path}: ${describeHolders(holders, [])}`)
}

export interface UnusedRequest {
  readonly settings: Pick<HoldSettings, 'require' | 'trustMounts'>
  readonly record: HoldRecord
  readonly nameConflict: NameConflict
  readonly guardian: Guardian
}

/**
 * @throws {Failure} LOCKS_UNTRUSTED, LOCK_BUSY, IN_USE; LEASE_UNAVAILABLE if the seal could not reach the level that is
 * required
 */
export async function requireUnused(
  files: LiveFiles,
  { settings, record, nameConflict, guardian }: UnusedRequest,
  signal: AbortSignal,
): Promise<UnusedFile> {
  const { fileSystem, strongestLevel } = await judgeFileSystem(files, settings.trustMounts)
  record.add({ fileSystem: fileSystem.type })
  const locked = await findLockOfOthers(files, signal)
  if (locked !== null) throw await nameConflict('LOCK_BUSY', locked)
  using taken = new Disposables()
  // A program that opens the file waits for our lease, and would wait for long if this process were frozen.
  taken.add(await guardian.watchHeartbeat())
  const lease = await leaseLiveSet(files, waitMs.open, signal)
  if (lease.kind === 'refused') {
    const does = `has ${files.path}${lease.part} open or mapped`
    throw await nameConflict('IN_USE', { who: 'another program', pid: null, does })
  }
  if (lease.kind === 'held') taken.add(lease)
  if (lease.kind === 'unsupported' || strongestLevel !== 'sealed') {
    const why =
      lease.kind === 'held'
        ? `on this file system a kernel lease on ${files.path} does not notice every program that opens it`
        : `no kernel lease on ${files.path}${lease.part}: ${lease.why}`
    if (!isAtLeast('exclusive', settings.require)) throw new Failure('LEASE_UNAVAILABLE', why)
    await requireNoHolder(files, record)
  }
  return unusedBy(files, lease.kind === 'held' ? lease : null, taken.move())
}

/**
 * If the kernel does not say who has the file, the open-file table names the programs it can.
 * @throws {Failure} IN_USE
 */
async function requireNoHolder(files: LiveFiles, record: HoldRecord): Promise<void> {
  const { holders, unseen, sentence } = await allHoldersOf(files)
  record.add({ holders, unseen })
  if (holders.length > 0) throw new Failure('IN_USE', `another program has ${files.path} open or mapped: ${sentence}`)
}

/** Finds a lock that would refuse ours, without requesting one. @returns null if there is none */
async function findLockOfOthers(files: LiveFiles, signal: AbortSignal): Promise<Refusal | null> {
  const deadlineMs = monotonicMs() + waitMs.lock
  for (;;) {
    const conflict = findConflict(files.descriptor(''), 'write', lockBytes.all)
    if (conflict === null) return null
    if (monotonicMs() > deadlineMs) return describeConflict(files.path, conflict)
    await sleep(5, signal)
  }
}

function unusedBy(files: LiveFiles, lease: LiveSetLease | null, release: Disposable): UnusedFile {
  const sinceMs = monotonicMs()
  let broken = false
  let released = false
  const giveWay = (): void => {
    broken ||= !released
    lease?.[Symbol.dispose]()
  }
  const listening = lease === null ? null : watchForBreak(lease, giveWay)
  const assertStanding = (): void => {
    // The signal may not have reached us yet: ask the kernel.
    if (lease !== null && !released && !lease.isUnbroken()) giveWay()
    if (broken)
      throw new Failure(
        'IN_USE',
        `another program opened a file of ${files.path} while holdfast checked whether it is in use: ` +
          'holdfast released it immediately',
      )
  }
  return {
    hasKernelLease: lease !== null,
    assertStanding,
    waitUntilWatched: async (signal) => {
      const leftMs = sinceMs + watchMs - monotonicMs()
      if (lease !== null && leftMs > 0) await sleep(leftMs, signal)
      assertStanding()
    },
    [Symbol.dispose]: () => {
      released = true
      listening?.[Symbol.dispose]()
      release[Symbol.dispose]()
    },
  }
}
