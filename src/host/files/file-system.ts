/** Which file system a path is on, and how much space is left there. */
import { readFileSync, statSync, type BigIntStats } from 'node:fs'
import { realpath, stat, statfs } from 'node:fs/promises'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { invariant } from '../../model/bug.ts'
import { monotonicMs } from '../clock.ts'
import { nameOf, onDisk } from './file-name.ts'

export interface FileSystem {
  /** The kernel's name of it: `ext4`, `overlay`, `fuse.sshfs`. */
  readonly type: string
  readonly mountPoint: string
  /** Device, server export, or another source that the file system names. */
  readonly source: string
  readonly readOnly: boolean
}

/** One line of /proc/PID/mountinfo. */
export interface Mount extends FileSystem {
  /** Device number as `major:minor`, decimal. */
  readonly device: string
  /** What of the file system is mounted: a path in it. */
  readonly root: string
  readonly superOptions: readonly string[]
}

/**
 * The mount of a path whose links are all resolved. It inspects the path but never opens it.
 * @throws the error of stat if there is no such path
 */
export async function fileSystemOf(path: string): Promise<FileSystem> {
  const real = nameOf(await realpath(onDisk(path), 'buffer'))
  const [{ dev }, text] = await Promise.all([
    stat(onDisk(real), { bigint: true }),
    readFile('/proc/self/mountinfo', 'utf8'),
  ])
  const { type, mountPoint, source, readOnly } = mountOf(real, deviceName(dev), parseMountInfo(text))
  return { type, mountPoint, source, readOnly }
}

/** Reads the mounts anew at the next question. A thousand files share one reading. */
const mountPointsFreshMs = 1_000
let lastRead: { readonly atMs: number; readonly points: ReadonlySet<string> } | null = null

/**
 * True if something is mounted at exactly this path, whose links are all resolved. For a single file, another name is
 * then outside. Never true without /proc.
 */
export function isMountPoint(real: string): boolean {
  if (lastRead === null || monotonicMs() - lastRead.atMs >= mountPointsFreshMs)
    lastRead = { atMs: monotonicMs(), points: readMountPoints() }
  return lastRead.points.has(real)
}

function readMountPoints(): ReadonlySet<string> {
  try {
    // Each letter is one byte of a name, in any encoding.
    return new Set(
      parseMountInfo(readFileSync('/proc/self/mountinfo', 'latin1')).map(({ mountPoint }) =>
        nameOf(Buffer.from(mountPoint, 'latin1')),
      ),
    )
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Set()
    throw error
  }
}

/** Paths under which a file that is mounted by itself lies too, as far as this process can see them. */
export function otherNamesOf(real: string): readonly string[] {
  const mounts = parseMountInfo(readFileSync('/proc/self/mountinfo', 'latin1'))
  const pathOf = (bytes: string): string => nameOf(Buffer.from(bytes, 'latin1'))
  const own = mounts.findLast(({ mountPoint }) => pathOf(mountPoint) === real)
  if (own === undefined) return []
  const { dev, ino } = statSync(onDisk(real), { bigint: true })
  return mounts
    .filter(({ device, root }) => device === own.device && own.root.startsWith(root.endsWith('/') ? root : `${root}/`))
    .map(({ root, mountPoint }) => pathOf(join(mountPoint, own.root.slice(root.length))))
    .filter((path) => {
      const found = statIfSeen(path)
      return path !== real && found?.dev === dev && found.ino === ino
    })
}

function statIfSeen(path: string): BigIntStats | null {
  try {
    return statSync(onDisk(path), { bigint: true })
  } catch {
    return null // Outside of a container, in a folder that is closed to us, or hidden by another mount.
  }
}

/**
 * The innermost mount above the path with its device number; if there is none, the innermost of all. On btrfs, overlay
 * and others the device number of a file is not that of its mount.
 */
export function mountOf(real: string, device: string, mounts: readonly Mount[]): Mount {
  const above = mounts.filter(
    ({ mountPoint }) => mountPoint === '/' || real === mountPoint || real.startsWith(`${mountPoint}/`),
  )
  const sameDevice = above.filter((mount) => mount.device === device)
  // Of several on one mount point the last hides the others.
  const innermost = (sameDevice.length > 0 ? sameDevice : above).reduce<Mount | null>(
    (best, mount) => (best === null || mount.mountPoint.length >= best.mountPoint.length ? mount : best),
    null,
  )
  invariant(innermost, `no mount above ${real}`)
  return innermost
}

/** Parses /proc/pid/mountinfo (proc(5)). Lines of another form are left out. Pure. */
export function parseMountInfo(text: string): readonly Mount[] {
  return text.split('\n').flatMap((line) => {
    const fields = line.split(' ')
    const separator = fields.indexOf('-', 6)
    const [, , device, root, mountPoint, options] = fields
    const [type, source, superOptions] = fields.slice(separator + 1)
    if (separator === -1 || device === undefined || mountPoint === undefined || type === undefined) return []
    const flags = `${options},${superOptions}`.split(',')
    return [
      {
        device,
        root: unescapeOctal(root ?? ''),
        mountPoint: unescapeOctal(mountPoint),
        type: unescapeOctal(type),
        source: unescapeOctal(source ?? ''),
        readOnly: flags.includes('ro'),
        superOptions: (superOptions ?? '').split(','),
      },
    ]
  })
}

/** `\040` and the like: the kernel escapes blanks, line ends, backslashes and `#` of a name, byte by byte. */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-3][0-7]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
}

/**
 * A device number of stat as the kernel prints it: `major:minor`, decimal. The layout is that of the C library, 64
 * bits.
 */
export function deviceName(dev: bigint): string {
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & 0xfffff000n)
  const minor = (dev & 0xffn) | ((dev >> 12n) & 0xffffff00n)
  return `${major}:${minor}`
}

/** Bytes that an ordinary user may still write there. */
export async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder)
  return bavail * bsize
}
