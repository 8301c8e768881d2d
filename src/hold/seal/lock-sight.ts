/**
 * Whether a second process sees a lock of ours that refuses no reader, so that it cannot be tried
 * (hold/pinned/README.md L15). It takes nothing. The kernel's list shows every lock. Where that list is hidden, the
 * kernel is asked what would refuse a write lock. It answers with one lock only, and that may be another program's.
 */
import { fstatSync, readFileSync, realpathSync } from 'node:fs'
import { openDescriptor } from '../../host/files/descriptor.ts'
import { nameOf, onDisk } from '../../host/files/file-name.ts'
import { deviceName, mountOf, parseMountInfo } from '../../host/files/file-system.ts'
import { findConflict, type ByteRange, type LockKind } from '../../host/locks/byte-lock.ts'
import { goneOrHidden } from '../../host/locks/open-descriptors.ts'
import { parseLocks, type KernelLock } from '../../host/locks/proc-locks.ts'

/** `hidden`: another program's lock hides it, and the kernel's list is not shown to us. */
export type LockSight = 'seen' | 'not-seen' | 'hidden'

export interface LockToSee {
  readonly path: string
  /** Device and inode of the file that is locked. */
  readonly dev: bigint
  readonly ino: bigint
  readonly kind: LockKind
  readonly range: ByteRange
}

/**
 * The kernel shows its list in pieces. If another program releases a lock between two of them, a line is skipped: on a
 * busy machine, in one look of sixty. So only what several looks miss is not there.
 */
const looks = { max: 20, apartMs: 1 } as const

/** @throws an error if the path leads to another file by now */
export function seeLock(lock: LockToSee): LockSight {
  const { path, dev, ino } = lock
  using file = openDescriptor(path, 'read-only')
  const found = fstatSync(file.number, { bigint: true })
  if (found.dev !== dev || found.ino !== ino) throw new Error(`${path} leads to another file by now`)
  for (let look = 1; ; look++) {
    const sight = lookOnce(file.number, lock)
    if (sight !== 'missed') return sight
    if (look === looks.max) return 'not-seen'
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, looks.apartMs)
  }
}

/**
 * Whether a program has a lock on the bytes, and not only another holdfast. Null if that cannot be told. Takes nothing.
 * @param descriptor open on the file
 */
export function hasProgramLock(descriptor: number, { path, dev, ino, range }: Omit<LockToSee, 'kind'>): boolean | null {
  for (let look = 1; look <= looks.max; look++) {
    const conflict = findConflict(descriptor, 'write', range)
    if (conflict?.owner !== 'description') return conflict !== null
    const locks = readLocks()
    if (locks === null) return null
    const devices = new Set([deviceName(dev), deviceOfMount(path, dev)])
    const last = range.start + range.length - 1
    const isOfProgram = (lock: KernelLock): boolean =>
      lock.owner === 'process' && lock.ino === ino && devices.has(lock.device) && lock.first <= last
    if (locks.some((lock) => isOfProgram(lock) && lock.last >= range.start)) return true
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, looks.apartMs)
  }
  return false
}

function lookOnce(descriptor: number, { path, dev, ino, kind, range }: LockToSee): LockSight | 'missed' {
  const conflict = findConflict(descriptor, 'write', range)
  if (conflict === null) return 'not-seen'
  if (conflict.owner === 'description' && conflict.kind === kind && covers(conflict.range, range)) return 'seen'
  const locks = readLocks()
  if (locks === null) return 'hidden'
  const devices = new Set([deviceName(dev), deviceOfMount(path, dev)])
  const isOurs = (lock: KernelLock): boolean =>
    lock.owner === 'description' &&
    lock.access === kind &&
    lock.ino === ino &&
    devices.has(lock.device) &&
    lock.first <= range.start &&
    lock.last >= range.start + range.length - 1
  return locks.some(isOurs) ? 'seen' : 'missed'
}

const covers = (outer: ByteRange, inner: ByteRange): boolean =>
  outer.start <= inner.start && (outer.length === 0 || outer.start + outer.length >= inner.start + inner.length)

/** Null if the system does not show the list. */
function readLocks(): readonly KernelLock[] | null {
  try {
    return parseLocks(readFileSync('/proc/locks', 'latin1'))
  } catch (error) {
    if (goneOrHidden(error) === null) throw error
    return null
  }
}

/** The list has the device of the mount. On btrfs, the one of stat differs from it. */
function deviceOfMount(path: string, dev: bigint): string {
  const mounts = parseMountInfo(readFileSync('/proc/self/mountinfo', 'utf8'))
  return mountOf(nameOf(realpathSync.native(onDisk(path), 'buffer')), deviceName(dev), mounts).device
}
