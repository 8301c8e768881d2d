/** Child side: asks SQL how many rows there are, and which of them have no parent. */
import type Database from 'better-sqlite3'
import type { Fact, SchemaObject } from '../../model/result/reading.ts'
import type { TableContent } from '../../model/result/verdict.ts'
import { quoteName, thrownFact } from './sqlite/open-database.ts'
import { nameOrphans } from './sqlite/orphans.ts'

const rowsListedMax = 20

const tablesOf = (objects: readonly SchemaObject[]): readonly SchemaObject[] =>
  objects.filter((object) => object.kind === 'table' && object.root > 0 && !object.name.startsWith('sqlite_'))

/** Rows of each table, counted in the table itself: an index may be wrong. */
export function countRows(
  db: Database.Database,
  objects: readonly SchemaObject[],
): { readonly content: readonly TableContent[]; readonly facts: readonly Fact[] } {
  const content: TableContent[] = []
  const facts: Fact[] = []
  for (const { name } of tablesOf(objects)) {
    try {
      const rows =
        db
          .prepare<[], number>(`SELECT count(*) FROM ${quoteName(name)} NOT INDEXED`)
          .pluck()
          .get() ?? 0
      content.push({ name, rows, digest: null })
    } catch (error) {
      facts.push(thrownFact(error, 'counting rows', name))
    }
  }
  return { content, facts }
}

interface OrphanRow {
  readonly table: string
  readonly rowid: bigint | null
  readonly parent: string
}

/** Rows without a parent. They concern the application, and are never damage (check/README.md). */
export function findOrphans(db: Database.Database, objects: readonly SchemaObject[]): readonly Fact[] {
  // One question is enough for most files: they have no foreign keys, or no orphans.
  if (!hasOrphans(db)) return []
  const facts: Fact[] = []
  for (const { name } of tablesOf(objects)) {
    try {
      const orphans = orphansOf(db, name)
      const named = orphans.length === 0 ? null : nameOrphans(db, name, new Set(orphans.map(({ parent }) => parent)))
      facts.push(...(named?.map((finding): Fact => ({ kind: 'found', finding })) ?? orphans))
    } catch (error) {
      const thrown = thrownFact(error, 'foreign_key_check', name)
      // SQLITE_ERROR: SQLite cannot check this foreign key (a mismatch, a function or collation of the application).
      // That says nothing about the file.
      if (thrown.code !== 'SQLITE_ERROR') facts.push(thrown)
    }
  }
  return facts
}

/** Also true if SQLite cannot check all tables in one question. */
function hasOrphans(db: Database.Database): boolean {
  try {
    return db.prepare<[], OrphanRow>('PRAGMA foreign_key_check').get() !== undefined
  } catch (error) {
    thrownFact(error, 'foreign_key_check', null)
    return true
  }
}

type Orphans = Extract<Fact, { kind: 'orphans' }>

function orphansOf(db: Database.Database, table: string): readonly Orphans[] {
  const byParent = new Map<string, { readonly rows: (number | string)[]; total: number }>()
  for (const row of db
    .prepare<[], OrphanRow>(`PRAGMA foreign_key_check(${quoteName(table)})`)
    .safeIntegers()
    .iterate()) {
    const parent = byParent.get(row.parent) ?? { rows: [], total: 0 }
    byParent.set(row.parent, parent)
    parent.total++
    if (row.rowid !== null && parent.rows.length < rowsListedMax) parent.rows.push(rowidOf(row.rowid))
  }
  return [...byParent].map(([parent, { rows, total }]): Orphans => ({ kind: 'orphans', table, parent, rows, total }))
}

/** As in reports: above 2^53 as text. */
const rowidOf = (rowid: bigint): number | string =>
  Number.isSafeInteger(Number(rowid)) ? Number(rowid) : rowid.toString()
