/**
 * Write leases. The kernel attests that no other process has the file open or mapped, in any container or mount
 * namespace. While the lease is held, it delays every open of the file (hold/README.md F3, F4).
 */
import { isMainThread } from 'node:worker_threads'
import { invariant } from '../../model/bug.ts'
import { fcntlNumber, SystemCallError } from '../libc.ts'
import { requireLinux } from '../platform.ts'

export type LeaseAnswer =
  | { readonly kind: 'granted' }
  /** Another open description has the file, or a mapping whose descriptor may be closed. */
  | { readonly kind: 'refused' }
  /** The file system or our rights do not allow leases, so nothing is known about other processes. */
  | { readonly kind: 'unsupported'; readonly why: string }

const F_SETLEASE = 1024
const F_GETLEASE = 1025
const F_WRLCK = 1
const F_UNLCK = 2

/**
 * Never waits. The lease ends with the last descriptor of this opening.
 * @throws {SystemCallError} EBADF and other errors of ours
 */
export function takeWriteLease(descriptor: number): LeaseAnswer {
  listenForBreaks()
  try {
    fcntlNumber(descriptor, F_SETLEASE, F_WRLCK)
    return { kind: 'granted' }
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error
    if (error.code === 'EAGAIN' || error.code === 'EBUSY') return { kind: 'refused' }
    const why = reasons[error.code]
    if (why === undefined) throw error
    return { kind: 'unsupported', why: `${why} (${error.code})` }
  }
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'we neither own the file nor have CAP_LEASE',
  EPERM: 'we may not take leases here',
  EINVAL: 'this file system has no leases',
  ENOLCK: 'this file system has no leases, or they are switched off (fs.leases-enable)',
  EOPNOTSUPP: 'this file system has no leases',
  ENOSYS: 'this kernel has no leases',
}

/**
 * The state of the lease of this descriptor. While another open breaks it, the state that it is about to have: any
 * state but 'write' means that it must be released now.
 * @throws {SystemCallError}
 */
export function leaseOf(descriptor: number): 'write' | 'read' | 'none' {
  const type = fcntlNumber(descriptor, F_GETLEASE, 0)
  if (type === 0) return 'read'
  return type === F_WRLCK ? 'write' : 'none'
}

/** Releases the lease, so that waiting opens go on. May be called again. @throws {SystemCallError} */
export function releaseLease(descriptor: number): void {
  try {
    fcntlNumber(descriptor, F_SETLEASE, F_UNLCK)
  } catch (error) {
    // EAGAIN: this descriptor has no lease, for example because lease-break-time is over.
    if (!(error instanceof SystemCallError) || error.code !== 'EAGAIN') throw error
  }
}

const listeners = new Set<() => void>()
let listening = false

/**
 * Calls `listener` when another process opens a file that we hold a lease on; `leaseOf` shows which. Dispose it to
 * stop.
 * @throws {Failure} PLATFORM_UNSUPPORTED
 */
export function onLeaseBreak(listener: () => void): Disposable {
  listenForBreaks()
  const entry = (): void => listener() // One entry for each call, even with the same function twice.
  listeners.add(entry)
  return { [Symbol.dispose]: () => void listeners.delete(entry) }
}

/**
 * Without a listener SIGIO kills the process (F4). Node removes its own when the last listener goes, so ours stays.
 *
 * SIGPOLL is another name of the same signal, and Node calls the listeners of both. proper-lockfile listens to each
 * signal that can end a process. Where it listens alone it takes that for the end, and removes the run lock. 10 s later
 * the run stops, because its lock is lost.
 */
function listenForBreaks(): void {
  requireLinux()
  if (listening) return
  invariant(isMainThread, 'signals reach the main thread only: leases must be taken there')
  process.on('SIGIO', () => {
    for (const listener of listeners) listener()
  })
  process.on('SIGPOLL', () => {})
  listening = true
}
