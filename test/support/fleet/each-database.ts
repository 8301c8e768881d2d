/** Runs the same tests on PostgreSQL and on PGlite, each with empty tables of the current version. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe } from 'vitest'
import type { FleetAddress } from '../../../src/config/fleet/fleet-settings.ts'
import type { FleetDatabase } from '../../../src/fleet/database/database.ts'
import { migrateFleet } from '../../../src/fleet/database/migrate.ts'
import { openFleetDatabase, ownFleetDatabase } from '../../../src/fleet/database/open-database.ts'
import { setUpRoles } from './fleet-roles.ts'
import { noPostgres, PostgresCluster } from './postgres-cluster.ts'
import { makePgliteFolder } from './templates.ts'

/** Valid while a test runs. */
export interface FleetUnderTest {
  readonly kind: FleetDatabase['kind']
  /** As the coordinator has it: with pglite this process has the folder open, and serves the others. */
  readonly database: FleetDatabase
  /** For a configuration: `fleet.database`. */
  readonly address: FleetAddress
  /** The server; null with pglite. */
  readonly cluster: PostgresCluster | null
  /** As an agent has it: with its role, or with pglite over the socket. */
  open(statementMs?: number): Promise<FleetDatabase>
}

const startMsMax = 240_000

/** Call it once in a file: each kind starts once, and serves all `tests`. */
export function eachDatabase(tests: (fleet: FleetUnderTest) => void): void {
  describe.skipIf(noPostgres !== null)(`PostgreSQL${noPostgres === null ? '' : ` (skipped: ${noPostgres})`}`, () => {
    tests(startedOnce('postgres', startPostgres))
  })
  describe('PGlite', () => {
    tests(startedOnce('pglite', startPglite))
  })
}

interface StartedDatabase extends AsyncDisposable {
  readonly database: FleetDatabase
  readonly address: FleetAddress
  readonly agentAddress: FleetAddress
  readonly cluster: PostgresCluster | null
}

function startedOnce(kind: FleetDatabase['kind'], start: () => Promise<StartedDatabase>): FleetUnderTest {
  let running: StartedDatabase | null = null
  const given = (): StartedDatabase => {
    if (running === null) throw new Error('the database does not run')
    return running
  }
  beforeAll(async () => {
    running = await start()
  }, startMsMax)
  beforeEach(async () => {
    const { database } = given()
    await database.query('drop schema if exists holdfast cascade; drop schema if exists pgboss cascade')
    await migrateFleet(database)
  }, startMsMax)
  afterAll(() => running?.[Symbol.asyncDispose](), startMsMax)
  return {
    kind,
    get database() {
      return given().database
    },
    get address() {
      return given().address
    },
    get cluster() {
      return given().cluster
    },
    open: (statementMs) => openFleetDatabase(accessTo(given().agentAddress), statementMs),
  }
}

const accessTo = (database: FleetAddress) => ({ database, passwordFile: null, caFile: null })

async function startPostgres(): Promise<StartedDatabase> {
  const cluster = await PostgresCluster.start()
  const addressOf = await setUpRoles(cluster)
  const address = addressOf('holdfast_coordinator')
  const database = await openFleetDatabase(accessTo(address))
  return {
    database,
    address,
    agentAddress: addressOf('holdfast_agent'),
    cluster,
    async [Symbol.asyncDispose]() {
      await using _cluster = cluster
      await database[Symbol.asyncDispose]()
    },
  }
}

async function startPglite(): Promise<StartedDatabase> {
  const folder = mkdtempSync(join(tmpdir(), 'pglite-'))
  const address = { kind: 'pglite', dir: join(folder, 'fleet') } as const
  await makePgliteFolder(address.dir)
  const database = await ownFleetDatabase(accessTo(address))
  return {
    database,
    address,
    agentAddress: address,
    cluster: null,
    async [Symbol.asyncDispose]() {
      using _folder = { [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) }
      await database[Symbol.asyncDispose]()
    },
  }
}
