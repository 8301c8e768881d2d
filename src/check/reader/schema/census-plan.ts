/** Child side: makes the plan of a census, from SQLite's view of the schema and the header of the recovered file. */
import Database from 'better-sqlite3'
import { planCensus } from '../../../census/plan-census.ts'
import type { CensusPlan } from '../../../census/plan.ts'
import type { SchemaFacts } from '../../../census/schema-facts.ts'
import type { SkippedObject } from '../../../model/result/verdict.ts'
import type { UncountedObject } from '../../step-answers.ts'
import { readLayout } from '../pages/page-file.ts'
import { notUnderstood } from './countable.ts'
import type { SchemaLayout } from './schema-facts.ts'

export interface CensusPlanResult {
  /** null if SQLite or the header do not give what is to be counted. SQLite's full check then replaces the census. */
  readonly plan: CensusPlan | null
  /** Why there is no plan; null if there is one. */
  readonly noPlanWhy: string | null
  /** What nothing will check. */
  readonly skipped: readonly SkippedObject[]
  /** What SQLite's full check decides. */
  readonly uncounted: readonly UncountedObject[]
}

/** @param ask asks SQLite about the schema; may throw what SQLite throws */
export function makePlan(
  path: string,
  db: Database.Database,
  ask: (layout: SchemaLayout) => SchemaFacts,
): CensusPlanResult {
  const layout = readLayout(path)
  if (typeof layout === 'string') return { plan: null, noPlanWhy: layout, skipped: [], uncounted: [] }
  const { header, filePages } = layout
  // As in the page accounting: the header's page count if it is valid, but no more pages than there are.
  const pages = header.pageCountValid ? Math.min(header.pageCount, filePages) : filePages
  try {
    const facts = ask({
      pageSize: header.pageSize,
      usable: header.pageSize - header.reservedBytes,
      pages,
      encoding: header.textEncoding,
    })
    const whole = planCensus(facts)
    const foreign = notUnderstood(db, whole.plan)
    const names = new Set(foreign.map(({ object }) => object))
    const { plan, skipped } =
      foreign.length === 0
        ? whole
        : planCensus({ ...facts, indexes: facts.indexes.filter(({ name }) => !names.has(name)) })
    const tableOf = new Map(facts.indexes.map(({ name, table }) => [name, table]))
    const ordered = skipped.filter(({ why }) => /\bcollation\b/.test(why))
    const others = skipped.filter(({ why }) => !/\bcollation\b/.test(why))
    return {
      plan,
      noPlanWhy: null,
      skipped: [...foreign, ...ordered],
      uncounted: others.map(({ object, why }) => ({ object, why, table: tableOf.get(object) ?? object })),
    }
  } catch (error) {
    if (error instanceof Database.SqliteError)
      return { plan: null, noPlanWhy: error.message, skipped: [], uncounted: [] }
    throw error
  }
}
