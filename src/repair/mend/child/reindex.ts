/** Child side: rebuilds one index from its table. */
import type Database from 'better-sqlite3'
import { quoteName } from '../../../check/reader/sqlite/open-database.ts'
import { RefusalError } from '../../worker/child/refusal-error.ts'
import type { StepCompletion } from '../protocol.ts'
import { tryDone } from './try-done.ts'

/**
 * REINDEX takes the names of automatic indexes too. With the name of the schema before it, a name is never taken for
 * that of a collation. The primary key of a table WITHOUT ROWID has no row in the schema: it is the table.
 */
export function reindex(db: Database.Database, index: string): StepCompletion {
  return tryDone(() => {
    const root = db
      .prepare<[string], number>("SELECT rootpage FROM sqlite_schema WHERE type = 'index' AND name = ? COLLATE NOCASE")
      .pluck()
      .get(index)
    if (root === undefined) throw new RefusalError(`the schema has no index ${index}`)
    db.exec(`REINDEX main.${quoteName(index)}`)
  })
}
