/** Databases that SQLite alone does not make: their files are changed by hand before they are filled. */

import { accessSync, closeSync, constants, ftruncateSync, openSync, readSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import Database from 'better-sqlite3'
import { create } from './create-database.ts'
import type { Fill } from './create-database.ts'

/**
 * Creates a database whose pages keep bytes free at their end, as extensions of SQLite need it. better-sqlite3 cannot
 * do so: the empty file is changed by hand.
 */
export function createReserved(path: string, pageSize: number, reserved: number, fill: Fill): void {
  create(path, pageSize, (db) => db.pragma('user_version=1'))
  const file = openSync(path, 'r+')
  try {
    const first = Buffer.alloc(pageSize)
    readSync(file, first, 0, pageSize, 0)
    first[20] = reserved
    first.writeUInt16BE((pageSize - reserved) % 65_536, 105)
    writeSync(file, first, 0, pageSize, 0)
  } finally {
    closeSync(file)
  }
  create(path, pageSize, fill)
}

/** A folder in which holes of sparse files cost little to read. A disk file system fills a memory page for each. */
export const memoryFolder = (): string => {
  try {
    accessSync('/dev/shm', constants.W_OK)
    return '/dev/shm'
  } catch {
    return tmpdir()
  }
}

/**
 * Creates a sparse file that reaches beyond the lock-byte page at 1 GiB. All but the last pages are free, and one table
 * lies on both sides of that page.
 */
export function createBeyondLockByte(path: string, autoVacuum: boolean): void {
  const pageSize = 65_536
  create(
    path,
    pageSize,
    (db) => db.exec('CREATE TABLE t(id INTEGER PRIMARY KEY, v); INSERT INTO t VALUES(1, 2)'),
    autoVacuum ? ['auto_vacuum=INCREMENTAL'] : [],
  )
  const lockPage = 0x40000000 / pageSize + 1
  const pageCount = lockPage + 40
  const file = openSync(path, 'r+')
  try {
    ftruncateSync(file, pageCount * pageSize)
    const header = Buffer.alloc(100)
    readSync(file, header, 0, 100, 0)
    const firstFree = header.readUInt32BE(28) + 1
    const perMap = Math.floor(pageSize / 5) + 1
    const isMap = (page: number): boolean => autoVacuum && (page - 2) % perMap === 0
    const free: number[] = []
    for (let page = firstFree; page <= pageCount; page++) if (page !== lockPage && !isMap(page)) free.push(page)
    const total = free.length
    let next = 0
    // SQLite uses the trunk that is written last first: so it soon uses the pages behind the lock-byte page.
    while (free.length > 0) {
      const trunk = free.shift() ?? 0
      const leaves = free.splice(0, Math.floor(pageSize / 4) - 8)
      const page = Buffer.alloc(8 + 4 * leaves.length)
      page.writeUInt32BE(next, 0)
      page.writeUInt32BE(leaves.length, 4)
      leaves.forEach((leaf, i) => page.writeUInt32BE(leaf, 8 + 4 * i))
      writeSync(file, page, 0, page.length, (trunk - 1) * pageSize)
      if (autoVacuum) {
        for (const leaf of [trunk, ...leaves]) {
          const map = Math.floor((leaf - 2) / perMap) * perMap + 2
          writeSync(file, Buffer.from([2, 0, 0, 0, 0]), 0, 5, (map - 1) * pageSize + 5 * (leaf - map - 1))
        }
      }
      next = trunk
    }
    header.writeUInt32BE(pageCount, 28)
    header.writeUInt32BE(next, 32)
    header.writeUInt32BE(total, 36)
    writeSync(file, header, 0, 100, 0)
  } finally {
    closeSync(file)
  }
  const db = new Database(path)
  try {
    db.prepare('INSERT INTO t VALUES(2, randomblob(3000000))').run()
  } finally {
    db.close()
  }
}
