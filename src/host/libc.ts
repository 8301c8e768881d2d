/**
 * The C library behind typed functions. This is the only module that knows koffi. It is loaded at the first call, so
 * that importing anything of host/ does no harm on any platform.
 *
 * Numbers and layouts are those of Linux on x64 and arm64, where glibc and musl agree. There off_t has 64 bits, and
 * struct flock is { short type; short whence; int64 start; int64 length; int32 pid } in 32 bytes.
 */
import { closeSync, fstatSync, openSync } from 'node:fs'
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { Failure } from '../model/failure.ts'
import { requireLinux } from './platform.ts'

/** The kernel refused a call. `code` is the name of the error (`EAGAIN`), `errno` its positive number. */
export class SystemCallError extends Error {
  override readonly name = 'SystemCallError'
  readonly call: string
  readonly errno: number
  readonly code: string

  constructor(call: string, errno: number, cause?: unknown) {
    const code = nameOf(errno)
    super(`${call}: ${code}`, cause === undefined ? undefined : { cause })
    this.call = call
    this.errno = errno
    this.code = code
  }
}

/**
 * The same error with our names if it is an error of node:fs, which has no name for EDQUOT and others. Any other value
 * is returned as it is.
 */
export function systemCallError(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const { errno, syscall } = error as NodeJS.ErrnoException
  return typeof errno === 'number' && typeof syscall === 'string'
    ? new SystemCallError(syscall, Math.abs(errno), error)
    : error
}

function nameOf(errno: number): string {
  // If two names have one number, this takes the one of the manual pages.
  if (errno === constants.errno.EAGAIN) return 'EAGAIN'
  if (errno === constants.errno.EOPNOTSUPP) return 'EOPNOTSUPP'
  return Object.entries(constants.errno).find(([, number]) => number === errno)?.[0] ?? `errno ${errno}`
}

/** fcntl with a number as its argument. @returns the kernel's answer, never negative @throws {SystemCallError} */
export function fcntlNumber(descriptor: number, command: number, argument: number): number {
  const libc = load()
  return orThrow('fcntl', libc.fcntl(descriptor, command, 'int', argument), libc.errno())
}

/** fcntl with a struct flock of 32 bytes, which the kernel may write to. @throws {SystemCallError} */
export function fcntlLock(descriptor: number, command: number, flock: Buffer): void {
  const libc = load()
  orThrow('fcntl', libc.fcntl(descriptor, command, 'void *', flock), libc.errno())
}

/** ioctl with a pointer, off the event loop. @throws {SystemCallError} */
export function ioctlPointer(descriptor: number, request: number, argument: Buffer): Promise<number> {
  const libc = load()
  return offLoop('ioctl', libc, (done) => libc.ioctl.async(descriptor, request, argument, done))
}

/**
 * copy_file_range(2) at the same offset in both files, off the event loop.
 * @returns bytes copied, 0 at the end of the source @throws {SystemCallError}
 */
export function copyFileRange(from: number, to: number, offset: number, bytes: number): Promise<number> {
  const libc = load()
  const offsets = [offsetBuffer(offset), offsetBuffer(offset)] as const
  return offLoop('copy_file_range', libc, (done) =>
    libc.copyFileRange.async(from, offsets[0], to, offsets[1], bytes, 0, done),
  )
}

/** @throws {SystemCallError} */
export function chroot(folder: string): void {
  const libc = load()
  orThrow('chroot', libc.chroot(folder), libc.errno())
}

/** prctl with one number as its argument. @throws {SystemCallError} */
export function prctl(option: number, argument: number): number {
  const libc = load()
  return orThrow('prctl', libc.prctl(option, 'ulong', argument, 'ulong', 0, 'ulong', 0, 'ulong', 0), libc.errno())
}

/** Sets the soft and the hard limit. @throws {SystemCallError} */
export function setLimit(resource: number, limit: number): void {
  const libc = load()
  const pair = Buffer.alloc(16)
  pair.writeBigUInt64LE(BigInt(limit), 0)
  pair.writeBigUInt64LE(BigInt(limit), 8)
  orThrow('setrlimit', libc.setrlimit(resource, pair), libc.errno())
}

/**
 * seccomp(2) with a filter, for which the C library has no name. @param filter instructions of 8 bytes each
 * @throws {SystemCallError}, ESRCH when another thread could not get it
 */
