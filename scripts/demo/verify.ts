/** Checks that balances add up and that no acknowledged transfer is missing, on closed or live databases. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { keepsAccounts, readInvariant } from './notes/tenant-database.ts'

export interface VerifiedTenant {
  readonly tenant: string
  readonly sum: number
  readonly promised: number
  readonly acknowledged: number
  /** Acknowledged transfers that are not in the database: lost writes. */
  readonly missing: readonly string[]
}

/** One for each tenant with accounts. @throws what SQLite throws for a database that it cannot read */
export function verifyTenants(dir: string, tenants: readonly string[]): readonly VerifiedTenant[] {
  const acknowledged = readAcknowledged(join(dir, 'acknowledged.log'))
  return tenants.flatMap((tenant) => {
    const database = new Database(join(dir, `${tenant}.db`), { readonly: true, fileMustExist: true, timeout: 5_000 })
    try {
      if (!keepsAccounts(database)) return []
      const known = database.prepare('select 1 from transfers where id = ?').pluck()
      const ids = acknowledged.get(tenant) ?? []
      const { sum, promised } = readInvariant(database)
      return [
        { tenant, sum, promised, acknowledged: ids.length, missing: ids.filter((id) => known.get(id) === undefined) },
      ]
    } finally {
      database.close()
    }
  })
}

export const isWhole = ({ sum, promised, missing }: VerifiedTenant): boolean => sum === promised && missing.length === 0

/** Transfer ids by tenant. A last line without a line end does not count: its process was killed while it wrote. */
export function readAcknowledged(log: string): ReadonlyMap<string, readonly string[]> {
  const byTenant = new Map<string, string[]>()
  const lines = existsSync(log) ? readFileSync(log, 'utf8').split('\n').slice(0, -1) : []
  for (const line of lines) {
    const at = line.lastIndexOf(' ')
    const tenant = line.slice(0, at)
    const ids = byTenant.get(tenant) ?? []
    ids.push(line.slice(at + 1))
    byTenant.set(tenant, ids)
  }
  return byTenant
}
