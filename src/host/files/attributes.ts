/**
 * Owner, group, mode, access control list, extended attributes and security labels: all that belongs to an inode and
 * not to its name. A file that takes the place of another gets them from it, by descriptor.
 */
import { fchmodSync, fchownSync, fstatSync } from 'node:fs'
import { Failure } from '../../model/failure.ts'
import { inWords, isSystemError, systemFailure, type SystemError } from '../failures/system-failure.ts'
import { callByNumber, SystemCallError, type CallNumbers } from '../libc.ts'

const flistxattr: CallNumbers = { x64: 196, arm64: 13 }
const fgetxattr: CallNumbers = { x64: 193, arm64: 10 }
const fsetxattr: CallNumbers = { x64: 190, arm64: 7 }
const fremovexattr: CallNumbers = { x64: 199, arm64: 16 }

interface Attributes {
  readonly uid: number
  readonly gid: number
  readonly mode: number
  /** Includes the access control list (`system.posix_acl_access`) and security labels (`security.*`). */
  readonly extended: ReadonlyMap<string, Buffer>
}

/**
 * Gives `to` the attributes of `from`, and compares them afterwards. Changes nothing that is equal already.
 * @param path of `from`, for the failure
 * @returns whether anything was changed
 * @throws {Failure} NO_PERMISSION, READ_FAILED, which name what cannot be kept
 */
export function copyAttributes(from: number, to: number, path: string): boolean {
  const wanted = attributesOf(from)
  const before = attributesOf(to)
  if (firstDifference(wanted, before) === null) return false
  // The owner first: a change of owner removes set-id bits and capabilities. The mode last: a list changes it.
  if (wanted.uid !== before.uid || wanted.gid !== before.gid)
    keep('its owner', path, () => fchownSync(to, wanted.uid, wanted.gid))
  for (const name of before.extended.keys())
    if (!wanted.extended.has(name)) keep(name, path, () => callByNumber('fremovexattr', fremovexattr, to, text(name)))
  for (const [name, value] of wanted.extended)
    if (before.extended.get(name)?.equals(value) !== true)
      keep(name, path, () => callByNumber('fsetxattr', fsetxattr, to, text(name), value, value.length, 0))
  keep('its mode', path, () => fchmodSync(to, wanted.mode))
  const lost = firstDifference(wanted, attributesOf(to))
  if (lost !== null)
    throw new Failure('NO_PERMISSION', `${lost} of ${path} cannot be given to the file that would take its place`, {
      hint: 'run as root, or as the owner of the file; or use `--method in-place`, which keeps the file itself',
    })
  return true
}

function keep(what: string, path: string, work: () => unknown): void {
  try {
    work()
  } catch (error) {
    if (!isSystemError(error)) throw error
    throw failureOf(what, path, error)
  }
}

/** The attributes that the two may differ in. @returns null if they are equal */
function firstDifference(a: Attributes, b: Attributes): string | null {
  if (a.uid !== b.uid || a.gid !== b.gid) return 'the owner'
  if (a.mode !== b.mode) return 'the mode'
  for (const name of new Set([...a.extended.keys(), ...b.extended.keys()])) {
    const [one, other] = [a.extended.get(name), b.extended.get(name)]
    if (one === undefined || other === undefined || !one.equals(other)) return `the attribute ${name}`
  }
  return null
}

function attributesOf(descriptor: number): Attributes {
  const { uid, gid, mode } = fstatSync(descriptor)
  return { uid, gid, mode: mode & 0o7777, extended: extendedOf(descriptor) }
}

function extendedOf(descriptor: number): ReadonlyMap<string, Buffer> {
  const names = bytesOf((buffer) => callByNumber('flistxattr', flistxattr, descriptor, buffer, buffer.length))
  const found = new Map<string, Buffer>()
  for (const name of (names?.toString('latin1') ?? '').split('\0')) {
    if (name === '') continue
    const value = bytesOf((buffer) =>
      callByNumber('fgetxattr', fgetxattr, descriptor, text(name), buffer, buffer.length),
    )
    if (value !== null) found.set(name, value)
  }
  return found
}

/** The kernel allows no value and no list above this size. */
const extendedBytesMax = 65_536

/** @returns null if the file system has no such attributes, or if one vanished meanwhile */
function bytesOf(read: (buffer: Buffer) => number): Buffer | null {
  const buffer = Buffer.alloc(extendedBytesMax)
  try {
    return Buffer.from(buffer.subarray(0, read(buffer)))
  } catch (error) {
    if (error instanceof SystemCallError && ['EOPNOTSUPP', 'ENODATA', 'ENOSYS'].includes(error.code)) return null
    throw error
  }
}

const text = (name: string): Buffer => Buffer.from(`${name}\0`, 'latin1')

function failureOf(what: string, path: string, error: SystemError): Failure {
  const failure = systemFailure(error, { doing: `keep ${what} of`, path })
  if (failure.code === 'NO_SPACE') return failure
  return new Failure('NO_PERMISSION', `${what} of ${path} cannot be kept: ${inWords(error)}`, {
    hint: 'run as root, or as the owner of the file; or use `--method in-place`, which keeps the file itself',
    cause: error,
  })
}
