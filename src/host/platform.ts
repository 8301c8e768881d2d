import { existsSync } from 'node:fs'
import { Failure } from '../model/failure.ts'

/** Machines whose kernel and C library share the numbers and layouts of libc.ts: 64 bit, little endian. */
const architectures: readonly string[] = ['x64', 'arm64']

/** @throws {Failure} PLATFORM_UNSUPPORTED if the kernel has no leases and no locks that belong to a descriptor */
export function requireLinux(): void {
  if (process.platform !== 'linux' || !architectures.includes(process.arch)) {
    throw new Failure(
      'PLATFORM_UNSUPPORTED',
      `locks and kernel leases need Linux on x64 or arm64; this is ${process.platform} on ${process.arch}`,
    )
  }
}

/**
 * Requires /proc. Without it holdfast cannot see which processes live, which program has a file open, and what a file
 * system is. A run that was killed would look alive.
 * @throws {Failure} PLATFORM_UNSUPPORTED on Linux without /proc
 */
export function requireProc(): void {
  if (process.platform !== 'linux' || existsSync('/proc/self/fd')) return
  throw new Failure(
    'PLATFORM_UNSUPPORTED',
    '/proc is not mounted here: holdfast cannot see which processes run and which files they have open',
    { hint: 'mount it (`mount -t proc proc /proc`), or run holdfast where it is mounted' },
  )
}
