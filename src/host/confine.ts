/** A cell for a child that reads a hostile file (hold.md, Security). */
import { fstatSync, readdirSync } from 'node:fs'
import { invariant } from '../model/bug.ts'
import { chroot, prctl, setLimit } from './libc.ts'
import { dieWithParent } from './parent-death.ts'

export interface Room {
  /** Becomes the root of all this process can see. `uid` must be able to pass through it. */
  readonly folder: string
  readonly uid: number
  readonly gid: number
}

/**
 * Locks this process into a folder under another user, for good. Root only. Whatever is to be loaded from elsewhere
 * (better-sqlite3) must be loaded before.
 * @throws {Bug} when root's rights could be had again afterwards, or a folder outside is open, through which it could leave
 */
export function confine(room: Room): void {
  invariant(room.uid > 0 && room.gid > 0, 'a child is confined as an unprivileged user')
  invariant(process.setuid && process.setgid && process.setgroups && process.getuid?.() === 0, 'only root can confine a child')
  requireNoOpenFolder()
  const parent = process.ppid
  setLimit(RLIMIT_CORE, 0) // A core would lay customers' data beside the snapshot.
  prctl(PR_SET_NO_NEW_PRIVS, 1)
  chroot(room.folder)
  process.chdir('/')
  process.setgroups([])
  process.setgid(room.gid)
  process.setuid(room.uid)
  requireNoWayBack(room)
  dieWithParent(parent)
}

const RLIMIT_CORE = 4
const PR_SET_NO_NEW_PRIVS = 38

/** fchdir to an open folder outside would lead out of the new root. */
function requireNoOpenFolder(): void {
  const outside = readdirSync('/proc/self/fd').map(Number).filter((descriptor) => isFolder(descriptor))
  invariant(outside.length === 0, `folders are open in a process that is to be confined: descriptors ${outside.join(', ')}`)
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
function requireNoWayBack(room: Room): void {
  invariant(process.getuid?.() === room.uid && process.geteuid?.() === room.uid, 'the user did not change')
  invariant(process.getgid?.() === room.gid && process.getegid?.() === room.gid, 'the group did not change')
  invariant(process.cwd() === '/', 'the working folder lies outside')
  invariant(process.getgroups?.().every((group) => group === room.gid), 'groups were left over')
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
