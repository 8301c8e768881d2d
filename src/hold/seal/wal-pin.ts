/**
 * The pin of a WAL: the locks of a connected reader, with its dead man's switch, and the checkpoint lock. While they
 * stand with SHARED on the database, no checkpoint changes the database file and the WAL is not reset. Programs go on
 * reading and appending (hold/README.md F6).
 *
 * Without the switch, a program that closes and opens again would find no connection and discard the wal-index. To
 * rebuild it, the program needs the checkpoint lock, which we hold.
 */
import { monotonicMs, sleep } from '../../host/clock.ts'
import { findConflict, tryLock, unlock, type ByteRange, type LockConflict } from '../../host/locks/byte-lock.ts'
import { shmLockBytes } from '../../sqlite/lock-bytes.ts'
import { readWalIndexHeader, walIndexHeaderBytes, type WalIndexHeader } from '../../sqlite/wal/wal-index.ts'
import type { LiveFiles } from '../live/live-files.ts'

/** Its locks end when the `-shm` is unlocked or closed. */
export interface WalPin {
  readonly kind: 'pinned'
  /** The wal-index, read when the locks stood. */
  readonly mark: WalIndexHeader
}

/**
 * Why a WAL is not pinned. Nothing of ours stands on the `-shm` then. `idle`: no program is connected. `busy`: another
 * program keeps the checkpoint lock. `invalid`: the wal-index is not valid; a program must recover it.
 */
export interface PinObstacle {
  readonly kind: 'idle' | 'busy' | 'invalid'
}

/** How long to ask again, in ms. */
export interface PinWait {
  readonly idleMs: number
  readonly busyMs: number
  /** Called before it asks again. */
  readonly onWait?: () => void
}

const againMs = 1
const shmByte = (start: number): ByteRange => ({ start, length: 1 })
const deadManSwitch = shmByte(shmLockBytes.deadManSwitch)
/** The dead man's switch first: once it is ours no program discards the wal-index. */
export const walPinLocks = [
  { kind: 'read', range: deadManSwitch },
  { kind: 'write', range: shmByte(shmLockBytes.checkpoint) },
  { kind: 'read', range: shmByte(shmLockBytes.readMark(1)) },
] as const

/**
 * SHARED on the database must stand: it keeps the last close of a program from deleting `-shm` and `-wal`.
 * @throws the signal's reason; nothing stands then
 */
export async function pinWal(files: LiveFiles, wait: PinWait, signal: AbortSignal): Promise<WalPin | PinObstacle> {
  const startMs = monotonicMs()
  for (;;) {
    signal.throwIfAborted()
    const outcome = pinOrRelease(files)
    if (outcome.kind === 'pinned') return outcome
    if (monotonicMs() - startMs > (outcome.kind === 'idle' ? wait.idleMs : wait.busyMs)) return outcome
    wait.onWait?.()
    await sleep(againMs, signal)
  }
}

function pinOrRelease(files: LiveFiles): WalPin | PinObstacle {
  let outcome: WalPin | PinObstacle | null = null
  try {
    return (outcome = tryPin(files))
  } finally {
    // Immediately: a wal-index that is not valid is recovered with the checkpoint lock.
    if (outcome?.kind !== 'pinned') unpinWal(files)
  }
}

/** Releases the locks on the `-shm`. Repeatable. */
export function unpinWal(files: LiveFiles): void {
  if (files.has('-shm')) for (const { range } of walPinLocks) unlock(files.descriptor('-shm'), range)
}

/** @returns what was refused first; some of the locks may stand then */
function tryPin(files: LiveFiles): WalPin | PinObstacle {
  if (!isConnected(files)) return { kind: 'idle' }
  const shm = files.descriptor('-shm')
  if (walPinLocks.some(({ kind, range }) => tryLock(shm, kind, range) === 'refused')) return { kind: 'busy' }
  const mark = readWalIndex(files)
  return mark === null ? { kind: 'invalid' } : { kind: 'pinned', mark }
}

/**
 * Whether another open file has the dead man's switch. Asked without taking it. A wal-index without a connection may be
 * stale, and with our switch the next program to open it would take it for current.
 */
export const isConnected = (files: LiveFiles): boolean =>
  files.has('-shm') && findConflict(files.descriptor('-shm'), 'write', deadManSwitch)?.kind === 'read'

/** The lock of another program that keeps us from the checkpoint lock; null if there is none. */
export const findPinConflict = (files: LiveFiles): LockConflict | null =>
  findConflict(files.descriptor('-shm'), 'write', shmByte(shmLockBytes.checkpoint))

/** Null while a program changes it, if a program died while it changed it, or if none has filled it in. */
export const readWalIndex = (files: LiveFiles): WalIndexHeader | null =>
  readWalIndexHeader(files.readCached('-shm', 0, walIndexHeaderBytes))
