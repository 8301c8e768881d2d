/** Limits the length of the files that a child writes: enough for what recovery can make of the database. */
import { closeSync, openSync, readSync, statSync } from 'node:fs'
import type { SnapshotPath } from '../model/brand.ts'
import { bytesBefore } from '../sqlite/journal/journal.ts'

/** One limit for all small snapshots. A child whose limit is too low is replaced, because it cannot be raised. */
const leastBytes = 64 << 20

/**
 * Bytes, a power of two. A WAL makes the database longer by its own length at most. A journal restores the length that
 * its header gives: after an interrupted VACUUM this may be many times the length of the file.
 */
export function fileBytesFor(snapshot: SnapshotPath): number {
  const sum = ['', '-wal', '-journal'].reduce((bytes, part) => bytes + bytesOf(snapshot + part), 0)
  const wanted = Math.max(2 * sum, bytesBefore(headerOf(`${snapshot}-journal`)) + sum, leastBytes)
  return 2 ** Math.ceil(Math.log2(wanted))
}

const bytesOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0

/** Empty if there is no journal. */
function headerOf(journal: string): Uint8Array {
  const header = new Uint8Array(28)
  let file: number
  try {
    file = openSync(journal, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return header.subarray(0, 0)
    throw error
  }
  try {
    return header.subarray(0, readSync(file, header))
  } finally {
    closeSync(file)
  }
}
