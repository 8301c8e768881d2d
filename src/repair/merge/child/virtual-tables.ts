/** Child side: virtual tables of the result. Full-text indexes are made anew, once their rows are there. */

import type Database from 'better-sqlite3'
import { foldedName } from '../../../check/reader/schema/sql-tokens.ts'
import type { UnmergedTable } from '../unmerged-table.ts'
import type { MergedTable } from './merged-table.ts'
import type { MergePlan, PlannedVirtual } from './plan-tables.ts'
import { RowSets } from './row-sets.ts'
import { quoted, tablesIn } from './side-tables.ts'
import { readFacts } from './table-facts.ts'

/** Makes the virtual tables that only the newer side has, with the tables in which they keep their data. */
export function createVirtual(db: Database.Database, { virtual }: MergePlan): void {
  for (const { older, newer } of virtual) if (older === null && newer !== null) db.exec(newer.sql)
}

/** @returns those whose data is that of one side @throws what SQLite throws */
export function completeVirtual(
  db: Database.Database,
  plan: MergePlan,
  tables: readonly MergedTable[],
): readonly UnmergedTable[] {
  const dropped = new Set(
    tables.flatMap(({ planned: { action, textOf } }) => (action === 'drop' && textOf !== null ? [textOf.name] : [])),
  )
  return plan.virtual.flatMap((one, i): readonly UnmergedTable[] => {
    const table = one.newer ?? one.older
    if (table === null || dropped.has(table.name)) return []
    if (one.newer === null && plan.schemaOf === 'newer') {
      db.exec(`DROP TABLE main.${quoted(table.name)}`)
      return []
    }
    if (one.action === 'rebuild') {
      const name = quoted(table.name)
      db.exec(`INSERT INTO main.${name}(${name}) VALUES('rebuild')`)
      return []
    }
    const stays = takeStored(db, one, plan, tables.length + i) ? 'newer' : 'backup'
    return [{ table: table.name, stays, besides: null, why: 'it stores no text, so its index cannot be made anew' }]
  })
}

/** Takes the data of the newer side if all of it could be read. @returns false if that of the backup stays */
function takeStored(
  db: Database.Database,
  { older, newer, shadows }: PlannedVirtual,
  { schemaOf }: MergePlan,
  index: number,
): boolean {
  if (newer === null) return false
  const tables = tablesIn(db, 'newer')
  const described = shadows.flatMap((name) => tables.get(foldedName(name)) ?? [])
  const isWhole = described.every(
    (table, i) => readFacts(db, new RowSets(table, (index + 1) * 1000 + i), table.name).isWhole,
  )
  if (older !== null && (!isWhole || schemaOf === 'backup')) return false
  for (const { name } of described)
    db.exec(`DELETE FROM main.${quoted(name)}; INSERT INTO main.${quoted(name)} SELECT * FROM newer.${quoted(name)}`)
  return true
}
