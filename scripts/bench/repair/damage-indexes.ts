/**
 * Two entries change places in each of the three indexes of the reference database's largest table. A page that cannot
 * be read would keep the shell's REINDEX from working.
 */
import { closeSync, openSync, readSync, writeSync } from 'node:fs'
import Database from 'better-sqlite3'

export const damagedIndexes = ['events_user', 'events_kind', 'events_at'] as const

/** The database must be closed. */
export function damageIndexes(file: string): void {
  const database = new Database(file)
  let pages: readonly number[] = []
  let pageSize = 0
  try {
    database.pragma('wal_checkpoint(truncate)')
    pageSize = database.pragma('page_size', { simple: true }) as number
    const leaf = database
      .prepare("select pageno from dbstat where name = ? and pagetype = 'leaf' order by pageno limit 1 offset 7")
      .pluck()
    pages = damagedIndexes.map((name) => leaf.get(name) as number)
  } finally {
    database.close()
  }
  const descriptor = openSync(file, 'r+')
  try {
    // The pointers to the cells of a leaf begin at byte 8, with two bytes each.
    for (const page of pages) {
      const pointers = Buffer.alloc(4)
      const at = (page - 1) * pageSize + 8
      readSync(descriptor, pointers, 0, 4, at)
      writeSync(descriptor, pointers.swap16().toReversed(), 0, 4, at)
    }
  } finally {
    closeSync(descriptor)
  }
}
