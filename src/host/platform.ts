import { Failure } from '../model/failure.ts'

/** Machines whose kernel and C library share the numbers and layouts that libc.ts writes down: 64 bit, little endian. */
const architectures: readonly string[] = ['x64', 'arm64']

/** @throws {Failure} PLATFORM_UNSUPPORTED where the kernel has no leases and no locks that belong to a descriptor */
export function requireLinux(): void {
  if (process.platform !== 'linux' || !architectures.includes(process.arch)) {
    throw new Failure('PLATFORM_UNSUPPORTED', `locks and kernel leases need Linux on x64 or arm64; this is ${process.platform} on ${process.arch}`)
  }
}
