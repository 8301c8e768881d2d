/**
 * The dozen tenants of the demo, before the service starts: one with a damaged index, one with a damaged table, one for
 * the rogue.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createDatabase } from './ledger-database.ts'
import { dozen } from './names.ts'
import { damageIndex, damageTable } from './wounds.ts'

export interface DemoTenants {
  readonly all: readonly string[]
  readonly damagedIndex: string
  readonly damagedTable: string
  /** Held by a process that maps the file and closes its descriptor. */
  readonly rogue: string
  /** Those with work under way. */
  readonly busy: readonly string[]
  /** Those that nobody writes to. */
  readonly idle: readonly string[]
}

/** @param bytes size of each tenant, about */
export function prepareTenants(dir: string, bytes: number): DemoTenants {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  for (const [at, id] of dozen.entries()) {
    createDatabase(join(dir, `${id}.db`), {
      wal: at % 3 !== 2,
      fts: at % 2 === 0,
      bytes,
      pageSize: at % 4 === 3 ? 8_192 : 4_096,
    }).close()
  }
  const [damagedIndex, damagedTable, rogue] = ['ember', 'grove', 'juno'] as const
  damageIndex(join(dir, `${damagedIndex}.db`))
  damageTable(join(dir, `${damagedTable}.db`))
  const busy = ['acme', 'bolt', 'crate', 'delta', 'harbor', 'iris']
  return { all: dozen, damagedIndex, damagedTable, rogue, busy, idle: dozen.filter((id) => !busy.includes(id)) }
}
