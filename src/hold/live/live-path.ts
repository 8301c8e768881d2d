/** From a name that a person or the service gave to the real path of a live set. Only here is a LivePath made. */
import { lstatSync, statSync, type Stats } from 'node:fs'
import { realpath } from 'node:fs/promises'
import { basename, dirname, isAbsolute, relative, resolve } from 'node:path'
import { nullOnAbort, startDeadline } from '../../host/clock.ts'
import { isNotFound, isSystemError, nameOfError, systemFailure } from '../../host/failures/system-failure.ts'
import { nameOf, onDisk } from '../../host/files/file-name.ts'
import { isMountPoint, otherNamesOf } from '../../host/files/file-system.ts'
import type { LivePath } from '../../model/brand.ts'
import { Failure } from '../../model/failure.ts'
import { liveSetParts, type LiveSetPart } from '../../model/result/evidence.ts'
import { failureOfPath, openFailure } from './path-failure.ts'

/**
 * @param named path as a person or the service gave it
 * @param roots folders that the file must lie in after symbolic links are resolved; null for bare files, for which the
 * person answers
 * @param acceptMounted true if the main file may be mounted by itself
 * @throws {Failure} NOT_FOUND, NO_PERMISSION, NOT_A_FILE, PATH_OUTSIDE_ROOTS, MANY_NAMES
 */
export async function resolveLivePath(
  named: string,
  roots: readonly string[] | null,
  acceptMounted = false,
): Promise<LivePath> {
  if (named === '' || named.includes('\0'))
    throw new Failure('NOT_FOUND', 'an empty path, or one with a zero byte, names no file')
  const given = absolute(named)
  const real = await requireRealPath(given)
  if (roots) await requireInside(real, roots)
  // Checked before the open: opening a device or a pipe can have effects of its own. Synchronous, like all that
  // follows: the file system has just answered.
  const found = statSync(onDisk(real))
  if (!found.isFile()) throw new Failure('NOT_A_FILE', `${real} is ${kindOf(found)}, not a regular file`)
  if (found.nlink > 1)
    throw new Failure(
      'MANY_NAMES',
      `${real} has ${found.nlink} hard links: under each name SQLite keeps another journal`,
    )
  requireNoLinkedPart(real)
  await requireNoneBesideLink(given, real)
  requireNoMount(real, acceptMounted)
  if (isMountPoint(real)) requireNoneBesideOtherName(real)
  return real as LivePath
}

/** @throws {Failure} NOT_FOUND for a relative path if the current folder was removed */
export function absolute(named: string): string {
  try {
    return resolve(named)
  } catch (error) {
    throw openFailure(named, error)
  }
}

/**
 * @throws {Failure} PATH_OUTSIDE_ROOTS unless the path lies in one of the roots; both with symbolic links resolved
 */
export async function requireInside(real: string, roots: readonly string[]): Promise<void> {
  for (const root of roots) if (isBelow(real, knownRoots.get(root) ?? null)) return
  const missing: string[] = []
  for (const root of roots) {
    const realRoot = await orMissing(realpath(onDisk(root), 'buffer').then(nameOf))
    if (realRoot === 'missing') missing.push(root)
    if (realRoot === 'missing' || realRoot === null) continue
    knownRoots.set(root, realRoot)
    if (isBelow(real, realRoot)) return
  }
  const absent =
    missing.length === 0 ? '' : `; of these, ${missing.join(', ')} ${missing.length === 1 ? 'does' : 'do'} not exist`
  throw new Failure(
    'PATH_OUTSIDE_ROOTS',
    `${real} lies outside the folders that the configuration allows (${roots.join(', ')})${absent}`,
  )
}

/** A root on a dead mount must not stop the run. */
const resolveRootMsMax = 10_000

/**
 * If one of several roots is missing, such as a mount that is away, only the tenants there fail.
 * @throws {Failure} CONFIG_INVALID if none of the roots exists
 */
export async function requireAnyRoot(roots: readonly string[], signal: AbortSignal): Promise<void> {
  using deadline = startDeadline(resolveRootMsMax)
  const over = AbortSignal.any([signal, deadline.signal])
  const late = nullOnAbort(over)
  for (const root of roots) {
    if ((await Promise.race([orMissing(realpath(onDisk(root), 'buffer')), late])) !== 'missing') return
  }
  const said =
    roots.length === 1 ? `the folder ${roots.join()} does not exist` : `none of the folders exists: ${roots.join(', ')}`
  throw new Failure('CONFIG_INVALID', `tenants.roots: ${said}`, {
    hint: 'correct tenants.roots (or the patterns of service.files), or mount what is to be there',
  })
}

/** @returns `missing` if nothing is there; null for any other error */
const orMissing = <Value>(path: Promise<Value>): Promise<Value | 'missing' | null> =>
  path.catch((error: unknown) => (isNotFound(error) ? 'missing' : null))

/** Where the configured roots led when they were last resolved. Without it each tenant would resolve them again. */
const knownRoots = new Map<string, string>()

function isBelow(real: string, root: string | null): boolean {
  if (root === null) return false
  const below = relative(root, real)
  return below !== '..' && !below.startsWith('../') && !isAbsolute(below)
}

