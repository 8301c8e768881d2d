/** Child side: one table on its way through the merge, and its numbers at the end. */

import type Database from 'better-sqlite3'
import { invariant } from '../../../model/bug.ts'
import type { ConflictRule } from '../../../model/result/account.ts'
import type { RowKey } from '../../../model/result/finding.ts'
import { unknownLoss, type TableLoss } from '../../../model/result/remedy.ts'
import type { TableTotals } from '../../account/open-table.ts'
import { decideByContent, hasNewRowids, writeContents } from './decide-by-content.ts'
import { decideByKey } from './decide-by-key.ts'
import type { ComparedRows } from './decide-by-key.ts'
import { decidedKeys } from './list-keys.ts'
import type { PlannedTable } from './plan-tables.ts'
import { deeds, sides } from './row-sets.ts'
import type { RowSets } from './row-sets.ts'
import { quoted, storedColumns } from './side-tables.ts'
import { lossOfUnowned, mayLackRows } from './table-facts.ts'
import type { KnownLosses } from './table-facts.ts'
import { writeRows } from './write-rows.ts'

/** Keys that a plan shows. */
const shownMax = 20

export class MergedTable {
  readonly planned: PlannedTable
  readonly rows: RowSets
  readonly facts: KnownLosses
  /** The table with the newer rows, if they cannot be in the same table. */
  readonly besides: string | null
  /** True if the rows have other rowids on both sides. Foreign keys are then not judged. */
  byContent = false
  #compared: ComparedRows | null = null

  constructor(planned: PlannedTable, rows: RowSets, facts: KnownLosses, besides: string | null) {
    this.planned = planned
    this.rows = rows
    this.facts = facts
    this.besides = besides
  }

  /** Decides about all rows, and writes nothing into the result. */
  compare(db: Database.Database, prefer: ConflictRule): void {
    this.byContent = this.planned.action === 'rows' && hasNewRowids(db, this.rows)
    this.#compared = this.byContent
      ? decideByContent(db, this.rows, this.facts)
      : this.planned.action === 'drop' || this.planned.action === 'keep'
        ? this.#compareAlone(db)
        : this.planned.action === 'apart'
          ? this.#compareApart(db)
          : this.planned.action === 'leave'
            ? this.#compareNothing(db)
            : decideByKey(db, this.rows, this.facts, prefer)
  }

  write(db: Database.Database, prefer: ConflictRule): void {
    const { action, older, textOf } = this.planned
    if (this.byContent) writeContents(db, this.rows)
    else if (action === 'drop') db.exec(`DROP TABLE main.${quoted((textOf ?? older)?.name ?? '')}`)
    else if (action === 'rows' || action === 'carry') writeRows(db, this.rows, prefer)
    else if (this.besides !== null) this.#writeBesides(db, this.besides)
  }

