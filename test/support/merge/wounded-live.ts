/** A backup, a live file that an application has changed since, and a wound: merged in the confined child. */
import { copyFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import type { SnapshotPath } from '../../../src/model/brand.ts'
import { mergeNewer, type MergedNewer } from '../../../src/repair/merge/merge-newer.ts'
import type { Folder } from '../cli/folder.ts'
import { EditableDatabase } from '../databases/surgeon.ts'

const numbers = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400)'

/**
 * Makes the files `backup`, `live` and `whole`, which is the live one before the wound. In both texts, NUMBERS stands
 * for a table `n` with the numbers `i` from 1 to 400.
 * @param after what the application did since the backup
 */
export function makeWounded(
  folder: Folder,
  before: string,
  after: string,
  wound: (database: EditableDatabase) => void,
): void {
  const fill = (name: string, sql: string): void => {
    const db = new Database(folder.in(name))
    db.exec(`PRAGMA secure_delete=OFF; PRAGMA page_size=1024; PRAGMA synchronous=OFF`)
    db.exec(sql.replaceAll('NUMBERS', numbers))
    db.close()
  }
  fill('backup', before)
  copyFileSync(folder.in('backup'), folder.in('live'))
  fill('live', after)
  copyFileSync(folder.in('live'), folder.in('whole'))
  using database = new EditableDatabase(folder.in('live'))
  wound(database)
}

/** Into the file `result`. */
export const mergeWounded = (folder: Folder): Promise<MergedNewer> =>
  mergeNewer(
    folder.in('backup') as SnapshotPath,
    { path: folder.in('live') as SnapshotPath, kept: null },
    folder.in('result'),
    { prefer: 'newer', folder: folder.path, limits: { memoryBytesMax: 500_000_000, niceness: 0, timeoutMs: 60_000 } },
    new AbortController().signal,
  )
