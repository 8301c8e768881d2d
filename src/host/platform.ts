import { existsSync } from 'node:fs'
import { Failure } from '../model/failure.ts'

/**
 * Machines whose kernel and C library share the numbers and layouts that libc.ts writes down: 64 bit, little endian.
 */
const architectures: readonly string[] = ['x64', 'arm64']

/** @throws {Failure} PLATFORM_UNSUPPORTED where the kernel has no leases and no locks that belong to a descriptor */
export function requireLinux(): void {
  if (process.platform !== 'linux' || !architectures.includes(process.arch)) {
    throw new Failure(
      'PLATFORM_UNSUPPORTED',
      `locks and kernel leases need Linux on x64 or arm64; this is ${process.platform} on ${process.arch}`,
    )
  }
}

/**
 * Without it nobody can tell which processes live, who has a file open and what a file system is: a run that was killed
 * would look like one at work.
 * @throws {Failure} PLATFORM_UNSUPPORTED on Linux without /proc
 */
export function requireProc(): void {
  if (process.platform !== 'linux' || existsSync('/proc/self/fd')) return
  throw new Failure(
    'PLATFORM_UNSUPPORTED',
    '/proc is not mounted here: nobody can tell which processes live and who has a file open',
    { hint: 'mount it (`mount -t proc proc /proc`), or run holdfast where it is mounted' },
  )
}
