/**
 * The journal mode of a file is in two bytes of its header. A restored file gets that of the live file, because a
 * service may rely on it.
 */

import { closeSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs'
import type { SnapshotPath } from '../../../model/brand.ts'
import { readHeader } from '../../../sqlite/header.ts'

/** Offset of the write version; the read version follows it. 1: rollback journal, 2: WAL. */
const versionsAt = 18
const headerBytes = 100

/**
 * Changes nothing if the live file has no readable header.
 * @param restored one plain file of ours, which no process has open
 * @param live a private copy of the live file
 */
export function adoptJournalMode(restored: SnapshotPath, live: SnapshotPath): void {
  const mode = journalModeOf(live)
  if (mode === null || journalModeOf(restored) === null || journalModeOf(restored) === mode) return
  const file = openSync(restored, 'r+')
  try {
    writeSync(file, Buffer.from([mode, mode]), 0, 2, versionsAt)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** Null if the file has no header that SQLite would take. */
function journalModeOf(path: SnapshotPath): 1 | 2 | null {
  const file = openSync(path, 'r')
  try {
    const first = Buffer.alloc(headerBytes)
    const read = readSync(file, first, 0, headerBytes, 0)
    const reading = readHeader(first.subarray(0, read))
    if (reading.kind !== 'header') return null
    return reading.header.writeVersion === 2 ? 2 : 1
  } finally {
    closeSync(file)
  }
}
