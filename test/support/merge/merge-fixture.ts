/** A backup, the live file that it became, and what is left of that: each test has files of its own. */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { salvageWithout, type LostRows } from './lost-rows.ts'

/** `series`: a table of the numbers from 1 to 1000, while the statements run. */
const series = `CREATE TEMP TABLE series(value INTEGER PRIMARY KEY);
  WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) INSERT INTO series SELECT i FROM n;`

export class MergeFixture implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'holdfast-merge-'))
  readonly backup = join(this.folder, 'backup')
  readonly live = join(this.folder, 'live')
  readonly salvaged = join(this.folder, 'salvaged')
  readonly result = join(this.folder, 'result')

  /** @param before statements that make the backup @param after what the application did since */
  constructor(before: string, after: string, lost: readonly LostRows[] = [], pragmas = '') {
    this.#run(this.backup, before, pragmas)
    copyFileSync(this.backup, this.live)
    this.#run(this.live, after)
    salvageWithout(this.live, this.salvaged, lost)
  }

  #run(path: string, statements: string, pragmas = ''): void {
    const db = new Database(path)
    try {
      db.exec(`${pragmas}; PRAGMA synchronous=OFF; PRAGMA foreign_keys=OFF; ${series} ${statements}`)
    } finally {
      db.close()
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true })
  }
}
