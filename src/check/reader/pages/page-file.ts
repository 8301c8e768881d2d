/** Child side: reads pages of the recovered database file. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { endOfDataAtOnce } from '../../../host/files/holes.ts'
import type { PageSource } from '../../../sqlite/accounting/page-source.ts'
import { readHeader } from '../../../sqlite/header.ts'
import type { DatabaseHeader } from '../../../sqlite/header.ts'

/** Files up to this size are read once, into memory, for all that read their pages. */
const wholeBytesMax = 4_000_000
/** Memory of earlier files, to use again: V8 collects it late (check/README.md, measured). */
const unusedMemory: Uint8Array[] = []

export class PageFile implements PageSource, Disposable {
  readonly fileBytes: number
  readonly dataPages: number
  readonly #file: number
  readonly #pageSize: number
  readonly #memory: Uint8Array | null
  /** null for a large file, and for one that the disk cannot read completely. */
  readonly #whole: Uint8Array | null

  constructor(database: string, pageSize: number) {
    this.#file = openSync(database, 'r')
    this.fileBytes = fstatSync(this.#file).size
    this.#pageSize = pageSize
    this.dataPages = Math.ceil(endOfDataAtOnce(this.#file) / pageSize)
    this.#memory = this.fileBytes <= wholeBytesMax ? (unusedMemory.pop() ?? new Uint8Array(wholeBytesMax)) : null
    this.#whole = this.#memory === null ? null : this.#readWhole(this.#memory.subarray(0, this.fileBytes))
  }

  read(page: number, into: Uint8Array): number | 'unread' {
    const from = (page - 1) * this.#pageSize
    if (page > this.dataPages) {
      into.fill(0)
      return Math.max(0, Math.min(this.#pageSize, this.fileBytes - from))
    }
    if (this.#whole === null) return this.#readAt(into, 0, this.#pageSize, from) ?? 'unread'
    const bytes = this.#whole.subarray(from, from + this.#pageSize)
    into.set(bytes)
    return bytes.length
  }

  /**
   * Reads consecutive pages into `into`. Bytes behind the end of the file become zeros.
   * @returns the pages that the disk could not read; they become zeros too
   */
  readMany(first: number, count: number, into: Uint8Array): readonly number[] {
    const bytes = count * this.#pageSize
    if (first > this.dataPages) {
      into.fill(0, 0, bytes)
      return []
    }
    const bytesInMemory = this.inMemory(first, count)
    if (bytesInMemory !== null) {
      into.set(bytesInMemory)
      return []
    }
    let filled = 0
    while (filled < bytes) {
      const got = this.#readAt(into, filled, bytes - filled, (first - 1) * this.#pageSize + filled)
      if (got === null) return this.#readOneByOne(first, count, into)
      if (got === 0) break
      filled += got
    }
    into.fill(0, filled, bytes)
    return []
  }

  /** Because one page that cannot be read must not hide its neighbours. */
  #readOneByOne(first: number, count: number, into: Uint8Array): readonly number[] {
    const unread: number[] = []
    for (let i = 0; i < count; i++) {
      const at = i * this.#pageSize
      const got = this.#readAt(into, at, this.#pageSize, (first - 1 + i) * this.#pageSize)
      if (got === null) unread.push(first + i)
      into.fill(0, at + (got ?? 0), at + this.#pageSize)
    }
    return unread
  }

  /** Do not read what `inMemory` returned after this: the memory is used again. */
  [Symbol.dispose](): void {
    if (this.#memory !== null) unusedMemory.push(this.#memory)
    closeSync(this.#file)
  }

  /** Consecutive whole pages that are in memory; null if they must be read. Do not write to them. */
  inMemory(first: number, count: number): Uint8Array | null {
    const bytes = this.#whole?.subarray((first - 1) * this.#pageSize, (first - 1 + count) * this.#pageSize)
    return bytes?.length === count * this.#pageSize ? bytes : null
  }

  #readWhole(whole: Uint8Array): Uint8Array | null {
    let filled = 0
    while (filled < whole.length) {
      const got = this.#readAt(whole, filled, whole.length - filled, filled)
      if (got === null) return null
      if (got === 0) break
      filled += got
    }
    return whole.subarray(0, filled)
  }

  /** null if the disk reports an error. */
  #readAt(into: Uint8Array, at: number, length: number, from: number): number | null {
    try {
      return readSync(this.#file, into, at, length, from)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EIO') return null
      throw error
    }
  }
}

interface FileLayout {
  readonly header: DatabaseHeader
  /** Pages of the file, with an incomplete last page. */
  readonly filePages: number
}

/** The layout of the pages by the header; or the reason why it cannot be found. */
export function readLayout(database: string): FileLayout | string {
  const file = openSync(database, 'r')
  try {
    const first = new Uint8Array(100)
    const reading = readHeader(first.subarray(0, readSync(file, first, 0, 100, 0)))
    const header = reading.kind === 'header' || reading.kind === 'wrong' ? reading.header : null
    if (header === null) return 'the header gives no page size'
    if (header.pageSize - header.reservedBytes < 480)
      return `${header.reservedBytes} reserved bytes leave no room on a page`
    return { header, filePages: Math.ceil(fstatSync(file).size / header.pageSize) }
  } finally {
    closeSync(file)
  }
}
