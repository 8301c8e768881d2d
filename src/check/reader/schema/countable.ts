/** Child side: the part of a schema that a census can count, and what the schema lacks. */
import Database from 'better-sqlite3'
import type { CensusPlan } from '../../../census/plan.ts'
import type { SchemaFacts } from '../../../census/schema-facts.ts'
import type { Finding } from '../../../model/result/finding.ts'
import type { SkippedObject } from '../../../model/result/verdict.ts'
import { computationOf } from '../sqlite/computed-entries.ts'
import { isVirtual } from './schema-objects.ts'
import type { SchemaRow } from './schema-objects.ts'
import { moduleOf } from './virtual-table-module.ts'

type NamedObjects = Pick<SchemaFacts, 'tables' | 'indexes'>

/** Without refused tables and their indexes, refused indexes, and indexes without a tree. */
export function countable<Facts extends NamedObjects>(facts: Facts, refused: ReadonlySet<string>): Facts {
  return {
    ...facts,
    tables: facts.tables.filter(({ name }) => !refused.has(name)),
    indexes: facts.indexes.filter(({ name, table, root }) => root > 0 && !refused.has(name) && !refused.has(table)),
  }
}

/** Tables and indexes without a root page in the schema: what they hold cannot be found. */
export function findIncomplete(
  rows: readonly SchemaRow[],
  { indexes }: NamedObjects,
  refused: ReadonlySet<string>,
): readonly Finding[] {
  const withRow = new Set(rows.flatMap(({ type, name }) => (type === 'index' ? [name] : [])))
  const tables = rows.filter((row) => isVirtual(row) && moduleOf(row.sql ?? '') === null && !refused.has(row.name))
  const lost = indexes.filter(({ name, table, root }) => root === 0 && !refused.has(name) && !refused.has(table))
  return [
    ...tables.map(({ name }) =>
      incomplete(
        { kind: 'table', name, table: name },
        `the schema gives no root page for table ${name}: its rows cannot be found`,
      ),
    ),
    ...lost.map(({ name, table, origin }) =>
      incomplete(
        { kind: 'index', name, table },
        withRow.has(name)
          ? `the schema gives no root page for index ${name} of ${table}`
          : origin === 'c'
            ? `the schema has the statement of index ${name} of ${table} in a row of another name or type`
            : `the schema has no row for index ${name}, which ` +
              `${origin === 'pk' ? 'the PRIMARY KEY' : 'a UNIQUE'} of ${table} needs`,
      ),
    ),
  ]
}

const incomplete = (object: Finding['object'], text: string): Finding => ({
  rule: 'schema-incomplete',
  severity: 'damage',
  source: 'census',
  object,
  text,
})

/** SQLite's messages about a function that it does not have, or not with these arguments. */
const unknownFunction = /^(?:no such function: |wrong number of arguments to function )/

/**
 * Computed indexes of the plan that call functions which this SQLite does not have. The application that has them may
 * keep such an index in its own way.
 */
export function notUnderstood(db: Database.Database, plan: CensusPlan): readonly SkippedObject[] {
  return plan.trees.flatMap((tree): readonly SkippedObject[] => {
    if (tree.kind !== 'index' || tree.entries !== 'computed') return []
    try {
      const computing = computationOf(db, tree.object.name, tree.object.table ?? '')
      if (computing.kind === 'query') db.prepare(computing.sql)
      return []
    } catch (error) {
      // Other errors show when the entries are computed.
      if (!(error instanceof Database.SqliteError)) throw error
      return unknownFunction.test(error.message) ? [{ object: tree.object.name, why: error.message }] : []
    }
  })
}
