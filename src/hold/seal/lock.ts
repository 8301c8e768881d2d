/**
 * The lock: open-file-description locks on SQLite's own lock bytes. They exclude SQLite in every other process, and an
 * unrelated open and close in this process does not drop them (hold/README.md F1, F2).
 */
import { monotonicMs, sleep } from '../../host/clock.ts'
import { findConflict, tryLock, unlock, type ByteRange, type LockConflict } from '../../host/locks/byte-lock.ts'
import type { LiveSetPart, SealLevel } from '../../model/result/evidence.ts'
import { lockBytes, shmLockBytes } from '../../sqlite/lock-bytes.ts'
import type { LiveFiles } from '../live/live-files.ts'
import type { Quiesced } from '../pause/pause.ts'
import type { NameConflict, Refusal } from './conflict.ts'

declare const locked: unique symbol
/** The byte locks stand. `exclusive`: no program may read or write; `writer`: none may write or checkpoint. */
export interface Locked extends Disposable {
  readonly [locked]: true
  readonly quiesced: Quiesced
  readonly files: LiveFiles
  readonly scope: 'exclusive' | 'writer'
  readonly ranges: readonly string[]
  /** False once the locks were released: a token that outlived its locks proves nothing. */
  readonly standing: boolean
}

interface WantedLock {
  readonly part: LiveSetPart
  readonly kind: 'read' | 'write'
  readonly range: ByteRange
}

const shmByte = (start: number): ByteRange => ({ start, length: 1 })
const exclusiveLocks: readonly WantedLock[] = [{ part: '', kind: 'write', range: lockBytes.all }]
const writerLocks: readonly WantedLock[] = [
  { part: '', kind: 'read', range: lockBytes.shared },
  { part: '-shm', kind: 'write', range: shmByte(shmLockBytes.write) },
  { part: '-shm', kind: 'write', range: shmByte(shmLockBytes.checkpoint) },
  { part: '-shm', kind: 'write', range: shmByte(shmLockBytes.recover) },
]

/** How long to wait for a transaction or a checkpoint that is just ending (hold/README.md F9). */
const waitMs = 250

/**
 * Locks the live set exclusively; or against writers, if the exclusive lock is refused and the configuration allows
 * that.
 * @throws {Failure} LOCK_BUSY, or CONTRACT_BROKEN if the service itself is in the way
 */
export async function lockLiveSet(
  quiesced: Quiesced,
  files: LiveFiles,
  required: SealLevel,
  nameConflict: NameConflict,
  signal: AbortSignal,
): Promise<Locked> {
  const conflict = await takeAll(files, exclusiveLocks, signal)
  if (conflict === null) return lockedBy(quiesced, files, 'exclusive', exclusiveLocks)
  if (required === 'writer-locked' && files.has('-shm')) {
    const second = await takeAll(files, writerLocks, signal)
    if (second === null) return lockedBy(quiesced, files, 'writer', writerLocks)
    throw await nameConflict('LOCK_BUSY', second)
  }
  throw await nameConflict('LOCK_BUSY', conflict)
}

function lockedBy(quiesced: Quiesced, files: LiveFiles, scope: Locked['scope'], locks: readonly WantedLock[]): Locked {
  let standing = true
  const token = {
    quiesced,
    files,
    scope,
    ranges: locks.map(
      ({ part, kind, range }) => `${part || 'database'} ${kind} 0x${range.start.toString(16)}+${range.length}`,
    ),
    get standing() {
      return standing
    },
    [Symbol.dispose]: () => {
      if (standing) release(files, locks)
      standing = false
    },
  }
  return token as unknown as Locked
}

/** Takes all locks or none. @returns null if all were granted, else what is in the way */
async function takeAll(files: LiveFiles, locks: readonly WantedLock[], signal: AbortSignal): Promise<Refusal | null> {
  const deadlineMs = monotonicMs() + waitMs
  for (;;) {
    const at = locks.findIndex(({ part, kind, range }) => tryLock(files.descriptor(part), kind, range) === 'refused')
    const refused = locks[at]
    if (!refused) return null
    const refusal = refusalOf(files, refused)
    release(files, locks.slice(0, at)) // Not the refused one: the pin of a warm copy may stand on the same bytes.
    if (monotonicMs() > deadlineMs) return refusal
    await sleep(5, signal)
  }
}

function release(files: LiveFiles, locks: readonly WantedLock[]): void {
  for (const { part, range } of locks) if (files.has(part)) unlock(files.descriptor(part), range)
}

function refusalOf(files: LiveFiles, { part, kind, range }: WantedLock): Refusal {
  return describeConflict(files.path + part, findConflict(files.descriptor(part), kind, range))
}

/** @param conflict null if the lock is gone by now */
export function describeConflict(path: string, conflict: LockConflict | null): Refusal {
  const who =
    conflict === null
      ? 'a process that has just let go'
      : conflict.pid === null
        ? 'an open file description'
        : `process ${conflict.pid}`
  return { who, pid: conflict?.pid ?? null, does: `holds a ${conflict?.kind ?? 'conflicting'} lock on ${path}` }
}
