/**
 * Raw descriptors. A FileHandle is closed when it is collected, and all its locks and leases end with it. Files are
 * opened and closed synchronously, which takes microseconds; a hop through the thread pool takes 0.1 ms, which would
 * lengthen a pause.
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, readlinkSync } from 'node:fs'
import { Failure } from '../../model/failure.ts'
import { nameOf, onDisk } from './file-name.ts'

export interface Descriptor extends Disposable {
  readonly number: number
  readonly path: string
  /** May be called again. Ends every lock and lease of this opening. */
  close(): void
}

/**
 * O_NONBLOCK: if another process holds a lease, or the name is a FIFO, opening fails and does not wait. O_NOFOLLOW: a
 * link at the end of the path is not followed. Node sets close-on-exec for every open.
 */
const careful = constants.O_NOFOLLOW | constants.O_NONBLOCK
const openFlags = { readWrite: constants.O_RDWR | careful, readOnly: constants.O_RDONLY | careful } as const

/**
 * Opens an existing regular file. It never waits for a lease but breaks it, our own too (hold/README.md F5).
 * @throws {Failure} NOT_A_FILE before it opens a device or FIFO: opening some of them has effects (a tape rewinds)
 * @throws the error of open: EAGAIN if another process holds a lease, ELOOP for a symbolic link
 */
export function openDescriptor(path: string, mode: 'read-write' | 'read-only'): Descriptor {
  const found = lstatSync(onDisk(path))
  if (!found.isFile() && !found.isSymbolicLink()) throw new Failure('NOT_A_FILE', `${path} is not a regular file`)
  const flags = mode === 'read-write' ? openFlags.readWrite : openFlags.readOnly
  const descriptor = descriptorOf(openSync(onDisk(path), flags), path)
  if (fstatSync(descriptor.number).isFile()) return descriptor
  descriptor.close() // It got this name meanwhile.
  throw new Failure('NOT_A_FILE', `${path} is not a regular file`)
}

function descriptorOf(number: number, path: string): Descriptor {
  let open = true
  const close = (): void => {
    // A second close of the same number could close another file that has it by now.
    if (!open) return
    open = false
    closeSync(number)
  }
  return { number, path, close, [Symbol.dispose]: close }
}

/**
 * The path by which the kernel knows a descriptor: every link is resolved, and it ends with ` (deleted)` if the name is
 * gone.
 */
export function pathOf(descriptor: number): string {
  return nameOf(readlinkSync(`/proc/self/fd/${descriptor}`, 'buffer'))
}
