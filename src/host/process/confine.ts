/** A cell for a child that reads a hostile file (hold/README.md, Security). */
import { fstatSync, readdirSync } from 'node:fs'
import { invariant } from '../../model/bug.ts'
import type { Wall } from '../../model/result/reading.ts'
import { chroot, prctl, setLimit, SystemCallError } from '../libc.ts'
import { refuseCalls } from './call-filter.ts'
import { dieWithParent } from './parent-death.ts'

export interface ConfinedFolder {
  /** Becomes the root of all this process can see. `uid` must be able to pass through it. */
  readonly folder: string
  readonly uid: number
  readonly gid: number
}

/** This process lacks a right, or this kernel a feature, that confining needs. The message names it. */
export class CannotConfine extends Error {
  override readonly name = 'CannotConfine'
}

/**
 * Locks this process into a folder under another user, for good. Root only. Whatever is to be loaded from elsewhere
 * (better-sqlite3) must be loaded before; every thread must have started, and the event loop had a turn.
 * @returns the walls that now stand @throws {CannotConfine} where root may not do it here: then the process is good
 * for nothing
 * @throws {Bug} when root's rights could be had again afterwards, or a folder outside is open, through which it could
 * leave
 */
export function confine(room: ConfinedFolder): readonly Wall[] {
  invariant(room.uid > 0 && room.gid > 0, 'a child is confined as an unprivileged user')
  const { setuid, setgid, setgroups } = process
  invariant(setuid && setgid && setgroups && process.getuid?.() === 0, 'only root can confine a child')
  requireNoOpenFolder()
  const parent = process.ppid
  keepNoCore()
  prctl(PR_SET_NO_NEW_PRIVS, 1)
  permitted('chroot', () => chroot(room.folder))
  process.chdir('/')
  permitted('setgroups', () => setgroups([]))
  permitted('setgid', () => setgid(room.gid))
  permitted('setuid', () => setuid(room.uid))
  requireNoWayBack(room)
  dieWithParent(parent)
  return ['own-folder', 'other-user', ...giveUpCalls()]
}

/**
 * Takes network, programs and other processes from this process, for good, where it keeps its user and sees what that
 * user sees: all that somebody who is not root can do. The same must be loaded before as for `confine`.
 * @returns the walls that now stand: none where there is no Linux @throws {CannotConfine} where the kernel has no
 * filter for calls
 */
export function confineInPlace(): readonly Wall[] {
  if (process.platform !== 'linux') return []
  keepNoCore()
  const walls = giveUpCalls()
  if (walls.length === 0) throw new CannotConfine('this kernel gives no filter for system calls (seccomp)')
  return walls
}

/** No file that this process writes may become longer. @param bytes never more than an earlier call said */
export function limitFileSize(bytes: number): void {
  if (process.platform !== 'linux') return
  try {
    setLimit(RLIMIT_FSIZE, bytes)
  } catch (error) {
    // No limit is raised: holdfast itself was started with a stricter one (`ulimit -f`), and it stands.
    if (!(error instanceof SystemCallError) || error.code !== 'EPERM') throw error
  }
}

const RLIMIT_FSIZE = 1
const RLIMIT_CORE = 4
const RLIMIT_NPROC = 6
const PR_SET_NO_NEW_PRIVS = 38

/** A core would lay customers' data beside the snapshot. */
const keepNoCore = (): void => setLimit(RLIMIT_CORE, 0)

/** The limit also stands where there is no filter; it binds everybody but root. */
function giveUpCalls(): readonly Wall[] {
  setLimit(RLIMIT_NPROC, 0)
  return refuseCalls('plain-files') ? ['few-calls'] : []
}

/** EPERM: root without that capability. EINVAL: a user namespace that does not know the user. */
function permitted(call: string, work: () => void): void {
  try {
    work()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException | SystemCallError
    if (code !== 'EPERM' && code !== 'EINVAL') throw error
    throw new CannotConfine(`${call} is refused to root here (${code})`, { cause: error })
  }
}

/** fchdir to an open folder outside would lead out of the new root. */
function requireNoOpenFolder(): void {
  const outside = readdirSync('/proc/self/fd')
    .map(Number)
    .filter((descriptor) => isFolder(descriptor))
  invariant(
    outside.length === 0,
    `folders are open in a process that is to be confined: descriptors ${outside.join(', ')}`,
  )
}

function isFolder(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isDirectory()
  } catch (error) {
    // The descriptor that the list itself was read through is closed by now.
    if ((error as NodeJS.ErrnoException).code === 'EBADF') return false
    throw error
  }
}

/** Tries every way back, because what a call promised is not yet so (I2.1). */
function requireNoWayBack(room: ConfinedFolder): void {
  invariant(process.getuid?.() === room.uid && process.geteuid?.() === room.uid, 'the user did not change')
  invariant(process.getgid?.() === room.gid && process.getegid?.() === room.gid, 'the group did not change')
  invariant(process.cwd() === '/', 'the working folder lies outside')
  invariant(
    process.getgroups?.().every((group) => group === room.gid),
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
