/** Child side: full-text tables and R-Trees of the new file check themselves, and are rebuilt where they are broken. */
import Database from 'better-sqlite3'
import { moduleOf } from '../../../../check/reader/schema/virtual-table-module.ts'
import { quoteName } from '../../../../check/reader/sqlite/open-database.ts'
import type { LostObject } from '../../salvage-result.ts'
import type { SchemaStatement } from '../schema/schema-rows.ts'
import { forgetVirtualTable } from './forget-virtual-table.ts'
import { rebuildRTree } from './r-tree.ts'
import type { SalvageContext } from './table-salvage.ts'

/** @param statements of virtual tables, views and triggers @returns tables that could not be mended */
export function mendVirtualTables(to: SalvageContext, statements: readonly SchemaStatement[]): readonly LostObject[] {
  return statements.flatMap((statement): readonly LostObject[] => {
    if (statement.type !== 'table') return []
    const { name, sql } = statement
    const module = (moduleOf(sql ?? '') ?? '').toLowerCase()
    const why = /^fts[345]$/.test(module)
      ? mendText(to.newFile.db, name, module)
      : module.startsWith('rtree')
        ? mendRTree(to, statement)
        : null
    if (why === null) return []
    if (/^(?:fts[345]$|rtree)/.test(module) && !isSound(to.newFile.db, name, module))
      forgetVirtualTable(to.newFile.db, name)
    return [{ kind: 'virtual-table', name, why }]
  })
}

function isSound(db: Database.Database, name: string, module: string): boolean {
  try {
    if (module.startsWith('rtree')) return db.prepare('SELECT rtreecheck(?)').pluck().get(name) === 'ok'
    db.exec(`INSERT INTO ${quoteName(name)}(${quoteName(name)}) VALUES('integrity-check')`)
    return true
  } catch (error) {
    if (error instanceof Database.SqliteError) return false
    throw error
  }
}

/** Null if the table is sound now. */
function mendText(db: Database.Database, name: string, module: string): string | null {
  const tell = (command: string): string | null => {
    try {
      db.exec(`INSERT INTO ${quoteName(name)}(${quoteName(name)}) VALUES('${command}')`)
      return null
    } catch (error) {
      if (error instanceof Database.SqliteError) return error.message
      throw error
    }
  }
  if (isSound(db, name, module)) return null
  if (module === 'fts5') nameVersion(db, name)
  const why = tell('rebuild')
  if (why === null && isSound(db, name, module)) return null
  if (module !== 'fts5' || tell('delete-all') !== null || !isSound(db, name, module))
    return `its index is broken and cannot be rebuilt: ${why ?? 'it stays broken'}`
  return 'it stores no text to rebuild its index from, so it was emptied'
}

/** Without the row of its version, a table cannot even be rebuilt. */
function nameVersion(db: Database.Database, name: string): void {
  const config = quoteName(`${name}_config`)
  try {
    db.exec(`INSERT INTO ${config} SELECT 'version', 4 WHERE NOT EXISTS (SELECT 1 FROM ${config} WHERE k = 'version')`)
  } catch (error) {
    if (!(error instanceof Database.SqliteError)) throw error
  }
}

function mendRTree(to: SalvageContext, statement: SchemaStatement): string | null {
  return isSound(to.newFile.db, statement.name, 'rtree') ? null : rebuildRTree(to, statement)
}
