/** From a name that somebody gave to the real path of a live set: the only place where a LivePath is minted. */
import { accessSync, constants, lstatSync, statSync, type Stats } from 'node:fs'
import { realpath } from 'node:fs/promises'
import { basename, dirname, isAbsolute, relative, resolve } from 'node:path'
import { startDeadline } from '../../host/clock.ts'
import { isSystemError, nameOfError, systemFailure, type SystemError } from '../../host/failures/system-failure.ts'
import { nameOf, onDisk } from '../../host/files/file-name.ts'
import { isMountPoint } from '../../host/files/file-system.ts'
import type { LivePath } from '../../model/brand.ts'
import { Failure } from '../../model/failure.ts'
import { liveSetParts } from '../../model/result/evidence.ts'
import { shellWord } from '../../text/shell-words.ts'

/**
 * @param named path as a person or the service gave it
 * @param roots folders that the file must lie in after resolving symbolic links; null for bare files, where the caller
 * vouches
 * @throws {Failure} NOT_FOUND, NO_PERMISSION, NOT_A_FILE, PATH_OUTSIDE_ROOTS, MANY_NAMES
 */
export async function resolveLivePath(named: string, roots: readonly string[] | null): Promise<LivePath> {
  if (named === '' || named.includes('\0'))
    throw new Failure('NOT_FOUND', 'an empty path, or one with a zero byte, names no file')
  const given = absolute(named)
  const real = await realPathOf(given)
  if (roots) await requireInside(real, roots)
  // A look before the open: opening a device or a pipe can have effects of its own.
  // At once, like all that follows: the file system has answered a moment ago.
  const found = statSync(onDisk(real))
  if (!found.isFile()) throw new Failure('NOT_A_FILE', `${real} is ${kindOf(found)}, not a regular file`)
  if (found.nlink > 1)
    throw new Failure(
      'MANY_NAMES',
      `${real} has ${found.nlink} hard links: under each name SQLite keeps another journal`,
    )
  await requireOneSet(given, real)
  requireNoMount(real)
  return real as LivePath
}

/** @throws {Failure} NOT_FOUND for a relative path where the current folder was removed */
export function absolute(named: string): string {
  try {
    return resolve(named)
  } catch (error) {
    throw opening(named, error)
  }
}

/**
 * @throws {Failure} PATH_OUTSIDE_ROOTS unless the path lies in one of the roots; both sides with symbolic links
 * resolved
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

/** A root on a dead mount must not keep the run. */
const rootLookMsMax = 10_000

/**
 * Where one of several is missing, such as on a mount that is away, only the tenants there fail.
 * @throws {Failure} CONFIG_INVALID when none of the roots exists
 */
export async function requireAnyRoot(roots: readonly string[], signal: AbortSignal): Promise<void> {
  using deadline = startDeadline(rootLookMsMax)
  const over = AbortSignal.any([signal, deadline.signal])
  const late = new Promise<null>((resolve) => {
    over.addEventListener('abort', () => resolve(null), { once: true })
  })
  for (const root of roots) {
    if ((await Promise.race([orMissing(realpath(onDisk(root), 'buffer')), late])) !== 'missing') return
  }
  const said =
    roots.length === 1 ? `the folder ${roots.join()} does not exist` : `none of the folders exists: ${roots.join(', ')}`
  throw new Failure('CONFIG_INVALID', `tenants.roots: ${said}`, {
    hint: 'correct tenants.roots, or mount what is to be there',
  })
}

/** @returns `missing` where nothing is there; null for any other failure */
const orMissing = <Value>(path: Promise<Value>): Promise<Value | 'missing' | null> =>
  path.catch((error: unknown) =>
    isSystemError(error) && ['ENOENT', 'ENOTDIR'].includes(nameOfError(error)) ? 'missing' : null,
  )

/** Where the configured folders led to when they were last resolved: each tenant would ask several times. */
const knownRoots = new Map<string, string>()

function isBelow(real: string, root: string | null): boolean {
  if (root === null) return false
  const below = relative(root, real)
  return below !== '..' && !below.startsWith('../') && !isAbsolute(below)
}

async function realPathOf(given: string): Promise<string> {
  try {
    return nameOf(await realpath(onDisk(given), 'buffer'))
  } catch (error) {
    throw failureOfPath(given, error)
  }
}

/**
 * The Failure that an error of a file-system call on `path` stands for. What is no error of the system is passed on.
 */
