/**
 * Raw descriptors. Not FileHandles: those are closed when they are collected, and with them every lock and lease would
 * go. Opened and closed at once: that takes microseconds, a hop through the thread pool a tenth of a millisecond of
 * somebody's pause.
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, readlinkSync } from 'node:fs'
import { Failure } from '../../model/failure.ts'
import { nameOf, onDisk } from './file-name.ts'

export interface Descriptor extends Disposable {
  readonly number: number
  readonly path: string
  /** Repeatable. Ends every lock and lease that hangs on this opening. */
  close(): void
}

/**
 * O_NONBLOCK: where somebody holds a lease, or a FIFO lies in place of a file, opening must fail instead of waiting.
 * O_NOFOLLOW: a link in the last place of the path is never followed. Close-on-exec comes from Node for every open.
 */
const careful = constants.O_NOFOLLOW | constants.O_NONBLOCK
export const openFlags = { readWrite: constants.O_RDWR | careful, readOnly: constants.O_RDONLY | careful } as const

/**
 * Opens a regular file that exists. Never waits for a lease, but breaks it, our own included (hold/README.md F5).
 * @throws {Failure} NOT_A_FILE before a device or FIFO is opened: opening some of them has effects (a tape rewinds)
 * @throws the error of open, EAGAIN when somebody holds a lease, ELOOP for a symbolic link
 */
export function openDescriptor(path: string, mode: 'read-write' | 'read-only'): Descriptor {
  const found = lstatSync(onDisk(path))
  if (!found.isFile() && !found.isSymbolicLink()) throw new Failure('NOT_A_FILE', `${path} is not a regular file`)
  const flags = mode === 'read-write' ? openFlags.readWrite : openFlags.readOnly
  const descriptor = descriptorOf(openSync(onDisk(path), flags), path)
  if (fstatSync(descriptor.number).isFile()) return descriptor
  descriptor.close() // It got the name since.
  throw new Failure('NOT_A_FILE', `${path} is not a regular file`)
}

function descriptorOf(number: number, path: string): Descriptor {
  let open = true
  const close = (): void => {
    // Closing the same number twice could close a stranger's file that has got the number since.
    if (!open) return
    open = false
    closeSync(number)
  }
  return { number, path, close, [Symbol.dispose]: close }
}

/**
 * The path that the kernel knows a descriptor by: every link resolved, ` (deleted)` at its end when the name is gone.
 */
export function pathOf(descriptor: number): string {
  return nameOf(readlinkSync(`/proc/self/fd/${descriptor}`, 'buffer'))
}