export function seccomp(operation: number, flags: number, filter: Buffer): void {
  const libc = load()
  const number = process.arch === 'arm64' ? 277 : 317
  const program = { length: filter.length / 8, filter }
  const result = libc.syscall(number, 'ulong', operation, 'ulong', flags, libc.filterProgram, program)
  // A positive result is the number of that thread.
  if (orThrow('seccomp', result, libc.errno()) > 0) throw new SystemCallError('seccomp', constants.errno.ESRCH)
}

/** A call by its number, with three numbers as arguments. @throws {SystemCallError} */
export function systemCall(number: number, first: number, second: number, third: number): number {
  const libc = load()
  return orThrow(`call ${number}`, libc.syscall(number, 'long', first, 'long', second, 'long', third), libc.errno())
}

/**
 * A call by its number, for calls that not every C library has a name for. A buffer is passed as a pointer.
 * @param call its name, for the error
 * @throws {SystemCallError}
 */
export function callByNumber(call: string, numbers: CallNumbers, ...given: readonly (number | Buffer)[]): number {
  const libc = load()
  const rest: Variadic = given.flatMap((one): Variadic => (typeof one === 'number' ? ['long', one] : ['void *', one]))
  return orThrow(call, libc.syscall(process.arch === 'arm64' ? numbers.arm64 : numbers.x64, ...rest), libc.errno())
}

export interface CallNumbers {
  readonly x64: number
  readonly arm64: number
}

/**
 * lseek(2) to the next data, or the next hole.
 * @returns the offset
 * @throws {SystemCallError} ENXIO where there is none behind `from`
 */
export function seek(descriptor: number, from: number, to: 'data' | 'hole'): number {
  const libc = load()
  const [SEEK_DATA, SEEK_HOLE] = [3, 4]
  return orThrow('lseek', libc.lseek(descriptor, from, to === 'data' ? SEEK_DATA : SEEK_HOLE), libc.errno())
}

/**
 * fstatfs(2): the number of the kind of file system that the file lies on. Needs no /proc.
 * @throws {SystemCallError}
 */
export function fileSystemTypeOf(descriptor: number): number {
  const libc = load()
  const found = Buffer.alloc(256) // struct statfs has 120 bytes, and begins with f_type.
  orThrow('fstatfs', libc.fstatfs(descriptor, found), libc.errno())
  return found.readUInt32LE(0)
}

/**
 * memfd_create(2): a file without a name, in memory, that goes with its last descriptor. Closed when a program is
 * started.
 * @throws {SystemCallError}
 */
export function memoryFile(name: string): number {
  const libc = load()
  const [closeOnExec, noExecSeal] = [1, 8]
  // Kernels before 6.3 do not know the second flag; later ones may insist on it.
  const descriptor = libc.memfd(name, closeOnExec | noExecSeal)
  return descriptor >= 0 ? descriptor : orThrow('memfd_create', libc.memfd(name, closeOnExec), libc.errno())
}

/** linkat(2): gives a name in an open folder to a file without one (O_TMPFILE). @throws {SystemCallError} */
export function nameDescriptor(descriptor: number, folder: number, name: string): void {
  const libc = load()
  const [currentFolder, followLink] = [-100, 0x400]
  orThrow('linkat', libc.linkat(currentFolder, `/proc/self/fd/${descriptor}`, folder, name, followLink), libc.errno())
}

/** ioprio_set(2) for the calling thread. The C library has no name for it. @throws {SystemCallError} */
export function setIoPriority(priority: number): void {
  const libc = load()
  const whoProcess = 1
  const number = process.arch === 'arm64' ? 30 : 251
  orThrow('ioprio_set', libc.syscall(number, 'long', whoProcess, 'long', 0, 'long', priority), libc.errno())
}

type CallCallback = (error: Error | null, result: number) => void
/** Ends this process immediately. Node itself waits for its threads, and one that is stuck in the kernel never ends. */
export function endProcess(exitCode: number): void {
  callByNumber('exit_group', { x64: 231, arm64: 94 }, exitCode)
}

