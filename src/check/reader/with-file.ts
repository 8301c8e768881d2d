/** Child side: one file of a snapshot, opened for as long as it is looked at. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

export interface OpenFile {
  readonly bytes: number
  /** As many bytes as there are at `offset`, up to `length`. */
  readonly read: (offset: number, length: number) => Uint8Array
  /** `length` bytes; null where the file ends before them. */
  readonly exactly: (offset: number, length: number) => Uint8Array | null
}

/** null where there is no such file. */
export function withFile<Result>(path: string, work: (file: OpenFile) => Result): Result | null {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
  try {
    const { size } = fstatSync(file)
    const read = (offset: number, length: number): Uint8Array => {
      const bytes = new Uint8Array(length)
      return bytes.subarray(0, readSync(file, bytes, 0, length, offset))
    }
    return work({
      bytes: size,
      read,
      exactly: (offset, length) => (offset + length > size ? null : read(offset, length)),
    })
  } finally {
    closeSync(file)
  }
}
