/** What a large fleet costs: one sweep of a tenth of it, then one of the whole fleet, and the status of both. */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { processorMsOfEnded } from '../../scripts/bench/memory.ts'
import type { FleetAddress } from '../../src/config/fleet/fleet-settings.ts'
import type { FleetDatabase } from '../../src/fleet/database/database.ts'
import { openFleetDatabase } from '../../src/fleet/database/open-database.ts'
import { makeFolder } from '../support/cli/folder.ts'
import { PostgresCluster } from '../support/fleet/postgres-cluster.ts'
import { simulateSweep, type FleetSize, type SimulatedSweep } from '../support/fleet/simulation/simulate-fleet.ts'
import { descendantsOf, startNode } from '../support/processes.ts'

/** What is promised (README.md): for a million files. */
const statusMsMax = 2_000
/** A tenant of the whole fleet costs the database at most so much more than one of a tenth of it. */
const growthMax = 1.6
const smallPart = 10
const quiet = 'afterwards'

export async function soakFleet(hosts: number, tenants: number, say: (line: string) => void): Promise<boolean> {
  say(`${cpus().length} processors (${cpus()[0]?.model ?? 'unknown'}), Node ${process.version}`)
  const small = await soakOnce(fleetSize(Math.ceil(hosts / smallPart), Math.ceil(tenants / smallPart)), say)
  const large = await soakOnce(fleetSize(hosts, tenants), say)
  const growth = large.microsOfTenant / small.microsOfTenant
  say(
    `processor time of the database for each tenant: ${small.microsOfTenant.toFixed(0)} µs in a tenth, ` +
      `${large.microsOfTenant.toFixed(0)} µs in all: ${growth.toFixed(2)} times as much`,
  )
  return small.isRight && large.isRight && growth <= growthMax
}

/** So many customers may be paused at the same time, in a fleet of any size. The other hosts wait, and ask again. */
const pausedMax = 50
const fleetSize = (hosts: number, tenants: number): FleetSize => ({
  hosts,
  tenants,
  maxPaused: Math.min(hosts, pausedMax),
})

interface SoakResult {
  readonly microsOfTenant: number
  readonly isRight: boolean
}

async function soakOnce(size: FleetSize, say: (line: string) => void): Promise<SoakResult> {
  say(`\n${size.hosts} hosts, ${size.tenants} tenants, ${size.maxPaused} may be paused`)
  await using cluster = await PostgresCluster.start()
  await setAsInstalled(cluster)
  const { address } = cluster
  await using database = await openFleetDatabase({ database: address, passwordFile: null, caFile: null }, 120_000)
  const simulated = { database, address, processorMs: () => processorMsOf(cluster.pid) }
  using folder = makeFolder()
  const config = folder.in('holdfast.yaml')
  writeConfiguration(config, address)
  let isRight = true
  const status = async (when: string, format: string): Promise<void> => {
    const { ms, processorMs } = await statusCost(config, format, simulated.processorMs)
    say(
      `fleet status --format ${format}, ${when}: ${ms.toFixed(0)} ms, ` +
        `${processorMs.toFixed(0)} ms of processor time, load ${loadavg()[0]?.toFixed(1)}`,
    )
    // The wall time has other programs in it, the processor time the vacuum of the database. The lower one counts.
    isRight &&= when === quiet ? Math.min(ms, processorMs) <= statusMsMax : true
  }
  const sweep = await simulateSweep(simulated, size, async () => {
    for (const format of ['text', 'nagios']) await status('while the sweep works', format)
  })
  report(sweep, size, say)
  isRight &&= sweep.pausedMost <= size.maxPaused && (await isComplete(database, sweep, size))
  for (const format of ['text', 'nagios', 'prometheus', 'json']) await status(quiet, format)
  for (const line of await sizesOf(database)) say(line)
  const { registered, fed, worked } = sweep
  const processorMs = registered.processorMs + fed.processorMs + worked.processorMs
  return { microsOfTenant: (processorMs * 1000) / size.tenants, isRight }
}

/** As the package of a distribution sets it, and not as tests do: what is acknowledged is on the disk. */
async function setAsInstalled(cluster: PostgresCluster): Promise<void> {
  appendFileSync(
    join(cluster.folder, 'data/postgresql.conf'),
    'fsync = on\nsynchronous_commit = on\nfull_page_writes = on\nshared_buffers = 128MB\nmax_wal_size = 1GB\n',
  )
  await cluster.stop('fast')
  await cluster.serve()
}

