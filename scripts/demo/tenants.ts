/** Makes the twelve tenants of the demo, and damages an index of one and a table of another. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { dozen } from './names.ts'
import { createTenantDatabase } from './notes/tenant-database.ts'
import { damageNotesIndex, damageNotesTable } from './wounds.ts'

export interface DemoTenants {
  readonly all: readonly string[]
  readonly damagedIndex: string
  readonly damagedTable: string
  /** A process maps its file and closes the descriptor. */
  readonly rogue: string
  /** The service writes to these. */
  readonly busy: readonly string[]
  /** No program writes to these. */
  readonly idle: readonly string[]
}

/** @param bytes about the size of each tenant */
export function makeTenants(dir: string, bytes: number): DemoTenants {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  for (const [at, id] of dozen.entries()) {
    createTenantDatabase(join(dir, `${id}.db`), {
      wal: at % 3 !== 2,
      fts: at % 2 === 0,
      bytes,
      pageSize: at % 4 === 3 ? 8_192 : 4_096,
    }).close()
  }
  const [damagedIndex, damagedTable, rogue] = ['ember', 'grove', 'juno'] as const
  const busy = ['acme', 'bolt', 'crate', 'delta', damagedIndex, damagedTable, 'harbor', 'iris']
  return { all: dozen, damagedIndex, damagedTable, rogue, busy, idle: dozen.filter((id) => !busy.includes(id)) }
}

/** No program may have the two files open. */
export function woundTenants(dir: string, { damagedIndex, damagedTable }: DemoTenants): void {
  damageNotesIndex(join(dir, `${damagedIndex}.db`))
  damageNotesTable(join(dir, `${damagedTable}.db`))
}