  /** Only the backup has the table: its rows all stay, or go with it. */
  #compareAlone(db: Database.Database): ComparedRows {
    db.exec(this.rows.decisions())
    if (this.planned.action === 'drop')
      db.exec(`INSERT INTO ${this.rows.work}
        SELECT ${this.rows.key('b').join(', ')}, ${deeds.deleted}, ${sides.backup}, 0 FROM ${this.rows.of('main')} b`)
    const inBackup = count(db, this.rows.of('main'))
    return { inBackup, inNewer: 0, unreadable: 0, union: inBackup }
  }

  /** None of the rows is one of a table. */
  #compareNothing(db: Database.Database): ComparedRows {
    db.exec(this.rows.decisions())
    return { inBackup: 0, inNewer: 0, unreadable: 0, union: 0 }
  }

  /** The columns differ, so only the keys can be compared, and only if they have as many columns. */
  #compareApart(db: Database.Database): ComparedRows {
    const { rows } = this
    const older = keyNames(this.planned.older)
    const areComparable = older.length === rows.key('n').length && older.every((name) => name !== null)
    const same = rows.sameKey(
      older.map((name) => `b.${name}`),
      rows.key('n'),
    )
    const isInBackup = areComparable ? `EXISTS (SELECT 1 FROM ${rows.of('main')} b WHERE ${same})` : '0'
    db.exec(`${rows.decisions()};
      INSERT INTO ${rows.work} SELECT ${rows.key('n').join(', ')},
        CASE WHEN ${isInBackup} THEN ${deeds.older} ELSE ${deeds.added} END,
        CASE WHEN ${isInBackup} THEN ${sides.both} ELSE ${sides.newer} END, 0 FROM ${rows.of('newer')} n`)
    const inBackup = count(db, rows.of('main'))
    const onlyNewer = count(db, `${rows.of('newer')} n WHERE NOT ${isInBackup}`)
    return { inBackup, inNewer: count(db, rows.of('newer')), unreadable: 0, union: inBackup + onlyNewer }
  }

  /** A table without constraints, with the columns of the newer side and its rowids. */
  #writeBesides(db: Database.Database, besides: string): void {
    const { newer } = this.planned
    if (newer === null) return
    const columns = newer.columns.filter(({ hidden }) => hidden === 0)
    const rowid = newer.key.length === 0 && !newer.hasAlias ? newer.rowid : null
    const declared = columns.map(
      ({ name, type }) => `${quoted(name)} ${newer.rowid === quoted(name) ? 'INTEGER PRIMARY KEY' : type}`,
    )
    const names = [...(rowid === null ? [] : [rowid]), ...storedColumns(newer).map(quoted)].join(', ')
    db.exec(`CREATE TABLE main.${quoted(besides)}(${declared.join(', ')});
      INSERT INTO main.${quoted(besides)}(${names}) SELECT ${names} FROM ${this.rows.of('newer')}`)
  }

  /** @throws {Bug} if the result does not have as many rows as was decided */
  totals(db: Database.Database): TableTotals {
    const { inBackup, union } = this.#numbers()
    const ofBackup = `side IN (${sides.backup}, ${sides.both})`
    const kept = inBackup - this.#decided(db, `${ofBackup} AND what <> ${deeds.returned}`)
    this.#verify(db, kept)
    return {
      kept,
      union,
      leftOutByUnique: this.#decided(db, `what = ${deeds.notUnique}`),
      leftOutByForeignKey: this.#decided(db, `what = ${deeds.noParent}`),
    }
  }

  #verify(db: Database.Database, kept: number): void {
    const { action } = this.planned
    if (action === 'drop' || action === 'leave') return
    const { inBackup, inNewer } = this.#numbers()
    const added = this.#decided(db, `what = ${deeds.added}`)
    const stayed = this.#decided(db, `what IN (${deeds.newer}, ${deeds.older})`)
    const expected = action === 'apart' ? inBackup : kept + added + stayed
    const found = count(db, this.rows.of('main'))
    invariant(found === expected, `the merged table has ${found} rows instead of ${expected}`)
    if (this.besides === null) return
    const besides = count(db, `main.${quoted(this.besides)}`)
    invariant(besides === inNewer, `the table of newer rows has ${besides} rows instead of ${inNewer}`)
  }

  /**
   * null if no row of the live file is lost, changed or brought back.
   * @param schemaIsWhole the salvage could read the whole schema
   */
  loss(db: Database.Database, schemaIsWhole: boolean): TableLoss | null {
    const { action, name } = this.planned
    const { id } = this.facts
    // Only the backup shows it, though the damaged file may have it.
    if (action === 'keep') return unknownLoss(name)
    if (action === 'leave') return id === null ? null : lossOfUnowned(db, { name, id }, schemaIsWhole, shownMax)
    return this.#lossOfRows(db)
  }

  #lossOfRows(db: Database.Database): TableLoss | null {
    const { inNewer, unreadable } = this.#numbers()
    const { newer, both, backup } = sides
    const leftOut = `what IN (${deeds.notUnique}, ${deeds.noParent}) AND side IN (${newer}, ${both})`
    const isLost = `what = ${deeds.unreadable} OR ${leftOut}`
    const isChanged = `what = ${deeds.older} AND side = ${both}`
    const lost = this.#decided(db, isLost)
    const changed = this.#decided(db, isChanged)
    const recovered = this.#decided(db, `what IN (${deeds.returned}, ${deeds.older}) AND side = ${backup}`)
    const isComparable = this.planned.action !== 'apart' && !this.byContent
    const isKnown = this.planned.action === 'drop' || !mayLackRows(db, this.rows, this.facts, isComparable)
    if (isKnown && lost + changed + recovered + unreadable === 0) return null
    const shown = `${isLost} OR ${isChanged}`
    const keys: RowKey[] = []
    for (const key of decidedKeys(db, this.rows, shown)) {
      keys.push(key)
      if (keys.length === shownMax) break
    }
    return {
      table: this.planned.name,
      inBoth: inNewer - this.#decided(db, leftOut),
      lost: isKnown ? lost : null,
      changed,
      recovered,
      unreadable,
      keys,
      keysTotal: lost + changed,
    }
  }

  #decided(db: Database.Database, condition: string): number {
    return count(db, `${this.rows.work} WHERE ${condition}`)
  }

  #numbers(): ComparedRows {
    invariant(this.#compared !== null, 'a table is compared before its numbers are asked for')
    return this.#compared
  }
}

const count = (db: Database.Database, from: string): number =>
  db.prepare<[], number>(`SELECT count(*) FROM ${from}`).pluck().get() ?? 0

/** The columns that identify a row, quoted; null for a rowid without a name. */
const keyNames = (table: PlannedTable['older']): readonly (string | null)[] =>
  table === null || table.key.length === 0 ? [table?.rowid ?? null] : table.key.map(({ name }) => quoted(name))
