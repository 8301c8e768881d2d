/**
 * How long a file may become that a child writes: as long as recovery can make the database, with room, and no
 * longer.
 */
import { closeSync, openSync, readSync, statSync } from 'node:fs'
import type { SnapshotPath } from '../model/brand.ts'
import { bytesBefore } from '../sqlite/journal/journal.ts'

/**
 * Small snapshots need one limit only: a child whose limit is too low for the next one is replaced, for a limit is
 * never raised again.
 */
const leastBytes = 64 << 20

/**
 * Bytes. A WAL adds no more to the database than it holds; a journal takes it back to the length that its header
 * tells, which after a VACUUM that was broken off may be many times what is left of it.
 */
export function fileBytesFor(snapshot: SnapshotPath): number {
  const sum = ['', '-wal', '-journal'].reduce((bytes, part) => bytes + bytesOf(snapshot + part), 0)
  const wanted = Math.max(2 * sum, bytesBefore(headerOf(`${snapshot}-journal`)) + sum, leastBytes)
  return 2 ** Math.ceil(Math.log2(wanted))
}

const bytesOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0

/** Empty for a file that is not there. */
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
