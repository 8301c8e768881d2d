/** Databases as the SQLite extension cksumvfs leaves them: each page ends with its checksum. */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import { stampChecksum } from '../../../src/sqlite/page-checksum.ts'
import { fillEvents } from './create-database.ts'
import { createReserved } from './special-layouts.ts'

/** Writes the right checksum into every page, as a write through the extension would. */
export function stampAll(path: string, pageSize: number): void {
  const bytes = readFileSync(path)
  for (let at = 0; at < bytes.length; at += pageSize) stampChecksum(bytes.subarray(at, at + pageSize))
  const file = openSync(path, 'r+')
  try {
    writeSync(file, bytes, 0, bytes.length, 0)
  } finally {
    closeSync(file)
  }
}

export function createChecksummed(path: string, rows = 400, pageSize = 1024): string {
  createReserved(path, pageSize, 8, fillEvents(rows))
  stampAll(path, pageSize)
  return path
}
