/** M17: who may work with tables of which version. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { expect, it } from 'vitest'
import type { FleetSettings } from '../../../src/config/fleet/fleet-settings.ts'
import { examineDatabase } from '../../../src/fleet/database/examine-database.ts'
import { migrateFleet } from '../../../src/fleet/database/migrate.ts'
import {
  fleetSchemaVersion,
  jobsSchemaVersion,
  requireVersions,
  schemaVersions,
} from '../../../src/fleet/database/versions.ts'
import { eachDatabase } from '../../support/fleet/each-database.ts'

it('knows the version of the tables of the pg-boss that package.json names', () => {
  const file = createRequire(import.meta.url).resolve('pg-boss/package.json')
  const { pgboss } = JSON.parse(readFileSync(file, 'utf8')) as { readonly pgboss: { readonly schema: number } }
  expect(jobsSchemaVersion).toBe(pgboss.schema)
})

eachDatabase((fleet) => {
  const setFleet = (version: number) =>
    fleet.database.query('update holdfast.schema_version set version = $1', [version])
  const setJobs = (version: number) =>
    fleet.database.query(
      `create schema if not exists pgboss; create table if not exists pgboss.version(version int);
       delete from pgboss.version; insert into pgboss.version values (${version})`,
    )

  it('an agent waits for the coordinator, and works on its own version and the next', async () => {
    await using agent = await fleet.open()
    const notPrepared = { code: 'FLEET_NOT_PREPARED', retry: true }
    expect(await schemaVersions(agent)).toEqual({ fleet: fleetSchemaVersion, jobs: null })
    await expect(requireVersions(agent)).rejects.toMatchObject(notPrepared)
    await setJobs(jobsSchemaVersion - 1)
    await expect(requireVersions(agent)).rejects.toMatchObject(notPrepared)
    await setJobs(jobsSchemaVersion)
    await requireVersions(agent)
    await setJobs(jobsSchemaVersion + 9)
    await requireVersions(agent)
    await setFleet(fleetSchemaVersion + 1)
    await requireVersions(agent)
    await setFleet(fleetSchemaVersion + 2)
    await expect(requireVersions(agent)).rejects.toMatchObject({ code: 'FLEET_TOO_NEW', retry: false })
    await setFleet(fleetSchemaVersion - 1)
    await expect(requireVersions(agent)).rejects.toMatchObject(notPrepared)
    await fleet.database.query('drop schema holdfast cascade')
    await expect(requireVersions(agent)).rejects.toMatchObject(notPrepared)
  })

  it('the doctor says whether the database answers, and a host without it is not unfit', async () => {
    const access = { database: fleet.address, passwordFile: null, caFile: null }
    const examine = (other: object = {}) => examineDatabase({ ...access, ...other } as FleetSettings)
    expect(await examine()).toMatchObject({ outcome: 'warning', said: expect.stringMatching(/^FLEET_NOT_PREPARED/) })
    await setJobs(jobsSchemaVersion)
    const kind = fleet.kind === 'pglite' ? 'PGlite' : 'PostgreSQL'
    expect(await examine()).toEqual({
      about: 'fleet.database',
      outcome: 'fit',
      said: `${kind} answers, and its tables have version ${fleetSchemaVersion}`,
      next: null,
    })
    const away = { kind: 'pglite', dir: '/nowhere/fleet' }
    expect(await examine({ database: away })).toMatchObject({
      outcome: 'warning',
      said: expect.stringMatching(/^FLEET_UNREACHABLE/),
    })
  })

  it('a coordinator migrates older tables, and leaves newer ones as they are', async () => {
    await setFleet(fleetSchemaVersion - 1)
    await migrateFleet(fleet.database)
    expect((await schemaVersions(fleet.database)).fleet).toBe(fleetSchemaVersion)
    await fleet.database.query('drop table holdfast.content')
    await setFleet(fleetSchemaVersion + 1)
    await migrateFleet(fleet.database)
    await expect(fleet.database.query('select * from holdfast.content')).rejects.toThrow('does not exist')
    await setFleet(fleetSchemaVersion + 2)
    await expect(migrateFleet(fleet.database)).rejects.toMatchObject({ code: 'FLEET_TOO_NEW' })
  })
})