interface Callable<Arguments extends readonly unknown[]> {
  (...given: Arguments): number
  readonly async: (...given: readonly [...Arguments, CallCallback]) => void
}
/** koffi takes variadic arguments in pairs: the C type, then the value. */
type Variadic = readonly unknown[]
interface Libc {
  readonly errno: () => number
  readonly fcntl: (descriptor: number, command: number, ...rest: Variadic) => number
  readonly prctl: (option: number, ...rest: Variadic) => number
  readonly syscall: (number: number, ...rest: Variadic) => number
  readonly ioctl: Callable<readonly [number, number, Buffer]>
  readonly copyFileRange: Callable<readonly [number, Buffer, number, Buffer, number, number]>
  readonly chroot: (folder: string) => number
  readonly linkat: (fromFolder: number, from: string, toFolder: number, to: string, flags: number) => number
  readonly fstatfs: (descriptor: number, found: Buffer) => number
  readonly lseek: (descriptor: number, offset: number, whence: number) => number
  readonly memfd: (name: string, flags: number) => number
  readonly setrlimit: (resource: number, pair: Buffer) => number
  /** Type of a pointer to struct sock_fprog. */
  readonly filterProgram: unknown
}

let loaded: Libc | null = null

/** @throws {Failure} PLATFORM_UNSUPPORTED */
function load(): Libc {
  if (loaded) return loaded
  requireLinux()
  try {
    const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi')
    const program = koffi.load(null) // The program itself, with whichever C library it has.
    const bound = (declaration: string): never => program.func(declaration) as never // The types are those of Libc.
    const dup2: (from: number, to: number) => number = bound('int dup2(int from, int to)')
    process.once('exit', () => replaceStderr(dup2))
    loaded = {
      errno: () => koffi.errno(),
      fcntl: bound('int fcntl(int descriptor, int command, ...)'),
      prctl: bound('int prctl(int option, ...)'),
      syscall: bound('long syscall(long number, ...)'),
      // koffi cannot call a variadic function off the event loop. On Linux, arm64 included, a pointer travels in the
      // same register either way (only Apple's arm64 differs, which requireLinux has refused).
      ioctl: bound('int ioctl(int descriptor, ulong request, void *argument)'),
      copyFileRange: bound(
        'int64 copy_file_range(int from, void *fromOffset, int to, void *toOffset, size_t bytes, uint flags)',
      ),
      chroot: bound('int chroot(const char *folder)'),
      linkat: bound('int linkat(int fromFolder, const char *from, int toFolder, const char *to, int flags)'),
      fstatfs: bound('int fstatfs(int descriptor, void *found)'),
      lseek: bound('int64 lseek(int descriptor, int64 offset, int whence)'),
      memfd: bound('int memfd_create(const char *name, uint flags)'),
      setrlimit: bound('int setrlimit(int resource, void *pair)'),
      filterProgram: koffi.pointer(koffi.struct({ length: 'ushort', filter: 'void *' })),
    }
    return loaded
  } catch (error) {
    throw new Failure('PLATFORM_UNSUPPORTED', 'the C library cannot be reached: koffi did not load', { cause: error })
  }
}

/**
 * When its library is unloaded, koffi 3.3.4 syncs stderr, and waits for ever where that fails: no room, a quota, a disk
 * with errors. A file in the place of stderr can fail so; /dev/null is not synced. Delete this when koffi no longer
 * hangs.
 */
function replaceStderr(dup2: (from: number, to: number) => number): void {
  const stderr = 2
  try {
    if (!fstatSync(stderr).isFile()) return
    const nowhere = openSync('/dev/null', 'w')
    dup2(nowhere, stderr)
    closeSync(nowhere)
  } catch (error) {
    if (!(error instanceof Error && 'errno' in error)) throw error
  }
}

function orThrow(call: string, result: number, errno: number): number {
  if (result < 0) throw new SystemCallError(call, errno)
  return result
}

/**
 * `start` is a closure over the buffers of the call, which keeps them from being collected while the kernel uses them.
 */
function offLoop(call: string, libc: Libc, start: (done: CallCallback) => void): Promise<number> {
  return new Promise((resolve, reject) => {
    const done: CallCallback = (error, result) => {
      const errno = libc.errno() // koffi carries it over from its thread for the time of this callback.
      inFlight.delete(start)
      if (error) reject(error)
      else if (result < 0) reject(new SystemCallError(call, errno))
      else resolve(result)
    }
    inFlight.add(start)
    try {
      start(done)
    } catch (error) {
      inFlight.delete(start)
      reject(error instanceof Error ? error : new Error(String(error)))
    }
  })
}
const inFlight = new Set<unknown>()

function offsetBuffer(offset: number): Buffer {
  const buffer = Buffer.alloc(8)
  buffer.writeBigInt64LE(BigInt(offset))
  return buffer
}