async function requireRealPath(given: string): Promise<string> {
  try {
    return nameOf(await realpath(onDisk(given), 'buffer'))
  } catch (error) {
    throw failureOfPath(given, error)
  }
}

/**
 * A single file that is mounted by itself, as containers do it, has another name outside, with a journal of its own.
 * @throws {Failure} MANY_NAMES
 */
function requireNoMount(real: string, acceptMounted: boolean): void {
  for (const part of acceptMounted ? companions : liveSetParts) {
    if (!isMountPoint(real + part)) continue
    throw new Failure(
      'MANY_NAMES',
      `${real}${part} is mounted by itself: outside the mount it has ` +
        'another name, and SQLite keeps another journal there',
      { hint: hintForMount(real, part) },
    )
  }
}

function hintForMount(real: string, part: LiveSetPart): string {
  const [other] = part === '' ? otherNamesOf(real) : []
  if (other !== undefined) return `run the command for ${other}, where SQLite sees all of the database`
  const usual = 'mount the folder that holds the database, not the file; or run holdfast outside of the container'
  if (part !== '') return usual
  return (
    `${usual}. \`repair\` and \`restore\` take the file with \`--method in-place\`: make sure first that ` +
    'no program uses the other name, and that no WAL and no journal lies beside it'
  )
}

/**
 * SQLite would replay what lies there on whatever is written into the file here.
 * @throws {Failure} MANY_NAMES
 */
function requireNoneBesideOtherName(real: string): void {
  for (const other of otherNamesOf(real))
    for (const part of ['-wal', '-journal'] as const) {
      if ((findCompanion(other + part)?.size ?? 0) === 0) continue
      throw new Failure('MANY_NAMES', `${real} is mounted by itself, and has a ${part} with bytes at ${other}${part}`, {
        hint: `run the command for ${other}, where SQLite sees all of the database`,
      })
    }
}

/** A WAL, `-shm` or journal. */
const companions = liveSetParts.slice(1) as readonly Exclude<LiveSetPart, ''>[]

/** @throws {Failure} MANY_NAMES if a part of the live set is a symbolic link; NO_PERMISSION if that cannot be seen */
function requireNoLinkedPart(real: string): void {
  for (const part of companions) {
    if (findCompanion(real + part)?.isSymbolicLink())
      throw new Failure('MANY_NAMES', `${real}${part} is a symbolic link: the live set is spread over several places`)
  }
}

/**
 * Refuses a link beside which lies a part of a live set that is not the one beside the real file. SQLite before 3.10
 * would use it; later versions look beside the real file alone.
 * @throws {Failure} MANY_NAMES; NO_PERMISSION if it cannot be seen where such a part leads
 */
export async function requireNoneBesideLink(given: string, real: string): Promise<void> {
  if (given === real) return
  for (const part of companions) {
    const elsewhere = await realPathOfCompanion(given + part)
    if (elsewhere === null || elsewhere === real + part) continue
    if (elsewhere === (await realPathOfCompanion(real + part))) continue
    throw new Failure(
      'MANY_NAMES',
      `${basename(given)} is a symbolic link with a ${part} of its own in ` +
        `${dirname(given)}: the live set is spread over several places`,
    )
  }
}

/**
 * Refuses a WAL or a journal that the service lists as if it were a database: it has no header, and is not damaged.
 * @throws {Failure} CONTRACT_BROKEN; NO_PERMISSION if the file that it may go with cannot be seen
 */
export function requireNoCompanion(path: LivePath): void {
  const part = companions.find((one) => path.endsWith(one))
  if (part === undefined) return
  const main = path.slice(0, -part.length)
  if (findCompanion(main)?.isFile() !== true) return
  throw new Failure(
    'CONTRACT_BROKEN',
    `the service lists ${path}, which goes with ${main} and is no database by itself`,
    { tenant: 'untouched', hint: 'correct the service\u2019s list: it names main database files only' },
  )
}

/** Null for nothing. @throws {Failure} if it cannot be seen whether something is there */
function findCompanion(path: string): Stats | null {
  try {
    return lstatSync(onDisk(path), { throwIfNoEntry: false }) ?? null
  } catch (error) {
    return orNone(path, error)
  }
}

/** Null for a name that leads nowhere. @throws {Failure} if it cannot be seen where it leads */
async function realPathOfCompanion(path: string): Promise<string | null> {
  try {
    return nameOf(await realpath(onDisk(path), 'buffer'))
  } catch (error) {
    return orNone(path, error)
  }
}

/** With these errors SQLite finds nothing under the name either. With others it may, so they are failures. */
const findsNothing = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'])

function orNone(path: string, error: unknown): null {
  if (isSystemError(error) && findsNothing.has(nameOfError(error))) return null
  throw systemFailure(error, { doing: 'see whether there is a file', path, tenant: 'untouched' })
}

function kindOf(found: {
  isDirectory(): boolean
  isFIFO(): boolean
  isSocket(): boolean
  isBlockDevice(): boolean
  isCharacterDevice(): boolean
}): string {
  if (found.isDirectory()) return 'a folder'
  if (found.isFIFO()) return 'a named pipe'
  if (found.isSocket()) return 'a socket'
  return found.isBlockDevice() || found.isCharacterDevice() ? 'a device' : 'something else'
}
