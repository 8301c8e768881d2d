/** Reads a file from the disk, past the page cache of the kernel. */
import { closeSync, constants, fdatasyncSync, openSync, readSync } from 'node:fs'
import { callByNumber, fileSystemTypeOf, SystemCallError } from './libc.ts'

/** Part of every Node.js; its types come only with those of a browser. */
declare const WebAssembly: {
  readonly Memory: new (size: { readonly initial: number }) => { readonly buffer: ArrayBuffer }
}

/** Enough for each disk: O_DIRECT needs offsets, lengths and memory in whole blocks. */
const blockBytes = 4096
/** tmpfs and ramfs: such a file lies in the memory alone. */
const inMemory: ReadonlySet<number> = new Set([0x0102_1994, 0x8584_58f6])
const dropAdvice = 4

export interface UncachedFile extends Disposable {
  /** `dropped`: each reading comes from the disk only as far as the kernel has forgotten the file. */
  readonly how: 'direct' | 'dropped'
  /** Fewer bytes at the end of the file. @throws system errors */
  read(offset: number, length: number): Uint8Array
}

/**
 * Writes what is cached of the file to the disk first.
 * @returns why it is not possible, as a clause @throws system errors
 */
export function openUncached(path: string): UncachedFile | string {
  if (process.platform !== 'linux') return 'only Linux has a way to read past the page cache'
  const file = openSync(path, 'r')
  try {
    if (inMemory.has(fileSystemTypeOf(file))) return 'the file lies in memory (tmpfs), so there is no disk to read'
    fdatasyncSync(file)
    return openDirectly(path) ?? openDropped(path, file)
  } finally {
    closeSync(file)
  }
}

/** Tells the kernel to forget the pages of a file. It keeps those that another program has mapped. */
export function dropFromCache(path: string): void {
  const file = openSync(path, 'r')
  try {
    fdatasyncSync(file)
    forget(file)
  } finally {
    closeSync(file)
  }
}

function forget(file: number): void {
  callByNumber('fadvise64', { x64: 221, arm64: 223 }, file, 0, 0, dropAdvice)
}

/** null if the file system has no O_DIRECT. */
function openDirectly(path: string): UncachedFile | null {
  const file = openOrNull(path, constants.O_RDONLY | constants.O_DIRECT)
  if (file === null) return null
  const direct: UncachedFile = { how: 'direct', read: alignedReader(file), [Symbol.dispose]: () => closeSync(file) }
  try {
    direct.read(0, blockBytes) // Some file systems refuse only the reading.
    return direct
  } catch (error) {
    closeSync(file)
    if (isRefused(error)) return null
    throw error
  }
}

function openOrNull(path: string, flags: number): number | null {
  try {
    return openSync(path, flags)
  } catch (error) {
    if (isRefused(error)) return null
    throw error
  }
}

const isRefused = (error: unknown): boolean =>
  ['EINVAL', 'EOPNOTSUPP', 'ENOTSUP'].includes((error as NodeJS.ErrnoException).code ?? '')

function alignedReader(file: number): UncachedFile['read'] {
  // The memory of WebAssembly begins at a page of the processor. That of a Buffer does not.
  let memory = new WebAssembly.Memory({ initial: 2 })
  return (offset, length) => {
    const from = Math.floor(offset / blockBytes) * blockBytes
    const bytes = Math.ceil((offset + length - from) / blockBytes) * blockBytes
    if (bytes > memory.buffer.byteLength) memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / 65_536) })
    const into = new Uint8Array(memory.buffer, 0, bytes)
    let filled = 0
    while (filled < bytes) {
      const got = readSync(file, into, filled, bytes - filled, from + filled)
      filled += got
      if (got === 0 || got % blockBytes !== 0) break // The end of the file.
    }
    return into.slice(Math.min(filled, offset - from), Math.min(filled, offset - from + length))
  }
}

function openDropped(path: string, file: number): UncachedFile | string {
  try {
    forget(file)
  } catch (error) {
    if (error instanceof SystemCallError) return `the kernel does not forget cached pages (${error.code})`
    throw error
  }
  const again = openSync(path, 'r')
  return {
    how: 'dropped',
    read(offset, length) {
      const bytes = new Uint8Array(length)
      return bytes.subarray(0, readSync(again, bytes, 0, length, offset))
    },
    [Symbol.dispose]: () => closeSync(again),
  }
}
