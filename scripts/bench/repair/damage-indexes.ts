/** The reference database with a zeroed leaf in each of the three indexes of its largest table. */
import { closeSync, openSync, writeSync } from 'node:fs'
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
    for (const page of pages) writeSync(descriptor, Buffer.alloc(pageSize), 0, pageSize, (page - 1) * pageSize)
  } finally {
    closeSync(descriptor)
  }
}