export function failureOfPath(path: string, error: unknown): unknown {
  if (!isSystemError(error)) return error
  switch (nameOfError(error)) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new Failure('NOT_FOUND', `there is no file ${path}`, { cause: error })
    case 'EROFS':
      return new Failure('NO_PERMISSION', `${path} lies on a read-only file system, where no lock can be taken`, {
        cause: error,
        hint: asCopy(path),
      })
    case 'ELOOP':
      if (error.syscall !== 'open') return opening(path, error) // It leads in a circle.
      return new Failure('MANY_NAMES', `${path} is a symbolic link, or was made one while we looked`, { cause: error })
    case 'EISDIR':
    case 'ENXIO':
      return new Failure('NOT_A_FILE', `${path} is not a regular file`, { cause: error })
    case 'EPERM': {
      const { code, message, hint, tenantState } = opening(path, error)
      return new Failure(code, message, { cause: error, tenant: tenantState, hint: `${hint}; or ${asCopy(path)}` })
    }
    case 'EACCES':
      return error.syscall === 'open' && isReadable(path) ? refusedWriting(path, error) : opening(path, error)
    default:
      return opening(path, error)
  }
}

/** Who may read the file wonders why that is not enough. */
function refusedWriting(path: string, error: SystemError): Failure {
  const { code, message, hint, tenantState } = opening(path, error)
  const why = 'holdfast opens the file for writing, to lock it (it writes nothing)'
  return new Failure(code, message, { cause: error, tenant: tenantState, hint: `${why}; ${hint}` })
}

function isReadable(path: string): boolean {
  try {
    accessSync(onDisk(path), constants.R_OK)
    return true
  } catch {
    return false
  }
}

function opening(path: string, error: SystemError): Failure
function opening(path: string, error: unknown): unknown
function opening(path: string, error: unknown): unknown {
  return systemFailure(error, { doing: 'open', path, tenant: 'untouched' })
}

/** What can be written by nothing needs no lock. */
const asCopy = (path: string): string =>
  `if nobody can write it, check it as a private copy: \`holdfast check --snapshot ${shellWord(path)}\``

/**
 * A single file that is mounted by itself, as containers do it, has another name outside, with a journal of its own.
 */
function requireNoMount(real: string): void {
  for (const part of liveSetParts) {
    if (!isMountPoint(real + part)) continue
    throw new Failure(
      'MANY_NAMES',
      `${real}${part} is mounted by itself: outside the mount it has ` +
        'another name, and SQLite keeps another journal there',
      { hint: 'mount the folder that holds the database, not the file; or check it outside of the container' },
    )
  }
}

/** A live set spread over symbolic links. */
async function requireOneSet(given: string, real: string): Promise<void> {
  for (const part of liveSetParts.slice(1)) {
    if (look(real + part)?.isSymbolicLink())
      throw new Failure('MANY_NAMES', `${real}${part} is a symbolic link: the live set is spread over several places`)
  }
  await requireNoneBesideLink(given, real)
}

/**
 * A link with a part of a live set beside it that is not the one beside the real file: since 3.10 SQLite looks beside
 * the real file alone.
 * @throws {Failure} MANY_NAMES
 */
export async function requireNoneBesideLink(given: string, real: string): Promise<void> {
  if (given === real) return
  for (const part of liveSetParts.slice(1)) {
    const elsewhere = await realPathOf(given + part).catch(() => null)
    if (
      elsewhere === null ||
      elsewhere === real + part ||
      elsewhere === (await realPathOf(real + part).catch(() => null))
    )
      continue
    throw new Failure(
      'MANY_NAMES',
      `${basename(given)} is a symbolic link with a ${part} of its own in ` +
        `${dirname(given)}: the live set is spread over several places`,
    )
  }
}

/**
 * A WAL or a journal that the service lists by itself has no header, and is no damaged database.
 * @throws {Failure} CONTRACT_BROKEN
 */
export function requireNoCompanion(path: LivePath): void {
  const part = liveSetParts.slice(1).find((one) => path.endsWith(one))
  if (part === undefined) return
  const main = path.slice(0, -part.length)
  if (look(main)?.isFile() !== true) return
  throw new Failure(
    'CONTRACT_BROKEN',
    `the service lists ${path}, which goes with ${main} and is no database by itself`,
    { tenant: 'untouched', hint: 'correct the service\u2019s list: it names main database files only' },
  )
}

/** null for nothing that can be looked at. */
function look(path: string): Stats | null {
  try {
    return lstatSync(onDisk(path), { throwIfNoEntry: false }) ?? null
  } catch {
    return null
  }
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
