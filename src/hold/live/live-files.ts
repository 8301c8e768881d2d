/**
 * The open descriptors of one live set. Each file is opened once, for reading and writing: a second open of our own
 * would break our own kernel lease (hold/README.md F5). Everything that reads a live file reads through these.
 *
 * The synchronous calls below take microseconds, because the file was found a moment ago or is open. Through the thread
 * pool each would lengthen a pause by a tenth of a millisecond.
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
import { requireInside } from './live-path.ts'
import { failureOfPath } from './path-failure.ts'

const exact = { bigint: true } as const

/** A length of 0 reaches to the end of the file, however long it is (fcntl). */
const wholeFile = { start: 0, length: 0 } as const

export class LiveFiles implements Disposable {
  readonly path: LivePath
  readonly #roots: readonly string[] | null
  readonly #open = new Map<LiveSetPart, Descriptor>()

  constructor(path: LivePath, roots: readonly string[] | null) {
    this.path = path
    this.#roots = roots
  }

  /** The parts that are open, the database file first. */
  get parts(): readonly LiveSetPart[] {
    return liveSetParts.filter((part) => this.#open.has(part))
  }

  has(part: LiveSetPart): boolean {
    return this.#open.has(part)
  }

  /** @throws {Bug} if the part is not open */
  descriptor(part: LiveSetPart): number {
    const found = this.#open.get(part)
    invariant(found, `the ${part || 'database'} file of ${this.path} is not open`)
    return found.number
  }

  /**
   * Opens the parts that are in the folder, and closes those whose name is gone or leads to another file by now.
   * Repeatable.
   * @throws {Failure} NOT_FOUND, NO_PERMISSION, MANY_NAMES, NOT_A_FILE, PATH_OUTSIDE_ROOTS
   */
  async openNamed(): Promise<void> {
    for (const part of liveSetParts) {
      const now = findNamed(this.path + part)
      const held = this.#open.get(part)
      if (held) {
        const was = fstatSync(held.number, exact)
        if (now && now.ino === was.ino && now.dev === was.dev) continue
        this.#open.delete(part)
        held.close()
      }
      if (now) await this.#openPart(part).catch((error: unknown) => requireVanished(part, error))
      else if (part === '') throw new Failure('NOT_FOUND', `there is no file ${this.path}`)
    }
  }

  async #openPart(part: LiveSetPart): Promise<void> {
    const path = this.path + part
    const descriptor = openPart(path)
    try {
      const opened = fstatSync(descriptor.number, exact)
      if (opened.nlink > 1n)
        throw new Failure(
          'MANY_NAMES',
          `${path} has ${opened.nlink} hard links: under each name SQLite keeps another journal`,
        )
      // By the opened descriptor: the name may have been made to lead elsewhere after it was resolved.
      if (this.#roots) await requireInside(pathOf(descriptor.number), this.#roots)
    } catch (error) {
      descriptor.close()
      throw error
    }
    this.#open.set(part, descriptor)
  }

  stat(part: LiveSetPart): BigIntStats {
    return fstatSync(this.descriptor(part), exact)
  }

  /** Whether the names still lead to the files that are open here. */
  areNamed(): boolean {
    return this.parts.every((part) => {
      const now = findNamed(this.path + part)
      const held = this.stat(part)
      return now?.ino === held.ino && now.dev === held.dev
    })
  }

  /** Up to `length` bytes at `position`; fewer at the end of the file. */
  read(part: LiveSetPart, position: number, length: number): Promise<Buffer> {
    return this.readInto(part, position, Buffer.allocUnsafe(length))
  }

  /** Fills `buffer` from `position` on. @returns the part of it that was filled: less at the end of the file */
  readInto(part: LiveSetPart, position: number, buffer: Buffer): Promise<Buffer> {
    return fill(buffer, this.descriptor(part), position)
  }

  /** As `read`, synchronously: for bytes that were read or written a moment ago and so come from memory. */
  readCached(part: LiveSetPart, position: number, length: number): Buffer {
    const buffer = Buffer.allocUnsafe(length)
    return buffer.subarray(0, readSync(this.descriptor(part), buffer, 0, length, position))
  }

  /** Releases every byte lock on these descriptors, which stay open. */
  unlock(): void {
    for (const { number } of this.#open.values()) unlock(number, wholeFile)
  }

  /** Closes all parts. This ends every lock and kernel lease on these descriptors. */
  [Symbol.dispose](): void {
    // Closing alone is not enough: a child that is being forked has copies of the descriptors for a while.
    this.unlock()
    const open = [...this.#open.values()]
    this.#open.clear()
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

const readPart = promisify(read)

/** Up to `length` bytes of a descriptor at `position`; fewer at the end of the file. */
export function readAt(descriptor: number, position: number, length: number): Promise<Buffer> {
  return fill(Buffer.allocUnsafe(length), descriptor, position)
}

async function fill(buffer: Buffer, descriptor: number, position: number): Promise<Buffer> {
  let filled = 0
  while (filled < buffer.length) {
    const { bytesRead } = await readPart(descriptor, buffer, filled, buffer.length - filled, position + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return buffer.subarray(0, filled)
}

/**
 * A service at work makes and deletes its journal and its WAL all the time. A part that vanished before it could be
 * opened counts as never there.
 * @throws any other error
 */
function requireVanished(part: LiveSetPart, error: unknown): void {
  if (part === '' || !(error instanceof Failure) || error.code !== 'NOT_FOUND') throw error
}

/** What a name leads to; null for nothing. @throws {Failure} see `failureOfPath` */
function findNamed(path: string): BigIntStats | null {
  try {
    return lstatSync(onDisk(path), { ...exact, throwIfNoEntry: false }) ?? null
  } catch (error) {
    // A part with too long a name cannot be there: SQLite cannot make it either.
    if ((error as NodeJS.ErrnoException).code === 'ENAMETOOLONG') return null
    throw failureOfPath(path, error)
  }
}
