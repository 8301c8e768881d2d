/**
 * The open descriptors of one live set. Each file is opened once and read-write: a second open of our own would break
 * our own kernel lease (hold/README.md F5), so everything that reads a live file reads through these.
 */
import { fstatSync, lstatSync, read, readSync, type BigIntStats } from 'node:fs'
import { promisify } from 'node:util'
import { openDescriptor, pathOf, type Descriptor } from '../../host/files/descriptor.ts'
import { onDisk } from '../../host/files/file-name.ts'
import { unlock } from '../../host/locks/byte-lock.ts'
import type { LivePath } from '../../model/brand.ts'
import { invariant } from '../../model/bug.ts'
import { Failure } from '../../model/failure.ts'
import { liveSetParts, type LiveSetPart } from '../../model/result/evidence.ts'
import { failureOfPath, requireInside } from './live-path.ts'

/**
 * Looks without a hop through the thread pool, which takes a tenth of a millisecond of somebody's pause each time; the
 * look itself takes microseconds, for what is looked at was found by others a moment ago (live-path.ts), or is open.
 */
const look = { bigint: true } as const

/** A length of 0 reaches to the end, however far (fcntl). */
const wholeFile = { start: 0, length: 0 } as const

export class LiveFiles implements Disposable {
  readonly path: LivePath
  readonly #roots: readonly string[] | null
  readonly #open = new Map<LiveSetPart, Descriptor>()

  constructor(path: LivePath, roots: readonly string[] | null) {
    this.path = path
    this.#roots = roots
  }

  /** Parts that are open, the database file first. */
  get parts(): readonly LiveSetPart[] {
    return liveSetParts.filter((part) => this.#open.has(part))
  }

  has(part: LiveSetPart): boolean {
    return this.#open.has(part)
  }

  /** Descriptor of a part that is open. @throws {Bug} when it is not */
  descriptor(part: LiveSetPart): number {
    const found = this.#open.get(part)
    invariant(found, `the ${part || 'database'} file of ${this.path} is not open`)
    return found.number
  }

  /**
   * Brings the descriptors in line with the folder: opens parts that are there, closes those whose name is gone or
   * leads to another file by now. Repeatable.
   * @throws {Failure} NOT_FOUND, NO_PERMISSION, MANY_NAMES, NOT_A_FILE, PATH_OUTSIDE_ROOTS
   */
  async follow(): Promise<void> {
    for (const part of liveSetParts) {
      const now = named(this.path + part)
      const held = this.#open.get(part)
      if (held) {
        const was = fstatSync(held.number, look)
        if (now && now.ino === was.ino && now.dev === was.dev) continue
        this.#open.delete(part)
        held.close()
      }
      if (now) await this.#openPart(part).catch((error: unknown) => vanished(part, error))
      else if (part === '') throw new Failure('NOT_FOUND', `there is no file ${this.path}`)
    }
  }

  async #openPart(part: LiveSetPart): Promise<void> {
    const path = this.path + part
    const descriptor = openPart(path)
    try {
      const opened = fstatSync(descriptor.number, look)
      if (opened.nlink > 1n)
        throw new Failure(
          'MANY_NAMES',
          `${path} has ${opened.nlink} hard links: under each name SQLite keeps another journal`,
        )
      // By the opened descriptor, not by name: a link may have been swapped between look and open.
      if (this.#roots) await requireInside(pathOf(descriptor.number), this.#roots)
    } catch (error) {
      descriptor.close()
      throw error
    }
    this.#open.set(part, descriptor)
  }

  async stat(part: LiveSetPart): Promise<BigIntStats> {
    return this.statAgain(part)
  }

  statAgain(part: LiveSetPart): BigIntStats {
    return fstatSync(this.descriptor(part), look)
  }

  /** Do the names still lead to the files that are open here? */
  async areNamed(): Promise<boolean> {
    for (const part of this.parts) {
      const now = named(this.path + part)
      const held = await this.stat(part)
      if (now?.ino !== held.ino || now.dev !== held.dev) return false
    }
    return true
  }

  /** Up to `length` bytes at `position`; fewer at the end of the file. */
  read(part: LiveSetPart, position: number, length: number): Promise<Buffer> {
    return readAt(this.descriptor(part), position, length)
  }

  /** The same at once, for what was read before and so comes from memory. */
  readAgain(part: LiveSetPart, position: number, length: number): Buffer {
    const buffer = Buffer.allocUnsafe(length)
    return buffer.subarray(0, readSync(this.descriptor(part), buffer, 0, length, position))
  }

  /** Closes everything, and with it ends every lock and lease that hangs on these descriptors. */
  [Symbol.dispose](): void {
    const open = [...this.#open.values()]
    this.#open.clear()
    // Said, not only implied by closing: a child that is being forked at this moment has copies of the descriptors for
    // a while.
    for (const descriptor of open) unlock(descriptor.number, wholeFile)
    for (const descriptor of open) descriptor.close()
  }
}

function openPart(path: string): Descriptor {
  try {
    return openDescriptor(path, 'read-write')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'EAGAIN' || code === 'EWOULDBLOCK')
      throw new Failure('IN_USE', `another process holds a kernel lease on ${path}`, { cause: error })
    throw failureOfPath(path, error)
  }
}

const readInto = promisify(read)

/** Up to `length` bytes of a descriptor at `position`; fewer at the end of the file. */
export async function readAt(descriptor: number, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length)
  let filled = 0
  while (filled < length) {
    const { bytesRead } = await readInto(descriptor, buffer, filled, length - filled, position + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return buffer.subarray(0, filled)
}

/**
 * A service that is at work makes and deletes its journal and its WAL all the time: gone between look and open is as
 * good as never there.
 */
function vanished(part: LiveSetPart, error: unknown): void {
  if (part === '' || !(error instanceof Failure) || error.code !== 'NOT_FOUND') throw error
}

/** What a name leads to; null for nothing. */
function named(path: string): BigIntStats | null {
  try {
    return lstatSync(onDisk(path), { ...look, throwIfNoEntry: false }) ?? null
  } catch (error) {
    // A part whose name would be too long cannot be there: SQLite cannot make it either.
    if ((error as NodeJS.ErrnoException).code === 'ENAMETOOLONG') return null
    throw failureOfPath(path, error)
  }
}
