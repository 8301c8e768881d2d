/**
 * Write leases: the kernel's word that nobody else has the file open or mapped, in any process, container or mount
 * namespace, and a fence against opening it while the lease is held (hold/README.md F3, F4).
 */
import { isMainThread } from 'node:worker_threads'
import { invariant } from '../../model/bug.ts'
import { fcntlNumber, SystemCallError } from '../libc.ts'
import { requireLinux } from '../platform.ts'

export type LeaseAnswer =
  | { readonly kind: 'granted' }
  /** Somebody else has the file: another open description, or a mapping whose descriptor may be long closed. */
  | { readonly kind: 'refused' }
  /** The file system or our rights do not allow leases: nothing is said about others. */
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
 * What the lease of this descriptor is, or, while somebody's open is breaking it, what it is about to become: anything
 * but 'write' means that it must be given up now. @throws {SystemCallError}
 */
export function leaseOf(descriptor: number): 'write' | 'read' | 'none' {
  const type = fcntlNumber(descriptor, F_GETLEASE, 0)
  if (type === 0) return 'read'
  return type === F_WRLCK ? 'write' : 'none'
}

/** Lets everybody in who waits in an open. Repeatable. @throws {SystemCallError} */
export function releaseLease(descriptor: number): void {
  try {
    fcntlNumber(descriptor, F_SETLEASE, F_UNLCK)
  } catch (error) {
    // EAGAIN: there is no lease on this descriptor, as after the kernel took it away at the end of lease-break-time.
    if (!(error instanceof SystemCallError) || error.code !== 'EAGAIN') throw error
  }
}

const listeners = new Set<() => void>()
let listening = false

/**
 * Calls `listener` when anybody asks for a file that we hold a lease on; `leaseOf` tells which. Dispose to stop.
 * @throws {Failure} PLATFORM_UNSUPPORTED
 */
export function onLeaseBreak(listener: () => void): Disposable {
  listenForBreaks()
  const entry = (): void => listener() // One entry for each call, even with the same function twice.
  listeners.add(entry)
  return { [Symbol.dispose]: () => void listeners.delete(entry) }
}

/**
 * Without a listener SIGIO kills the process (F4), and Node drops its own when the last one is removed: ours stays for
 * good.
 */
function listenForBreaks(): void {
  requireLinux()
  if (listening) return
  invariant(isMainThread, 'signals reach the main thread only: leases must be taken there')
  process.on('SIGIO', () => {
    for (const listener of listeners) listener()
  })
  listening = true
}
