/**
 * `holdfast coordinator`, `fleet sweep` and `fleet triage` as a person runs them, on PGlite. An agent in the test makes
 * up the results.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { FleetAddress } from '../../../src/config/fleet/fleet-settings.ts'
import type { FleetDatabase } from '../../../src/fleet/database/database.ts'
import { openFleetDatabase } from '../../../src/fleet/database/open-database.ts'
import { makeSinkCommand, type SinkCommand } from '../../support/alarm/sink-command.ts'
import { makeFolder, type Folder } from '../../support/cli/folder.ts'
import { resultOf, holdfast, start, type ProgramResult, type RunningProgram } from '../../support/cli/program.ts'
import { openService, type TestService } from '../../support/cli/service.ts'
import { registerHosts, insertPlaces } from '../../support/fleet/fleet-tables.ts'
import { startStandIn, type MadeUpVerdict, type StandIn } from '../../support/fleet/stand-in-agent.ts'
import { eventually } from '../../support/processes.ts'

let folder: Folder
let service: TestService
let sink: SinkCommand
let coordinator: RunningProgram
let agent: StandIn
const verdicts = new Map<string, MadeUpVerdict>()

const address = (): FleetAddress => ({ kind: 'pglite', dir: folder.in('fleet') })
const open = () => openFleetDatabase({ database: address(), passwordFile: null, caFile: null })
const command = (...words: readonly string[]): Promise<ProgramResult> =>
  holdfast([...words, '--config', service.config])
const documentOf = ({ stdout }: ProgramResult): Readonly<Record<string, unknown>> => JSON.parse(stdout) as never

beforeAll(async () => {
  folder = makeFolder()
  sink = makeSinkCommand(folder.path)
  const settings = {
    fleet: { database: `pglite:${folder.in('fleet')}`, host: 'web-1' },
    alerts: [{ command: sink.command }],
  }
  service = await openService({ settings })
  coordinator = start(['coordinator', '--config', service.config])
  const register = async (): Promise<true> => {
    await using database = await open()
    await registerHosts(database, ['web-1'])
    return true
  }
  await eventually('the coordinator has made the tables', register)
  const fleet = { address: address(), open }
  agent = await startStandIn(fleet, { host: 'web-1', verdictOf: (tenant) => verdicts.get(tenant) ?? 'sound' })
})

afterAll(async () => {
  await agent[Symbol.asyncDispose]()
  const ended = resultOf(coordinator)
  coordinator.kill('SIGTERM')
  expect(await ended).toMatchObject({ code: 143, stderr: expect.stringContaining('SIGTERM: stopping\n') })
  await service[Symbol.asyncDispose]()
  folder[Symbol.dispose]()
})

test('a sweep of a fleet without a tenant proves nothing', async () => {
  const ran = await command('fleet', 'sweep')
  expect(ran.code).toBe(3)
  expect(ran.stdout).toContain('No file of a tenant is registered yet')
})

test('a sweep waits until all tenants were checked: exit code 0', async () => {
  {
    await using database = await open()
    await insertPlaces(
      database,
      ['acme', 'bolt'].map((tenant) => ({ host: 'web-1', tenant })),
    )
  }
  const ran = await command('fleet', 'sweep')
  expect([ran.code, ran.stderr]).toEqual([0, ''])
  expect(ran.stdout).toContain('2 of 2 files on 1 host: 2 sound')
  expect((await command('fleet', 'sweep', '--quiet')).stdout).toBe('')
})

test('damage has exit code 2, a document that fits its schema, and one alarm', async () => {
  verdicts.set('bolt', 'damaged')
  const ran = await command('fleet', 'sweep', '--json')
  expect([ran.code, ran.stderr]).toEqual([2, ''])
  expect(documentOf(ran)).toMatchObject({
    schema: 'holdfast.fleetrun/1',
    run: { kind: 'sweep', state: 'done', said: null },
    counts: { total: 2, done: 2, sound: 1, damaged: 1 },
    problems: [{ host: 'web-1', tenant: 'bolt', path: '/srv/bolt.db', verdict: 'damaged', damage: 'index' }],
    exitCode: 2,
  })
  await eventually('the alarm', () => sink.alarms().length > 0)
  expect((await command('fleet', 'triage')).stdout).toContain('DAMAGED (index)')
  expect(sink.titles()).toEqual(['DAMAGED: bolt of notes'])
  expect(sink.alarms()).toMatchObject([
    { host: 'web-1', service: 'notes', tenants: [{ tenant: 'bolt' }], tenantsTotal: 1 },
  ])
})

test('a failed tenant has exit code 1, one that could not be read 3', async () => {
  verdicts.clear()
  verdicts.set('bolt', 'failed')
  expect((await command('fleet', 'triage', '--depth', 'full')).code).toBe(1)
  verdicts.set('bolt', 'inconclusive')
  expect((await command('fleet', 'triage', '--service', 'notes')).code).toBe(3)
  verdicts.clear()
})

test('a sweep that is only begun has a document too', async () => {
  const ran = await command('fleet', 'sweep', '--detach', '--json')
  expect([ran.code, documentOf(ran)]).toMatchObject([0, { run: { kind: 'sweep' } }])
  await using database = await open()
  await eventually('it has ended', async () => (await unfinished(database)) === 0)
})

test('while one is unfinished, a second one is refused; a signal ends the command and not the sweep', async () => {
  await using database = await open()
  await registerHosts(database, ['web-2']) // It has no agent.
  await insertPlaces(database, [{ host: 'web-2', tenant: 'crate' }])
  const sweep = start(['fleet', 'sweep', '--host', 'web-2', '--json', '--config', service.config])
  const ended = resultOf(sweep)
  await eventually('the sweep has begun', async () => (await unfinished(database)) === 1)
  const second = await command('fleet', 'sweep')
  expect([second.code, second.stdout]).toEqual([75, ''])
  expect(second.stderr).toContain('FLEET_RUN_ACTIVE')
  sweep.kill('SIGTERM')
  const ran = await ended
  expect(ran.code).toBe(143)
  expect(documentOf(ran)).toMatchObject({ failure: { code: 'INTERRUPTED' } })
  expect(ran.stderr).toContain('goes on without this command')
  expect(await unfinished(database)).toBe(1)
  await database.query(`delete from holdfast.chunk where host = 'web-2'`)
  await database.query(`delete from holdfast.place where host = 'web-2'`)
  await database.query(`delete from holdfast.host where name = 'web-2'`)
  await eventually('the sweep has ended', async () => (await unfinished(database)) === 0)
})

const unfinished = async (database: FleetDatabase): Promise<number> =>
  (await database.query(`select from holdfast.run where state in ('feeding', 'fed')`)).rowCount

test('a host that is not of the fleet is refused', async () => {
  const ran = await command('fleet', 'sweep', '--host', 'web-9')
  expect([ran.code, ran.stdout]).toEqual([64, ''])
  expect(ran.stderr).toContain('no host of the fleet has the name web-9')
})

test('a second coordinator on the same folder is refused', async () => {
  const ran = await command('coordinator')
  expect([ran.code, ran.stdout]).toEqual([75, ''])
  expect(ran.stderr).toContain('FLEET_IN_USE')
})
