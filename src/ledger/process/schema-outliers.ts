/**
 * Files whose schema is not that of most tenants, by the last sound checks. Runs in the ledger's process only. The
 * memory is bounded: rows are read one by one, and only counts by digest are kept.
 */

import { basename } from 'node:path'
import type Database from 'better-sqlite3'
import { tenantId } from '../../model/brand.ts'
import type { SchemaOutliers } from '../../model/result/last-good.ts'
import type { ServiceWay } from '../../model/service-way.ts'

/** With fewer tenants nothing is usual. */
const tenantsMin = 5
/** So large a share of them must have one schema. */
const shareMin = 0.75
const listedMax = 1000
/** Kinds of files, and schemas of each kind. A service with more has no usual schema. */
const kindsMax = 100
const schemasMax = 1000

interface SchemaOfFile {
  readonly file: string
  readonly schema: string
}

export function schemaOutliers(database: Database.Database, way: ServiceWay | null): SchemaOutliers {
  if (way === null) return { outliers: [], total: 0 }
  const rows = database.prepare<[], SchemaOfFile>(
    "select file, json_extract(facts, '$.schema') as schema from last_good " +
      "where json_extract(facts, '$.schema') is not null order by file",
  )
  const usual = usualSchemas(rows.iterate(), way.service)
  const outliers: SchemaOutliers['outliers'][number][] = []
  let total = 0
  for (const row of rows.iterate()) {
    const file = fileOf(row, way.service)
    const common = file === null ? undefined : usual.get(file.kind)
    if (file === null || common === undefined || row.schema === common.schema) continue
    total++
    if (outliers.length < listedMax)
      outliers.push({ tenant: tenantId(file.tenant), path: file.path, alike: common.alike, of: common.of })
  }
  return { outliers, total }
}

interface NamedFile {
  readonly tenant: string
  readonly path: string
  /** Files of one kind should have one schema: a tenant may have several files. */
  readonly kind: string
}

/** null for a file of another service, and for a row that names none. */
function fileOf({ file }: SchemaOfFile, service: string): NamedFile | null {
  const [of, tenant, path] = JSON.parse(file) as readonly unknown[]
  if (of !== service || typeof tenant !== 'string' || typeof path !== 'string') return null
  return { tenant, path, kind: basename(path).replaceAll(tenant, '{tenant}') }
}

interface UsualSchema {
  readonly schema: string
  /** Files with it, and all files of this kind. */
  readonly alike: number
  readonly of: number
}

function usualSchemas(rows: Iterable<SchemaOfFile>, service: string): ReadonlyMap<string, UsualSchema> {
  const counts = new Map<string, Map<string, number>>()
  for (const row of rows) {
    const file = fileOf(row, service)
    if (file === null || (!counts.has(file.kind) && counts.size >= kindsMax)) continue
    const schemas = counts.get(file.kind) ?? new Map<string, number>()
    counts.set(file.kind, schemas)
    if (schemas.has(row.schema) || schemas.size < schemasMax)
      schemas.set(row.schema, (schemas.get(row.schema) ?? 0) + 1)
  }
  const usual = new Map<string, UsualSchema>()
  for (const [kind, schemas] of counts) {
    const of = [...schemas.values()].reduce((sum, count) => sum + count, 0)
    const [schema, alike] = [...schemas].reduce((most, one) => (one[1] > most[1] ? one : most))
    if (of >= tenantsMin && alike >= shareMin * of) usual.set(kind, { schema, alike, of })
  }
  return usual
}
