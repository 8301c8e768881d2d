/** Child side: opens one file of a snapshot for one piece of work. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

export interface OpenFile {
  readonly bytes: number
  /** The bytes at `offset`, up to `length`; fewer at the end of the file. */
  readonly read: (offset: number, length: number) => Uint8Array
  /** `length` bytes at `offset`; null if the file ends before that. */
  readonly exactly: (offset: number, length: number) => Uint8Array | null
}

/** For a companion. null if there is no such file. @throws what `work` throws, and system errors */
export function withFile<Result>(path: string, work: (file: OpenFile) => Result): Result | null {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
  return closeAfter(file, work)
}

/** For the database, which each snapshot has. @throws what `work` throws, and system errors */
export const withDatabaseFile = <Result>(path: string, work: (file: OpenFile) => Result): Result =>
  closeAfter(openSync(path, 'r'), work)

function closeAfter<Result>(file: number, work: (file: OpenFile) => Result): Result {
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
