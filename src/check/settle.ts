/** Child side: lets SQLite recover the snapshot into one plain file, as the service would have found it. */
import { existsSync, rmSync } from 'node:fs'
import type { Fact } from '../model/reading.ts'
import { openDatabase, thrownFact } from './open-database.ts'

export function settle(database: string): { readonly settled: boolean; readonly facts: readonly Fact[] } {
  // One plain file is settled as it is: opening it once more took a tenth of a small file's check.
  if (!existsSync(`${database}-journal`) && !existsSync(`${database}-wal`)) return { settled: true, facts: [] }
  try {
    const db = openDatabase(database, 'strict')
    try {
      // The first read rolls a hot journal back and replays the WAL.
      db.pragma('schema_version')
      const [checkpoint] = db.pragma('wal_checkpoint(TRUNCATE)') as { readonly busy: number }[]
      if (checkpoint?.busy === 1) return { settled: false, facts: [{ kind: 'thrown', code: 'SQLITE_BUSY', text: 'the write-ahead log could not be checkpointed', during: 'opening', object: null }] }
    } finally {
      db.close()
    }
  } catch (error) {
    return { settled: false, facts: [thrownFact(error, 'opening', null)] }
  }
  // What is left was seen by SQLite and holds nothing any more: a journal with a zeroed header, a WAL without commits.
  for (const part of ['-journal', '-wal', '-shm']) if (existsSync(database + part)) rmSync(database + part)
  return { settled: true, facts: [] }
}
