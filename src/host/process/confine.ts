/** Confines a child that reads a hostile file (hold/README.md, Security). */
import { fstatSync, readdirSync } from 'node:fs'
import { invariant } from '../../model/bug.ts'
import type { Wall } from '../../model/result/reading.ts'
import { chroot, prctl, setLimit, SystemCallError } from '../libc.ts'
import { refuseCalls } from './call-filter.ts'
import { dieWithParent } from './parent-death.ts'

export interface ConfinedFolder {
  /** Becomes the root of the file system for this process. `uid` must be able to enter it. */
  readonly folder: string
  readonly uid: number
  readonly gid: number
}

/** This process lacks a right, or this kernel lacks a feature, that confining needs. The message names it. */
export class ConfinementError extends Error {
  override readonly name = 'ConfinementError'
}

/**
 * Locks this process into a folder under another user, for good. For root only. Before the call everything from
 * elsewhere (better-sqlite3) must be loaded, every thread started, and the event loop must have turned once.
 * @returns the walls that now stand
 * @throws {ConfinementError} if root may not do it here, or if an open folder would let the process leave:
 * it is then of no use
 * @throws {Bug} if root's rights can be regained
 */
export function confine(into: ConfinedFolder): readonly Wall[] {
  invariant(into.uid > 0 && into.gid > 0, 'a child is confined as an unprivileged user')
  const { setuid, setgid, setgroups } = process
  invariant(setuid && setgid && setgroups && process.getuid?.() === 0, 'only root can confine a child')
  requireNoOpenFolder()
  const parent = process.ppid
  keepNoCore()
  prctl(PR_SET_NO_NEW_PRIVS, 1)
  requirePermitted('chroot', () => chroot(into.folder))
  process.chdir('/')
  requirePermitted('setgroups', () => setgroups([]))
  requirePermitted('setgid', () => setgid(into.gid))
  requirePermitted('setuid', () => setuid(into.uid))
  requireNoWayBack(into)
  dieWithParent(parent)
  return ['own-folder', 'other-user', ...giveUpCalls()]
}

/**
 * Takes network, programs and other processes from this process, for good. It keeps its user and sees what that user
 * sees: more is not possible without root. Load the same beforehand as for `confine`.
 * @returns the walls that now stand; none outside of Linux
 * @throws {ConfinementError} if the kernel has no filter for calls
 */
export function confineInPlace(): readonly Wall[] {
  if (process.platform !== 'linux') return []
  keepNoCore()
  const walls = giveUpCalls()
  if (walls.length === 0) throw new ConfinementError('this kernel gives no filter for system calls (seccomp)')
  return walls
}

/** Bounds the length of each file that this process writes. @param bytes never more than in an earlier call */
export function limitFileSize(bytes: number): void {
  if (process.platform !== 'linux') return
  try {
    setLimit(RLIMIT_FSIZE, bytes)
  } catch (error) {
    // No limit is raised. If holdfast was started with a stricter one (`ulimit -f`), that one counts.
    if (!(error instanceof SystemCallError) || error.code !== 'EPERM') throw error
  }
}

const RLIMIT_FSIZE = 1
const RLIMIT_CORE = 4
const RLIMIT_NPROC = 6
const PR_SET_NO_NEW_PRIVS = 38

/** A core file would put customers' data beside the snapshot. */
const keepNoCore = (): void => setLimit(RLIMIT_CORE, 0)

/** This limit works also without a filter. It binds every user but root. */
function giveUpCalls(): readonly Wall[] {
  setLimit(RLIMIT_NPROC, 0)
  return refuseCalls('plain-files') ? ['few-calls'] : []
}

/** EPERM: root without that capability. EINVAL: a user namespace that does not know the user. */
function requirePermitted(call: string, work: () => void): void {
  try {
    work()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException | SystemCallError
    if (code !== 'EPERM' && code !== 'EINVAL') throw error
    throw new ConfinementError(`${call} is refused to root here (${code})`, { cause: error })
  }
}

/** fchdir to an open folder outside would leave the new root. */
function requireNoOpenFolder(): void {
  const outside = readdirSync('/proc/self/fd')
    .map(Number)
    .filter((descriptor) => isFolder(descriptor))
  // Node opens the root folder if it cannot open /dev/null.
  if (outside.length > 0)
    throw new ConfinementError(`the process that reads has a folder open (descriptor ${outside.join(', ')})`)
}

function isFolder(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isDirectory()
  } catch (error) {
    // The descriptor by which the list was read is closed by now.
    if ((error as NodeJS.ErrnoException).code === 'EBADF') return false
    throw error
  }
}

/** Tries every way back, because a promise of the kernel is verified (I2.1). */
function requireNoWayBack(into: ConfinedFolder): void {
  invariant(process.getuid?.() === into.uid && process.geteuid?.() === into.uid, 'the user did not change')
  invariant(process.getgid?.() === into.gid && process.getegid?.() === into.gid, 'the group did not change')
  invariant(process.cwd() === '/', 'the working folder lies outside')
  invariant(
    process.getgroups?.().every((group) => group === into.gid),
    'groups were left over',
  )
  const ways: readonly [string, () => void][] = [
    ['setuid', () => process.setuid?.(0)],
    ['seteuid', () => process.seteuid?.(0)],
    ['setgid', () => process.setgid?.(0)],
    ['setgroups', () => process.setgroups?.([0])],
    ['chroot', () => chroot('.')],
  ]
  for (const [name, way] of ways) invariant(isRefused(way), `${name} succeeds in a child that was confined`)
}

function isRefused(way: () => void): boolean {
  try {
    way()
    return false
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EPERM') return true
    throw error
  }
}
