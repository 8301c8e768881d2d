/** Explains why the system may have refused a path with EACCES or EPERM, and what helps. It changes nothing. */
import { accessSync, constants, readFileSync, statSync, statfsSync, type Stats } from 'node:fs'
import { dirname } from 'node:path'
import { onDisk } from '../../model/file-name.ts'
import { shellWord } from '../../text/shell-words.ts'

/** @param syscall the call that was refused, if it is known */
export function whyRefused(path: string | null, syscall: string | undefined): string {
  const steps = path === null ? [] : [path, dirname(path)]
  const immutable = steps.find(isImmutable)
  if (immutable !== undefined) {
    const word = shellWord(immutable)
    return `${immutable} is immutable (\`lsattr -d ${word}\`): if that is not on purpose, \`chattr -i ${word}\` ends it`
  }
  return process.geteuid?.() === 0 ? whyRootIsRefused(path, syscall) : whyUserIsRefused(path)
}

/** access(2): EPERM refuses a write to a file with this attribute; EACCES means a missing right. */
function isImmutable(path: string): boolean {
  try {
    accessSync(onDisk(path), constants.W_OK)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' && isOfLocalFileSystem(path)
  }
}

function whyUserIsRefused(path: string | null): string {
  const user = `this user (uid ${process.geteuid?.() ?? '?'})`
  const closed = path === null ? null : closedFolder(path)
  if (closed !== null) return `${user} may not enter the folder ${closed}: allow it, or run holdfast as a user who may`
  const found = path === null ? null : look(path)
  if (found === null) return `allow it to ${user}, or run holdfast as a user who may`
  const owner = `it belongs to uid ${found.uid} (mode ${modeOf(found)})`
  return `${owner}: allow it to ${user}, or run holdfast as its owner or as root`
}

/** The first folder on the way that this user may not enter. */
function closedFolder(path: string): string | null {
  const above = dirname(path)
  const higher = above === path ? null : closedFolder(above)
  if (higher !== null || above === path) return higher
  try {
    accessSync(onDisk(above), constants.X_OK)
    return null
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES' ? above : null
  }
}

function whyRootIsRefused(path: string | null, syscall: string | undefined): string {
  const network = path === null ? null : networkFileSystemOf(path)
  if (network === 'fuse') {
    return (
      'a FUSE file system lets in only the user who mounted it: run holdfast as that user, or mount it with ' +
      'allow_root'
    )
  }
  if (network !== null) {
    return (
      `the server of this network file system (${network}) may refuse root (root squash): run holdfast as the ` +
      'owner of the file, where the disk is local'
    )
  }
  const needed = (syscall === undefined ? undefined : capabilityOf[syscall]) ?? 'CAP_DAC_OVERRIDE'
  if (!hasCapability(needed)) {
    return (
      `root lacks ${needed} here (a container, or CapabilityBoundingSet= of a systemd unit): give it that, or ` +
      'run holdfast as the owner of the file'
    )
  }
  return (
    'something else than file modes refuses root, such as SELinux, AppArmor or a sandbox: check the kernel ' +
    'log (`dmesg`)'
  )
}

const capabilityBits = {
  CAP_CHOWN: 0,
  CAP_DAC_OVERRIDE: 1,
  CAP_FOWNER: 3,
  CAP_KILL: 5,
  CAP_SETGID: 6,
  CAP_SETUID: 7,
  CAP_SYS_CHROOT: 18,
  CAP_SYS_PTRACE: 19,
} as const
type Capability = keyof typeof capabilityBits
/** The capability that root needs for a call on another user's file. */
const capabilityOf: Readonly<Record<string, Capability>> = {
  chown: 'CAP_CHOWN',
  fchown: 'CAP_CHOWN',
  lchown: 'CAP_CHOWN',
  chmod: 'CAP_FOWNER',
  fchmod: 'CAP_FOWNER',
  utime: 'CAP_FOWNER',
  futime: 'CAP_FOWNER',
  link: 'CAP_FOWNER',
  kill: 'CAP_KILL',
  setuid: 'CAP_SETUID',
  setgid: 'CAP_SETGID',
  setgroups: 'CAP_SETGID',
  chroot: 'CAP_SYS_CHROOT',
  readlink: 'CAP_SYS_PTRACE',
}

/** True also if the system does not say. */
function hasCapability(capability: Capability): boolean {
  try {
    const [, effective] = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'latin1')) ?? []
    return effective === undefined || ((BigInt(`0x${effective}`) >> BigInt(capabilityBits[capability])) & 1n) === 1n
  } catch {
    return true
  }
}

/** statfs(2): file systems where another machine or program decides about access. */
const networkTypes: ReadonlyMap<number, string> = new Map([
  [0x6969, 'nfs'],
  [0xff534d42, 'smb'],
  [0xfe534d42, 'smb'],
  [0x517b, 'smb'],
  [0x65735546, 'fuse'],
  [0x01021997, '9p'],
  [0x00c36400, 'ceph'],
  [0x5346414f, 'afs'],
])

/** For the path or the nearest folder above it that can be inspected. null for a local one. */
function networkFileSystemOf(path: string): string | null {
  try {
    return networkTypes.get(statfsSync(onDisk(path)).type >>> 0) ?? null
  } catch {
    return dirname(path) === path ? null : networkFileSystemOf(dirname(path))
  }
}

const isOfLocalFileSystem = (path: string): boolean => networkFileSystemOf(path) === null

function look(path: string): Stats | null {
  try {
    return statSync(onDisk(path))
  } catch {
    return null
  }
}

const modeOf = ({ mode }: Stats): string => (mode & 0o7777).toString(8).padStart(4, '0')
