/** Child side: reads the facts of a salvage in pieces. */
import Database from 'better-sqlite3'
import type { DroppedEntry, LostRange } from '../../../model/result/account.ts'
import type { RowKey } from '../../../model/result/finding.ts'
import type { KeyKind } from '../facts.ts'
import type { FactsEntry, FactsKey, FactsTable } from '../protocol.ts'
import { lostRanges, takeRanges } from './lost-ranges.ts'

/** Of the entries of one answer, before the last. */
const answerLengthMax = 1_000_000

export class FactsReader {
  readonly #db: Database.Database
  #ranges: Generator<LostRange> | null = null

  constructor(path: string) {
    this.#db = new Database(path, { readonly: true, fileMustExist: true })
  }

  tables(): readonly FactsTable[] {
    return this.#db.prepare<[], FactsTable>('SELECT id, name, rows FROM tables ORDER BY id').all()
  }

  /** In the order in which they were found: as many as fit into an answer, and at most `keysMax`. */
  keys(table: number, after: number, keysMax: number): readonly FactsKey[] {
    const rows = this.#db.prepare<
      [number, number, number],
      { readonly number: number; readonly kind: KeyKind; readonly key: string }
    >('SELECT rowid AS number, kind, key FROM keys WHERE table_id = ? AND rowid > ? ORDER BY rowid LIMIT ?')
    const keys: FactsKey[] = []
    let length = 0
    for (const { number, kind, key } of rows.iterate(table, after, keysMax)) {
      keys.push({ number, kind, key: JSON.parse(key) as RowKey })
      if ((length += key.length) > answerLengthMax) break
    }
    return keys
  }

  /** As many as fit into an answer. */
  dropped(after: number): readonly FactsEntry[] {
    const rows = this.#db.prepare<[number], { readonly number: number; readonly entry: string }>(
      'SELECT rowid AS number, entry FROM dropped WHERE rowid > ? ORDER BY rowid',
    )
    const entries: FactsEntry[] = []
    let length = 0
    for (const { number, entry } of rows.iterate(after)) {
      entries.push({ number, entry: JSON.parse(entry) as DroppedEntry })
      if ((length += entry.length) > answerLengthMax) break
    }
    return entries
  }

  pages(table: number, after: number, pagesMax: number): readonly number[] {
    return this.#db
      .prepare<[number, number, number], number>(
        'SELECT DISTINCT page FROM pages WHERE table_id = ? AND page > ? ORDER BY page LIMIT ?',
      )
      .pluck()
      .all(table, after, pagesMax)
  }

  /** The next ranges of a table. No other question may come before the last one. */
  lostRanges(table: number): { readonly ranges: readonly LostRange[]; readonly isLast: boolean } {
    this.#ranges ??= lostRanges(this.#db, 'main', table)
    const taken = takeRanges(this.#ranges)
    if (taken.isLast) this.#ranges = null
    return taken
  }
}
