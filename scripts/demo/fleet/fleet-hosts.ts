/** The three hosts of the demo: a folder each, with a service, its tenants, and a configuration of holdfast. */
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { createTenantDatabase } from '../notes/tenant-database.ts'
import { startDemoProgram, type DemoProgram } from '../steps.ts'
import { damageNotesIndex } from '../wounds.ts'

/** Two tenants are replicated. Nothing writes to them, so that only what the demo changes can differ. */
export const replicas = { equal: 'acme', differing: 'bolt' } as const
export const damagedTenant = 'grove'
export const maxPaused = 2

const tenantsOf = {
  alpha: [replicas.equal, replicas.differing, 'crate', 'delta'],
  beta: [replicas.equal, replicas.differing, 'ember', 'fjord', damagedTenant],
  gamma: ['harbor', 'iris', 'juno', 'kiln', 'lumen'],
} as const

export type HostName = keyof typeof tenantsOf
export const hostNames = Object.keys(tenantsOf) as readonly HostName[]
export const demoFiles = Object.values(tenantsOf).reduce((sum, tenants) => sum + tenants.length, 0)

export interface DemoHost {
  readonly name: HostName
  readonly config: string
  /** Of the databases. */
  readonly dir: string
  /** What its service wrote down of each pause. */
  readonly pauses: string
  readonly service: DemoProgram
}

/** @param bytes about the size of each tenant */
export function makeFleetTenants(folder: string, bytes: number): void {
  for (const name of hostNames) {
    mkdirSync(dirOf(folder, name), { recursive: true, mode: 0o700 })
    for (const [at, tenant] of tenantsOf[name].entries())
      if (name === 'alpha' || !isReplica(tenant))
        createTenantDatabase(fileOf(folder, name, tenant), {
          wal: at % 3 !== 2,
          fts: at % 2 === 0,
          bytes,
          pageSize: 4096,
        }).close()
  }
  for (const tenant of Object.values(replicas))
    copyFileSync(fileOf(folder, 'alpha', tenant), fileOf(folder, 'beta', tenant))
  loseOneNote(fileOf(folder, 'beta', replicas.differing))
  damageNotesIndex(fileOf(folder, 'beta', damagedTenant))
}

/** Tenants that the service of a host writes to. */
export const loadedOn = (host: HostName): readonly string[] =>
  tenantsOf[host].filter((tenant) => !isReplica(tenant) && tenant !== damagedTenant)

const isReplica = (tenant: string): boolean => Object.values<string>(replicas).includes(tenant)
const dirOf = (folder: string, host: HostName): string => join(folder, host, 'tenants')
const fileOf = (folder: string, host: HostName, tenant: string): string => join(dirOf(folder, host), `${tenant}.db`)

/** As a replication that missed a change. */
function loseOneNote(file: string): void {
  const database = new Database(file)
  try {
    database.exec('delete from notes where id = 17')
  } finally {
    database.close()
  }
}

export async function startDemoHost(folder: string, name: HostName, transfersPerSecond: number): Promise<DemoHost> {
  const dir = dirOf(folder, name)
  const socket = join(folder, name, 'admin.sock')
  const pauses = join(folder, name, 'pauses.log')
  const load = ['--load', String(transfersPerSecond), '--loaded', loadedOn(name).join()]
  const words = ['--dir', dir, '--socket', socket, '--pauses', pauses, ...load]
  const service = await startDemoProgram('service.ts', words)
  return { name, dir, pauses, service, config: writeConfiguration(folder, name, socket, dir) }
}

/** Who is told of alarms. */
export const alarmsIn = (folder: string): string => join(folder, 'alarms.jsonl')
export const coordinatorConfig = (folder: string): string => join(folder, 'coordinator.yaml')

function writeConfiguration(folder: string, name: HostName, socket: string, dir: string): string {
  const own = join(folder, name)
  for (const part of ['snapshots', 'ledger']) mkdirSync(join(own, part), { recursive: true, mode: 0o700 })
  const settings = {
    service: { name: 'notes', admin: `unix:${socket}` },
    tenants: { roots: [dir] },
    snapshots: { dir: join(own, 'snapshots') },
    ledger: { dir: join(own, 'ledger') },
    fleet: {
      database: `pglite:${join(folder, 'fleet')}`,
      host: name,
      domain: name,
      maxPaused: { fleet: maxPaused, service: maxPaused, domain: maxPaused },
    },
  }
  const file = join(own, 'holdfast.yaml')
  writeFileSync(file, JSON.stringify(settings), { mode: 0o600 })
  if (name === 'alpha') {
    const sink = {
      command: ['/bin/sh', '-c', `(cat; echo) >> ${alarmsIn(folder)}`],
      on: ['harm', 'paused', 'damaged', 'stale'],
    }
    writeFileSync(coordinatorConfig(folder), JSON.stringify({ ...settings, alerts: [sink] }), { mode: 0o600 })
  }
  return file
}
