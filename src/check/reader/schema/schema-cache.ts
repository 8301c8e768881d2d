/**
 * Child side: what SQLite said of a schema, it says again of every file with the same statements. The tenants of a
 * service are alike, and to ask anew for each took a tenth of the check of a small file.
 */
import type Database from 'better-sqlite3'
import type { SchemaFacts } from '../../../census/schema-facts.ts'
import type { Finding } from '../../../model/result/finding.ts'
import type { SchemaObject } from '../../../model/result/reading.ts'
import type { Skipped } from '../../../model/result/verdict.ts'
import { readLayout } from '../pages/page-file.ts'
import { makePlan } from './census-plan.ts'
import type { Planning } from './census-plan.ts'
import { countable, findIncomplete } from './countable.ts'
import { readSchemaFacts } from './schema-facts.ts'
import { isVirtual, knownModules, objectsOf, readSchemaRows } from './schema-objects.ts'
import type { SchemaRow } from './schema-objects.ts'

/** While a service changes its schema, its tenants have the old one or the new one. */
const schemasMax = 4
/** Characters of one schema. */
const textMax = 200_000

export interface SchemaRead extends Planning {
  readonly objects: readonly SchemaObject[]
  /** Objects that SQLite passes over. */
  readonly passedOver: readonly Skipped[]
  /** What the schema lacks. */
  readonly findings: readonly Finding[]
}

interface Known {
  readonly modules: ReadonlySet<string>
  /** null until they were asked for. */
  facts: Pick<SchemaFacts, 'tables' | 'indexes'> | null
}

export class SchemaCache {
  readonly #known = new Map<string, Known>()

  /** @param db opened on the file at `path`, as a strict reader has it @throws what SQLite throws */
  read(path: string, db: Database.Database): SchemaRead {
    return this.readRows(path, db, readSchemaRows(db), new Set())
  }

  /** @param refused objects of which SQLite knows nothing, or not all @throws what SQLite throws */
  readRows(path: string, db: Database.Database, rows: readonly SchemaRow[], refused: ReadonlySet<string>): SchemaRead {
    const key = keyOf(path, rows)
    const known = (key === null ? null : this.#known.get(key)) ?? { modules: knownModules(db), facts: null }
    const { objects, skipped: passedOver } = objectsOf(rows, known.modules)
    let findings: readonly Finding[] = []
    const planning = makePlan(path, db, (layout) => {
      const facts =
        known.facts === null ? readSchemaFacts(db, layout, rows) : { ...layout, ...rooted(known.facts, rows) }
      known.facts ??= { tables: facts.tables, indexes: facts.indexes }
      findings = findIncomplete(rows, facts, refused)
      return countable(facts, refused)
    })
    if (key !== null && known.facts !== null) this.#keep(key, known)
    return { ...planning, objects, passedOver, findings }
  }

  #keep(key: string, known: Known): void {
    const [oldest] = this.#known.keys()
    if (oldest !== undefined && !this.#known.has(key) && this.#known.size >= schemasMax) this.#known.delete(oldest)
    this.#known.set(key, known)
  }
}

/**
 * All that SQLite's word on a schema hangs on: its rows in their order but for the root pages, and what the header says
 * of texts and of descending indexes. null where it may hang on more: virtual tables look into their own data. And
 * where a name would not tell which root is whose.
 */
function keyOf(path: string, rows: readonly SchemaRow[]): string | null {
  const layout = readLayout(path)
  if (typeof layout === 'string' || rows.some(isVirtual) || new Set(rows.map(named)).size < rows.length) return null
  const { textEncoding, schemaFormat } = layout.header
  const key = JSON.stringify([
    textEncoding,
    schemaFormat,
    rows.map(({ type, name, tbl_name, rootpage, sql }) => [
      type,
      name,
      tbl_name,
      rootpage !== null && rootpage > 0,
      sql,
    ]),
  ])
  return key.length <= textMax ? key : null
}

const named = ({ type, name }: Pick<SchemaRow, 'type' | 'name'>): string => `${type} ${name}`

/**
 * The same schema with the root pages of this file. The primary key of a table WITHOUT ROWID has no row of its own: its
 * tree is the table's.
 */
function rooted(
  { tables, indexes }: Pick<SchemaFacts, 'tables' | 'indexes'>,
  rows: readonly SchemaRow[],
): Pick<SchemaFacts, 'tables' | 'indexes'> {
  const roots = new Map(rows.map((row) => [named(row), row.rootpage]))
  const rootOf = (type: 'table' | 'index', name: string): number => roots.get(named({ type, name })) ?? 0
  const keyed = new Set(tables.flatMap(({ name, withoutRowid }) => (withoutRowid ? [name] : [])))
  return {
    tables: tables.map((table) => ({ ...table, root: rootOf('table', table.name) })),
    indexes: indexes.map((index) => ({
      ...index,
      root:
        index.origin === 'pk' && keyed.has(index.table) ? rootOf('table', index.table) : rootOf('index', index.name),
    })),
  }
}