function report({ registered, fed, worked, pausedMost }: SimulatedSweep, size: FleetSize, say: (line: string) => void) {
  const { tenants } = size
  const line = (what: string, { ms, processorMs }: SimulatedSweep['fed'], more = ''): void =>
    say(
      `${what}: ${(ms / 1000).toFixed(1)} s, ${(processorMs / 1000).toFixed(1)} s of processor time of the ` +
        `database, ${((tenants * 1000) / ms).toFixed(0)} tenants/s${more}`,
    )
  line('hosts and places registered', registered)
  line('run planned and fed', fed)
  line('all chunks fetched, paused, delivered, ended', worked, `, ${((tenants * 20) / worked.ms).toFixed(1)} chunks/s`)
  say(`at most ${pausedMost} of ${size.maxPaused} slots taken`)
}

/** Every result is there once, and every count agrees. */
async function isComplete(database: FleetDatabase, { run }: SimulatedSweep, { tenants }: FleetSize): Promise<boolean> {
  const { rows } = await database.query<Record<string, number>>(
    `select (select count(*) from holdfast.result where run = $1)::float8 as results,
      (select sum(done) from holdfast.run_host where run = $1)::float8 as done,
      (select total from holdfast.run where id = $1)::float8 as total,
      (select count(*) from holdfast.place where run = $1)::float8 as places`,
    [run],
  )
  return Object.values(rows[0] ?? {}).every((total) => total === tenants)
}

/** Of the program and of the database. Under the load of other programs only the processor time says something. */
async function statusCost(
  config: string,
  format: string,
  databaseMs: () => number,
): Promise<{ readonly ms: number; readonly processorMs: number }> {
  const [began, before, beforeOfEnded] = [performance.now(), databaseMs(), processorMsOfEnded()]
  await using program = startNode('bin/holdfast.js', ['fleet', 'status', '--format', format, '--config', config])
  const { stderr } = await program.ended
  if (stderr !== '') throw new Error(stderr)
  const processorMs = databaseMs() - before + processorMsOfEnded() - beforeOfEnded
  return { ms: performance.now() - began, processorMs }
}

function writeConfiguration(file: string, address: FleetAddress): void {
  if (address.kind !== 'postgres') throw new Error('the simulation runs on PostgreSQL')
  const url = `postgres://${address.user ?? ''}@localhost/${address.database}?host=${address.host}`
  const text = JSON.stringify({
    service: { name: 'notes', admin: 'unix:/run/none.sock' },
    tenants: { roots: ['/srv/notes'] },
    fleet: { database: url },
  })
  writeFileSync(file, text, { mode: 0o600 })
}

async function sizesOf(database: FleetDatabase): Promise<readonly string[]> {
  const { rows } = await database.query<{ name: string; mb: number }>(`
    select name, (sum(size) / 1e6)::float8 as mb from (
      select n.nspname || '.' || regexp_replace(c.relname, '_[0-9]{8}$|^j[0-9a-f]{30,}$', '') as name,
        pg_total_relation_size(c.oid) as size
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname in ('holdfast', 'pgboss') and c.relkind = 'r'
    ) t group by name having sum(size) > 1e6 order by mb desc`)
  return [
    `database: ${rows.reduce((sum, { mb }) => sum + mb, 0).toFixed(0)} MB`,
    ...rows.map(({ name, mb }) => `  ${name} ${mb.toFixed(1)} MB`),
  ]
}

/** Of the process and all its children, also of those that have ended. The kernel counts in hundredths of a second. */
function processorMsOf(pid: number): number {
  const ticksOf = (one: number): readonly number[] => {
    try {
      const text = readFileSync(`/proc/${one}/stat`, 'utf8')
      return text
        .slice(text.lastIndexOf(')') + 2)
        .split(' ')
        .slice(11, 15)
        .map(Number)
    } catch {
      return [] // It has ended, and its parent counts it.
    }
  }
  const all = [pid, ...descendantsOf(pid).map((child) => child.pid)].flatMap(ticksOf)
  return all.reduce((sum, ticks) => sum + ticks, 0) * 10
}
