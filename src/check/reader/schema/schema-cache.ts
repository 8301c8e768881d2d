/**
 * Child side: remembers what SQLite said about a schema. It says the same about every file with the same statements,
 * and the tenants of a service are alike (check/README.md, measured).
 */
import { createHash } from 'node:crypto'
import type Database from 'better-sqlite3'
import type { SchemaFacts } from '../../../census/schema-facts.ts'
import type { Finding } from '../../../model/result/finding.ts'
import type { SchemaObject } from '../../../model/result/reading.ts'
import type { SkippedObject } from '../../../model/result/verdict.ts'
import { readLayout } from '../pages/page-file.ts'
import { makePlan } from './census-plan.ts'
import type { CensusPlanResult } from './census-plan.ts'
import { countable, findIncomplete } from './countable.ts'
import { plainStatement } from './describe-schema.ts'
import { readSchemaFacts } from './schema-facts.ts'
import { isVirtual, knownModules, objectsOf, readSchemaRows } from './schema-objects.ts'
import type { SchemaRow } from './schema-objects.ts'

/** More than one: while a service changes its schema, some tenants have the old schema and some the new. */
const schemasMax = 4
/** Characters of one schema; a longer one is not remembered. */
const textMax = 200_000

export interface SchemaReadResult extends CensusPlanResult {
  readonly objects: readonly SchemaObject[]
  /** Objects that SQLite leaves out. */
  readonly leftOut: readonly SkippedObject[]
  /** About what the schema lacks. */
  readonly findings: readonly Finding[]
  /** The same for all files with the same objects, in whatever order and spelling. */
  readonly digest: string
}

interface KnownSchema {
  readonly modules: ReadonlySet<string>
  /** null until SQLite was asked. */
  facts: Pick<SchemaFacts, 'tables' | 'indexes'> | null
  readonly digest: string
}

export class SchemaCache {
  readonly #known = new Map<string, KnownSchema>()

  /** @param db opened strictly on the file at `path` @throws what SQLite throws */
  read(path: string, db: Database.Database): SchemaReadResult {
    return this.readRows(path, db, readSchemaRows(db), new Set())
  }

  /** @param refused objects that SQLite does not know, or not completely @throws what SQLite throws */
  readRows(
    path: string,
    db: Database.Database,
    rows: readonly SchemaRow[],
    refused: ReadonlySet<string>,
  ): SchemaReadResult {
    const key = keyOf(path, rows)
    const known = (key === null ? null : this.#known.get(key)) ?? newlyKnown(db, rows)
    const { objects, skipped: leftOut } = objectsOf(rows, known.modules)
    let findings: readonly Finding[] = []
    const planning = makePlan(path, db, (layout) => {
      const facts =
        known.facts === null ? readSchemaFacts(db, layout, rows) : { ...layout, ...withRoots(known.facts, rows) }
      known.facts ??= { tables: facts.tables, indexes: facts.indexes }
      findings = findIncomplete(rows, facts, refused)
      return countable(facts, refused)
    })
    if (key !== null && known.facts !== null) this.#remember(key, known)
    return { ...planning, objects, leftOut, findings, digest: known.digest }
  }

  #remember(key: string, known: KnownSchema): void {
    const [oldest] = this.#known.keys()
    if (oldest !== undefined && !this.#known.has(key) && this.#known.size >= schemasMax) this.#known.delete(oldest)
    this.#known.set(key, known)
  }
}

const newlyKnown = (db: Database.Database, rows: readonly SchemaRow[]): KnownSchema => ({
  modules: knownModules(db),
  facts: null,
  digest: digestOfSchema(rows),
})

/** Without SQLite's own objects, which differ with ANALYZE and AUTOINCREMENT. */
function digestOfSchema(rows: readonly SchemaRow[]): string {
  const objects = rows
    .filter(({ name }) => !name.startsWith('sqlite_'))
    .map(({ type, name, tbl_name, sql }) => JSON.stringify([type, name, tbl_name, plainStatement(sql ?? '')]))
  return createHash('sha256').update(objects.toSorted().join('\n')).digest('hex').slice(0, 32)
}

/**
 * All that SQLite's view of a schema depends on. That is its rows in their order without the root pages, and the
 * header's fields for text encoding and descending indexes. null if it may depend on more, because virtual tables read
 * their own data. Also null if two rows have one name: the name then does not say whose a root page is.
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
 * The same schema with the root pages of this file. The primary key of a table WITHOUT ROWID has no row in the schema:
 * its tree is the table.
 */
function withRoots(
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
