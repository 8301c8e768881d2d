import { monotonicMs, sleep } from '../../host/clock.ts'
/**
 * Step 3: the lock. Open-file-description locks on SQLite's own lock bytes: they exclude SQLite in every other process
 * and survive an unrelated open and close in ours (hold/README.md F1, F2).
 */
import { findConflict, tryLock, unlock, type ByteRange, type LockConflict } from '../../host/locks/byte-lock.ts'
import type { LiveSetPart, SealLevel } from '../../model/result/evidence.ts'
import { lockBytes, shmLockBytes } from '../../sqlite/lock-bytes.ts'
import type { LiveFiles } from '../live/live-files.ts'
import type { QuiescedToken } from '../pause/pause.ts'
import type { NameConflict, Refusal } from './conflict.ts'

declare const locked: unique symbol
/** The byte locks stand. `exclusive`: nobody may read or write; `writer`: nobody may write or checkpoint. */
export interface Locked extends Disposable {
  readonly [locked]: true
  readonly still: QuiescedToken
  readonly files: LiveFiles
  readonly scope: 'exclusive' | 'writer'
  readonly ranges: readonly string[]
  /** False once the locks were given up: a token that outlived its locks proves nothing. */
  readonly standing: boolean
}

interface Claim {
  readonly part: LiveSetPart
  readonly kind: 'read' | 'write'
  readonly range: ByteRange
}

const shmByte = (start: number): ByteRange => ({ start, length: 1 })
const exclusiveClaims: readonly Claim[] = [{ part: '', kind: 'write', range: lockBytes.all }]
const writerClaims: readonly Claim[] = [
  { part: '', kind: 'read', range: lockBytes.shared },
  { part: '-shm', kind: 'write', range: shmByte(shmLockBytes.write) },
  { part: '-shm', kind: 'write', range: shmByte(shmLockBytes.checkpoint) },
  { part: '-shm', kind: 'write', range: shmByte(shmLockBytes.recover) },
]

/** A transaction or checkpoint that is just ending deserves a moment (hold/README.md F9). */
const patienceMs = 250

/**
 * Locks the live set exclusively, or against writers where the configuration allows that and the exclusive lock is
 * refused.
 * @throws {Failure} LOCK_BUSY, or CONTRACT_BROKEN when it is the service itself that refuses
 */
export async function lockLiveSet(
  still: QuiescedToken,
  files: LiveFiles,
  required: SealLevel,
  accuse: NameConflict,
  signal: AbortSignal,
): Promise<Locked> {
  const conflict = await claim(files, exclusiveClaims, signal)
  if (conflict === null) return lockedBy(still, files, 'exclusive', exclusiveClaims)
  if (required === 'writer-locked' && files.has('-shm')) {
    const second = await claim(files, writerClaims, signal)
    if (second === null) return lockedBy(still, files, 'writer', writerClaims)
    throw await accuse('LOCK_BUSY', second)
  }
  throw await accuse('LOCK_BUSY', conflict)
}

function lockedBy(still: QuiescedToken, files: LiveFiles, scope: Locked['scope'], claims: readonly Claim[]): Locked {
  let standing = true
  const token = {
    still,
    files,
    scope,
    ranges: claims.map(
      ({ part, kind, range }) => `${part || 'database'} ${kind} 0x${range.start.toString(16)}+${range.length}`,
    ),
    get standing() {
      return standing
    },
    [Symbol.dispose]: () => {
      if (standing) release(files, claims)
      standing = false
    },
  }
  return token as unknown as Locked
}

/** All claims or none. @returns null when all were granted, else who is in the way */
async function claim(files: LiveFiles, claims: readonly Claim[], signal: AbortSignal): Promise<Refusal | null> {
  const deadlineMs = monotonicMs() + patienceMs
  for (;;) {
    const at = claims.findIndex(({ part, kind, range }) => tryLock(files.descriptor(part), kind, range) === 'refused')
    const refused = claims[at]
    if (!refused) return null
    const refusal = whoRefuses(files, refused)
    release(files, claims.slice(0, at)) // Not the refused one: a warm copy's pin may stand on the same bytes.
    if (monotonicMs() > deadlineMs) return refusal
    await sleep(5, signal)
  }
}

function release(files: LiveFiles, claims: readonly Claim[]): void {
  for (const { part, range } of claims) if (files.has(part)) unlock(files.descriptor(part), range)
}

function whoRefuses(files: LiveFiles, { part, kind, range }: Claim): Refusal {
  return whoLocks(files.path + part, findConflict(files.descriptor(part), kind, range))
}

/** @param conflict null for one that is gone by now */
export function whoLocks(path: string, conflict: LockConflict | null): Refusal {
  const who =
    conflict === null
      ? 'a process that has just let go'
      : conflict.pid === null
        ? 'an open file description'
        : `process ${conflict.pid}`
  return { who, pid: conflict?.pid ?? null, does: `holds a ${conflict?.kind ?? 'conflicting'} lock on ${path}` }
}
