/** Child side: SQLite recovers the snapshot into one plain file: what the service would have found. */
import { existsSync, rmSync } from 'node:fs'
import type { Fact } from '../../model/result/reading.ts'
import type { RecoverAnswer } from '../step-answers.ts'
import { countChanged, keepBefore, pagesThatRecoveryWrites } from './before-recovery.ts'
import { inspectDatabaseFile } from './inspect-files.ts'
import { carriesChecksums, stampPages } from './pages/page-checksums.ts'
import { openDatabase, thrownFact } from './sqlite/open-database.ts'

/**
 * @param keep true to copy the pages that recovery may change (before-recovery.ts), and to count those that it changes
 * @param sqliteVersion of the SQLite that reads
 */
export function recoverSnapshot(database: string, keep: boolean, sqliteVersion: string): RecoverAnswer {
  // One plain file needs no recovery, and opening it takes time (check/README.md, measured).
  if (!existsSync(`${database}-journal`) && !existsSync(`${database}-wal`))
    return { recovered: true, facts: [], file: inspectDatabaseFile(database, sqliteVersion), pagesChanged: null }
  const kept = keep && keepBefore(database)
  const written = carriesChecksums(database) ? pagesThatRecoveryWrites(database) : null
  const facts = recover(database)
  // A WAL holds pages without checksums. The service's own recovery would write them with the pages.
  if (written !== null && facts.length === 0) stampPages(database, written.pages)
  // SQLite has read what is left, and it holds nothing more: a journal with a zeroed header, a WAL without commits.
  if (facts.length === 0)
    for (const part of ['-journal', '-wal', '-shm']) if (existsSync(database + part)) rmSync(database + part)
  return {
    recovered: facts.length === 0,
    facts,
    file: inspectDatabaseFile(database, sqliteVersion),
    pagesChanged: kept && facts.length === 0 ? countChanged(database) : null,
  }
}

/**
 * @returns why SQLite could not recover the file; empty if it could
 *
 * SQLite reports an EIO of the disk as a corrupt file (SQLITE_IOERR_CORRUPTFS in its vdbe.c). Damage is there at a
 * second attempt too. A disk that refuses a companion always has failed the step `inspect` before.
 */
function recover(database: string): readonly Fact[] {
  const facts = tryToRecover(database)
  const isCorrupt = facts.some((fact) => fact.kind === 'thrown' && fact.code.startsWith('SQLITE_CORRUPT'))
  return isCorrupt ? tryToRecover(database) : facts
}

function tryToRecover(database: string): readonly Fact[] {
  try {
    const db = openDatabase(database, 'strict')
    try {
      // The first read rolls a hot journal back and replays the WAL.
      db.pragma('schema_version')
      const [checkpoint] = db.pragma('wal_checkpoint(TRUNCATE)') as { readonly busy: number }[]
      return checkpoint?.busy === 1
        ? [
            {
              kind: 'thrown',
              code: 'SQLITE_BUSY',
              text: 'the write-ahead log could not be checkpointed',
              during: 'opening',
              object: null,
            },
          ]
        : []
    } finally {
      db.close()
    }
  } catch (error) {
    return [thrownFact(error, 'opening', null)]
  }
}
