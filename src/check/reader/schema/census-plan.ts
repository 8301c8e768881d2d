/** Child side: the plan of a census, from what SQLite says of the schema and the header of the settled file. */
import Database from 'better-sqlite3'
import { planCensus } from '../../../census/plan-census.ts'
import type { CensusPlan } from '../../../census/plan.ts'
import type { SchemaFacts } from '../../../census/schema-facts.ts'
import type { Skipped } from '../../../model/result/verdict.ts'
import type { Uncounted } from '../../step-answers.ts'
import { readLayout } from '../pages/page-file.ts'
import { notUnderstood } from './countable.ts'
import type { SchemaLayout } from './schema-facts.ts'

export interface Planning {
  /** null where SQLite or the header do not tell what is to be counted: then SQLite's full check must do. */
  readonly plan: CensusPlan | null
  /** Why there is none. */
  readonly noPlanWhy: string | null
  /** What will not be looked at at all. */
  readonly skipped: readonly Skipped[]
  readonly uncounted: readonly Uncounted[]
}

/** @param ask asks SQLite about the schema; may throw what it throws */
export function makePlan(path: string, db: Database.Database, ask: (layout: SchemaLayout) => SchemaFacts): Planning {
  const layout = readLayout(path)
  if (typeof layout === 'string') return { plan: null, noPlanWhy: layout, skipped: [], uncounted: [] }
  const { header, filePages } = layout
  // As the page accounting has it: the header's page count where it is valid, but never more than there are.
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
