/**
 * Advisory locks on byte ranges. The open-file-description kind belongs to the descriptor, so another open and close in
 * this process cannot drop it (hold/README.md F1, F2). The POSIX kind is the one that SQLite uses.
 */
import { fcntlLock, SystemCallError } from '../libc.ts'

export interface ByteRange {
  readonly start: number
  /** In bytes; 0 means up to the end of the file, also when it grows. */
  readonly length: number
}
export type LockKind = 'read' | 'write'

/**
 * A lock of another owner. `pid` is null for an open-file-description lock, and for an owner outside our pid namespace.
 */
export interface LockConflict {
  readonly kind: LockKind
  readonly owner: 'process' | 'description'
  readonly range: ByteRange
  readonly pid: number | null
}

const F_SETLK = 6
const F_OFD_GETLK = 36
const F_OFD_SETLK = 37
const types = { read: 0, write: 1, none: 2 } as const

/**
 * Never waits. Changes a lock that this descriptor already has on the range to `kind`.
 * @throws {SystemCallError} EBADF if the descriptor was not opened for this kind; ENOLCK, EINVAL
 */
export function tryLock(descriptor: number, kind: LockKind, range: ByteRange): 'granted' | 'refused' {
  return trySet(descriptor, F_OFD_SETLK, kind, range)
}

/**
 * The lock that SQLite would take. It belongs to the process, and the process loses it when it closes *any* descriptor
 * of the file (F1). For the probe process only. Never waits.
 * @throws {SystemCallError}
 */
export function tryPosixLock(descriptor: number, kind: LockKind, range: ByteRange): 'granted' | 'refused' {
  return trySet(descriptor, F_SETLK, kind, range)
}

/** Releases the locks of this descriptor in the range, if there are any. @throws {SystemCallError} */
export function unlock(descriptor: number, range: ByteRange): void {
  fcntlLock(descriptor, F_OFD_SETLK, flockOf('none', range))
}

/** The first lock that would refuse ours, or null. Takes no lock. @throws {SystemCallError} */
export function findConflict(descriptor: number, kind: LockKind, range: ByteRange): LockConflict | null {
  const flock = flockOf(kind, range)
  fcntlLock(descriptor, F_OFD_GETLK, flock)
  const type = flock.readInt16LE(0)
  if (type === types.none) return null
  const pid = flock.readInt32LE(24)
  return {
    kind: type === types.write ? 'write' : 'read',
    owner: pid === -1 ? 'description' : 'process', // 0: a process outside our pid namespace.
    range: { start: Number(flock.readBigInt64LE(8)), length: Number(flock.readBigInt64LE(16)) },
    pid: pid > 0 ? pid : null,
  }
}

function trySet(descriptor: number, command: number, kind: LockKind, range: ByteRange): 'granted' | 'refused' {
  try {
    fcntlLock(descriptor, command, flockOf(kind, range))
    return 'granted'
  } catch (error) {
    if (error instanceof SystemCallError && (error.code === 'EAGAIN' || error.code === 'EACCES')) return 'refused'
    throw error
  }
}

function flockOf(kind: keyof typeof types, range: ByteRange): Buffer {
  const flock = Buffer.alloc(32) // Counted from the start of the file (SEEK_SET). The pid must be 0 for F_OFD_GETLK.
  flock.writeInt16LE(types[kind], 0)
  flock.writeBigInt64LE(BigInt(range.start), 8)
  flock.writeBigInt64LE(BigInt(range.length), 16)
  return flock
}
