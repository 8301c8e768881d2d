/**
 * Finds the users, besides root and us, who could change where a path leads. Files that holdfast obeys (configuration,
 * token, certificates) and folders with customers' data must be out of their reach. So must every folder and link on
 * the way.
 */
import { lstatSync, readFileSync, readlinkSync, type Stats } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { nameOf, onDisk } from '../../model/file-name.ts'

/** The thing that lets another user change where a path leads. */
export interface UntrustedPath {
  /** The file, folder or link. */
  readonly path: string
  /** For example `it belongs to another user (uid 1000, mode 0755)`. */
  readonly why: string
  /**
   * A command that corrects it. null if it is above the path and not ours alone to change: then another place helps.
   */
  readonly remedy: string | null
}

/**
 * What the path must be at its end. `file`: only root and we may write it. `folder`: only root and we may write in it.
 * `shared-folder`, such as /tmp: others may write in it too, but may not rename our files.
 */
export type PathUse = 'file' | 'folder' | 'shared-folder'

/**
 * Follows the path as the kernel does, through every link.
 * @returns the first thing that another user could change; null if there is none. It passes over what does not exist,
 * what cannot be inspected, and what is neither file nor folder: opening that reports why.
 */
export function findUntrusted(path: string, use: PathUse): UntrustedPath | null {
  if (process.geteuid === undefined) return null // This system has no owners.
  const pending = absolute(path)?.split('/').filter(Boolean)
  if (pending === undefined) return null
  let at = '/'
  let above = look(at)
  let found = above && judgeFolder(at, above, pending.length > 0 ? 'above' : use)
  for (let links = 0; found === null && above !== null;) {
    const name = pending.shift()
    if (name === undefined) return null
    const here = name === '..' ? dirname(at) : join(at, name)
    const stats = look(here)
    if (stats === null) return null
    if (stats.isSymbolicLink()) {
      if (++links > linksMax) return null
      if (isShared(above) && !isTrustedOwner(stats)) return { ...belongsToOther(here, stats), remedy: null }
      const target = targetOf(here)
      if (target === null) return null
      pending.unshift(...target.split('/').filter((part) => part !== '' && part !== '.'))
      if (!target.startsWith('/')) continue
      at = '/'
      above = look(at)
      continue
    }
    found = stats.isDirectory() ? judgeFolder(here, stats, pending.length > 0 ? 'above' : use) : judgeFile(here, stats)
    at = here
    above = stats
  }
  return found
}

/** The kernel's own limit. */
const linksMax = 40
const writableByOthers = 0o022
const sticky = 0o1000

/** Others may make names there, but may rename only their own. */
const isShared = ({ mode }: Stats): boolean => (mode & writableByOthers) !== 0

function judgeFolder(path: string, stats: Stats, use: PathUse | 'above'): UntrustedPath | null {
  if (!isTrustedOwner(stats) && !isUnnamedOwner(stats)) return { ...belongsToOther(path, stats), remedy: null }
  if (!isShared(stats)) return null
  const isSticky = (stats.mode & sticky) !== 0
  if (use === 'folder') return { ...writable(path, stats), ...(isSticky ? { remedy: null } : {}) }
  if (isSticky) return null
  const found = writable(path, stats)
  if (use === 'shared-folder') return { ...found, remedy: `chmod +t ${shown(path)}` }
  return stats.uid !== 0 ? found : { ...found, remedy: null }
}

function judgeFile(path: string, stats: Stats): UntrustedPath | null {
  if (!stats.isFile()) return null
  if (!isTrustedOwner(stats)) return belongsToOther(path, stats)
  return isShared(stats) ? writable(path, stats) : null
}

const isTrustedOwner = ({ uid }: Stats): boolean => uid === 0 || uid === process.geteuid?.()

function belongsToOther(path: string, { uid, mode }: Stats): UntrustedPath {
  const owner = process.geteuid?.() === 0 ? 'root' : String(process.geteuid?.())
  const why = `it belongs to another user (uid ${uid}, mode ${octal(mode)})`
  return { path, why, remedy: `chown ${owner} ${shown(path)}` }
}

function writable(path: string, { mode, gid }: Stats): UntrustedPath {
  const byGroup = (mode & 0o002) === 0
  const who = byGroup ? `its group (gid ${gid}) may write it` : 'everybody may write it'
  return { path, why: `${who} (mode ${octal(mode)})`, remedy: `chmod ${byGroup ? 'g' : 'go'}-w ${shown(path)}` }
}

const octal = (mode: number): string => (mode & 0o7777).toString(8).padStart(4, '0')
/** As one word of a shell. */
function shown(path: string): string {
  return /^[\w/.,:@%+-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`
}

/**
 * In its own user namespace, a process sees the machine's root, and all users that the namespace does not name, as one
 * number. The topmost folders (`/`, `/tmp`) belong to it there.
 */
function isUnnamedOwner({ uid }: Stats): boolean {
  unnamedOwner ??= readUnnamedOwner()
  return uid === unnamedOwner
}
let unnamedOwner: number | null = null

/** -1 if every owner has a name. */
function readUnnamedOwner(): number {
  try {
    if (/^\s*0\s+0\s+4294967295\s*$/.test(readFileSync('/proc/self/uid_map', 'latin1'))) return -1
    return Number(readFileSync('/proc/sys/kernel/overflowuid', 'latin1'))
  } catch {
    return -1 // No such system.
  }
}

/** null for a relative path if our current folder is gone. */
function absolute(path: string): string | null {
  try {
    return resolve(path)
  } catch {
    return null
  }
}

/** null if the link cannot be read. */
function targetOf(link: string): string | null {
  try {
    return nameOf(readlinkSync(onDisk(link), 'buffer'))
  } catch {
    return null
  }
}

/** null if it does not exist, or we may not inspect it. */
function look(path: string): Stats | null {
  try {
    return lstatSync(onDisk(path))
  } catch {
    return null
  }
}
