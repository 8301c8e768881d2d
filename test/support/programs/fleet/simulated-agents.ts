/**
 * Simulated agents of many hosts in one process. All that they send to the database is what real agents send:
 * registration, chunks, slots, deliveries and heartbeats. Instead of a hold and a check they take recorded times.
 */
import type { FleetAddress } from '../../../../src/config/fleet/fleet-settings.ts'
import { registerHost, showHost } from '../../../../src/fleet/agent/host-registration.ts'
import { registerOwnPlaces } from '../../../../src/fleet/agent/place-registration.ts'
import type { FleetDatabase } from '../../../../src/fleet/database/database.ts'
import { openFleetDatabase } from '../../../../src/fleet/database/open-database.ts'
import type { Chunk } from '../../../../src/fleet/jobs/chunk.ts'
import { openJobs } from '../../../../src/fleet/jobs/jobs.ts'
import { PauseSlots } from '../../../../src/fleet/pause/pause-slots.ts'
import { SlotPermit } from '../../../../src/fleet/pause/slot-permit.ts'
import { deliverStatement } from '../../../../src/fleet/results/deliver-statement.ts'
import { outgoingResult, type OutgoingResult } from '../../../../src/fleet/results/outgoing-result.ts'
import type { PermitSlot } from '../../../../src/hold/pause/pause-permit.ts'
import { sleep } from '../../../../src/host/clock.ts'
import { tenantId } from '../../../../src/model/brand.ts'
import { Failure } from '../../../../src/model/failure.ts'
import type { Service } from '../../../../src/service/port.ts'
import {
  simulatedFile,
  pauseOf,
  recordedResult,
  simulatedService as service,
  simulatedTenant,
} from '../../fleet/simulation/recorded-sweep.ts'

/** What the process is given as its argument, as JSON. */
export interface SimulatedAgents {
  readonly address: FleetAddress
  readonly hosts: readonly SimulatedHost[]
  readonly windowMs: number
}

export interface SimulatedHost {
  readonly name: string
  readonly domain: string
  /** The numbers of its tenants: from `first`, `tenants` of them. */
  readonly first: number
  readonly tenants: number
}

const heartbeatMs = 15_000
const agentsOfConnection = 25
/** As an agent delivers them. */
const batchMax = 100

const order = JSON.parse(process.argv[2] ?? '') as SimulatedAgents
const access = { database: order.address, passwordFile: null, caFile: null }
await using connections = new AsyncDisposableStack()
/** An agent has two connections of its own. Here some agents share them. */
const databases: FleetDatabase[] = []
for (let at = 0; at < order.hosts.length; at += agentsOfConnection)
  databases.push(connections.use(await openFleetDatabase(access, 60_000)))
const [database] = databases as [FleetDatabase]
const databaseOf = (host: SimulatedHost): FleetDatabase =>
  databases[Math.floor(order.hosts.indexOf(host) / agentsOfConnection)] ?? database
for (const host of order.hosts) await register(databaseOf(host), host)
process.send?.('registered')
await new Promise((resolve) => void process.once('message', resolve))
await using jobs = await openJobs({
  database,
  fleet: { ...access, notify: true },
  role: 'agent',
  onError: (failure) => process.stderr.write(`${failure.message}\n`),
})
for (const host of order.hosts) {
  const permit = new SlotPermit(slotsOf(host), order.windowMs)
  await jobs.work(host.name, 'sweep', (chunk, signal) => examine(host, permit, chunk, signal))
}
process.send?.('works')
const ended = new Promise<'ended'>((resolve) => void process.once('disconnect', () => resolve('ended')))
while ((await Promise.race([ended, sleep(heartbeatMs)])) !== 'ended')
  for (const { name, domain } of order.hosts)
    await showHost(database, thisHost(name, domain), { outbox: { rows: 0, bytes: 0 }, clockSkewMs: 0, said: null })
process.exit() // What is still under way does not matter: its run is over.

async function register(to: FleetDatabase, { name, domain, first, tenants }: SimulatedHost): Promise<void> {
  await registerHost(to, thisHost(name, domain))
  const listed = Array.from({ length: tenants }, (_, at) => simulatedTenant(first + at))
  const tenantsOfService = listed.map((id) => ({ id: tenantId(id), files: [simulatedFile(id)], state: 'active' }))
  const list = { tenants: () => Promise.resolve(tenantsOfService), leftOut: { unsearched: [] } }
  const { signal } = new AbortController()
  await registerOwnPlaces({ database: to, host: name, service }, list as unknown as Service, signal)
}

function thisHost(name: string, domain: string): Parameters<typeof registerHost>[1] {
  return { name, machine: `machine of ${name}`, domain, version: '0.1.0' }
}

function slotsOf(host: SimulatedHost): PauseSlots {
  const { name, domain } = host
  const onFailure = ({ message }: Error): void => void process.stderr.write(`${message}\n`)
  const named = { host: name, identity: name, service, domain }
  return new PauseSlots({ database: databaseOf(host), ...named, expiryMs: 0, onFailure })
}

/** As a hold does: what waited in vain is let go, and prepared again when there is a slot. */
async function slotOf(permit: SlotPermit, signal: AbortSignal): Promise<PermitSlot> {
  for (;;) {
    try {
      return await permit.takeSlot(signal)
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== 'PAUSE_NOT_GRANTED') throw error
      await permit.waitForSlot(signal)
    }
  }
}

/** One tenant after the other, each with a slot; then all results. */
async function examine(host: SimulatedHost, permit: SlotPermit, chunk: Chunk, signal: AbortSignal): Promise<void> {
  const results: OutgoingResult[] = []
  for (const tenant of chunk.tenants) {
    using slot = await slotOf(permit, signal)
    slot.markAsked()
    await sleep(pauseOf(tenant))
    slot.markAnswered()
    results.push(outgoingResult({ ...chunk, attempt: 1 }, tenant, recordedResult(tenant), Date.now()))
  }
  const own = databaseOf(host)
  await own.query('select holdfast.result_week($1::date)', [chunk.week])
  for (let first = 0; first < results.length; first += batchMax)
    await own.query(deliverStatement, [
      JSON.stringify(results.slice(first, first + batchMax)),
      host.name,
      service,
      Date.now(),
    ])
}
