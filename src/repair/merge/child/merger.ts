/** Child side: merges the newer file into a copy of the backup, in the steps of repair/merge/protocol.ts. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { foldedName } from '../../../check/reader/schema/sql-tokens.ts'
import { invariant } from '../../../model/bug.ts'
import type { AccountedKind, ConflictRule, LostRange } from '../../../model/result/account.ts'
import { lostRanges, takeRanges } from '../../salvage/child/lost-ranges.ts'
import { RefusalError } from '../../worker/child/refusal-error.ts'
import { mergeFiles } from '../protocol.ts'
import type { MergeSteps } from '../protocol.ts'
import type { UnmergedTable } from '../unmerged-table.ts'
import { foreignKeysOf, leaveOutOrphans, markHistory } from './foreign-keys.ts'
import type { ForeignKey } from './foreign-keys.ts'
import { KeyListing, pagesOf } from './list-keys.ts'
import { MergedTable } from './merged-table.ts'
import { planMerge } from './plan-tables.ts'
import type { MergePlan, PlannedTable } from './plan-tables.ts'
import { RowSets } from './row-sets.ts'
import {
  createIndexes,
  dropOtherIndexes,
  mergeSequences,
  putTriggersBack,
  setTableText,
  takeOutTriggers,
  takeSettings,
} from './schema-objects.ts'
import { newerTables, tablesIn } from './side-tables.ts'
import { readFacts } from './table-facts.ts'
import { completeVirtual, createVirtual } from './virtual-tables.ts'

export class Merger {
  readonly #db: Database.Database
  readonly #prefer: ConflictRule
  readonly #schemaIsWhole: boolean
  readonly #plan: MergePlan
  readonly #tables: readonly MergedTable[]
  readonly #foreignKeys: readonly ForeignKey[]
  readonly #indexes: ReturnType<typeof dropOtherIndexes>
  #isHistoryMarked = false
  readonly #listing = new KeyListing()
  #ranges: Generator<LostRange> | null = null

  /**
   * Opens the files in `folder` and prepares the tables of the result.
   * @throws {RefusalError} if the two files cannot be merged @throws what SQLite throws
   */
  constructor(folder: string, { prefer, schemaIsWhole }: MergeSteps['open']['ask']) {
    this.#prefer = prefer
    this.#schemaIsWhole = schemaIsWhole
    this.#db = openFiles(folder)
    const db = this.#db
    const { own, unowned } = newerTables(db)
    this.#plan = planMerge(tablesIn(db, 'main'), own, unowned, schemaIsWhole)
    const taken = namesIn(db)
    takeOutTriggers(db)
    createVirtual(db, this.#plan)
    this.#tables = this.#plan.tables.map((planned, i) => prepareTable(db, planned, i, taken))
    const merged = new Set(
      this.#tables.flatMap(({ planned: { action, newer } }) =>
        newer !== null && (action === 'rows' || action === 'carry') ? [foldedName(newer.name)] : [],
      ),
    )
    this.#indexes =
      this.#plan.schemaOf === 'newer' ? dropOtherIndexes(db, (table) => merged.has(foldedName(table))) : []
    this.#foreignKeys = this.#tables.flatMap(({ planned: { action, textOf }, rows }) =>
      (action === 'rows' || action === 'carry') && textOf === null ? foreignKeysOf(db, rows) : [],
    )
  }

  get names(): readonly string[] {
    return this.#tables.map(({ planned }) => planned.name)
  }

  compare(table: number): void {
    this.#at(table).compare(this.#db, this.#prefer)
  }

  /** All tables were compared: the first write changes what the others would be compared with. */
  write(table: number): void {
    if (!this.#isHistoryMarked) this.#markHistory()
    this.#isHistoryMarked = true
    this.#db.transaction(() => this.#at(table).write(this.#db, this.#prefer))()
  }

  #markHistory(): void {
    const whole = new Set(
      this.#tables.flatMap(({ planned, facts }) => (facts.isWhole ? [foldedName(planned.name)] : [])),
    )
    for (const key of this.#judgedKeys()) markHistory(this.#db, key, whole.has(foldedName(key.parent)))
  }

  #judgedKeys(): readonly ForeignKey[] {
    const byContent = new Set(this.#tables.filter((table) => table.byContent).map(({ rows }) => rows))
    return this.#foreignKeys.filter(({ rows }) => !byContent.has(rows))
  }

  complete(): readonly UnmergedTable[] {
    const db = this.#db
    leaveOutOrphans(db, this.#judgedKeys())
    createIndexes(db, this.#indexes)
    const stored = completeVirtual(db, this.#plan, this.#tables)
    mergeSequences(db)
    putTriggersBack(db, this.#plan.schemaOf)
    if (this.#plan.schemaOf === 'newer') takeSettings(db)
    return [...this.#tables.flatMap(unmergedOf), ...stored]
  }

  totals(table: number): MergeSteps['totals']['answer'] {
    const merged = this.#at(table)
    return {
      totals: merged.totals(this.#db),
      loss: merged.loss(this.#db, this.#schemaIsWhole),
      pages: merged.facts.id === null ? [] : pagesOf(this.#db, merged.facts.id),
    }
  }

  /** No other step may come before the last keys of a kind were asked for. */
  keys(table: number, kind: AccountedKind): MergeSteps['keys']['answer'] {
    const { rows, facts } = this.#at(table)
    return this.#listing.next(this.#db, rows, facts, kind)
  }

  /** No other step may come before the last ranges were asked for. */
  lostRanges(table: number): MergeSteps['lostRanges']['answer'] {
    const { id } = this.#at(table).facts
    if (id === null) return { ranges: [], isLast: true }
    this.#ranges ??= lostRanges(this.#db, 'facts', id)
    const taken = takeRanges(this.#ranges)
    if (taken.isLast) this.#ranges = null
    return taken
  }

  close(): void {
    this.#db.close()
  }

  #at(table: number): MergedTable {
    const found = this.#tables[table]
    invariant(found !== undefined, 'the table is one of the plan')
    return found
  }
}

/** The sorters of large tables may use the disk, so `temp_store` stays as it is. */
function openFiles(folder: string): Database.Database {
  const db = new Database(join(folder, mergeFiles.result), { fileMustExist: true, timeout: 0 })
  try {
    db.unsafeMode(true) // Allows to write the tables of a full-text index, and rows of the schema.
    db.exec(`PRAGMA locking_mode=EXCLUSIVE; PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON;
      PRAGMA mmap_size=0; PRAGMA foreign_keys=OFF; PRAGMA recursive_triggers=OFF; PRAGMA synchronous=OFF;
      PRAGMA ignore_check_constraints=ON; PRAGMA journal_mode=DELETE; PRAGMA cache_size=-64000`)
    writeFileSync(join(folder, mergeFiles.work), '', { flag: 'wx', mode: 0o600 }) // ATTACH makes no files here.
    for (const name of ['newer', 'facts', 'work'] as const) attach(db, name, join(folder, mergeFiles[name]))
    db.exec('PRAGMA work.journal_mode=OFF; PRAGMA work.cache_size=-64000')
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

function attach(db: Database.Database, name: string, path: string): void {
  try {
    db.prepare(`ATTACH ? AS ${name}`).run(path)
    db.exec(`PRAGMA ${name}.synchronous=OFF`)
  } catch (error) {
    if (error instanceof Database.SqliteError && error.message.includes('text encoding'))
      throw new RefusalError(
        `the backup stores its texts as ${String(db.pragma('encoding', { simple: true }))}, the damaged file otherwise`,
      )
    throw error
  }
}

function prepareTable(db: Database.Database, planned: PlannedTable, index: number, taken: Set<string>): MergedTable {
  const { action, newer, older, hasMoreColumns } = planned
  const table = newer ?? older
  invariant(table !== null, 'a planned table is on one side')
  if (table.key.length === 0 && table.rowid === null)
    throw new RefusalError(`the columns of ${table.name} have taken all names of the rowid`)
  if (action === 'carry' && planned.textOf === null) db.exec(table.sql)
  if (hasMoreColumns && older !== null) setTableText(db, older.name, table.sql)
  const rows = new RowSets(table, index)
  return new MergedTable(
    planned,
    rows,
    readFacts(db, rows, table.name),
    action === 'apart' ? nameBesides(table.name, taken) : null,
  )
}

/** Folded names of all objects of both sides: the result may get any of them. */
const namesIn = (db: Database.Database): Set<string> =>
  new Set(
    db
      .prepare<[], string>('SELECT name FROM main.sqlite_schema UNION SELECT name FROM newer.sqlite_schema')
      .pluck()
      .all()
      .map(foldedName),
  )

/** @param taken gets the name */
function nameBesides(table: string, taken: Set<string>): string {
  const wanted = `holdfast_newer_${table}`
  let name = wanted
  for (let i = 2; taken.has(foldedName(name)); i++) name = `${wanted}_${i}`
  taken.add(foldedName(name))
  return name
}

function unmergedOf({ planned: { action, name }, besides }: MergedTable): readonly UnmergedTable[] {
  switch (action) {
    case 'apart':
      return [
        { table: name, stays: 'backup', besides, why: 'the damaged file has it with other columns than the backup' },
      ]
    case 'drop':
      return [{ table: name, stays: 'newer', besides: null, why: 'it was dropped after the backup was taken' }]
    case 'keep':
      return [
        {
          table: name,
          stays: 'backup',
          besides: null,
          why: 'the damaged file does not show it any more, and a part of its schema cannot be read',
        },
      ]
    case 'rows':
    case 'carry':
    case 'leave':
      return []
  }
}
