/** `fleet pause` and `fleet resume`, as a person types them. */
import { writeFileSync } from 'node:fs'
import { hostname, userInfo } from 'node:os'
import { beforeEach, expect, test } from 'vitest'
import { setPauseLimits } from '../../../src/fleet/pause/slot-watch.ts'
import { makeFolder } from '../../support/cli/folder.ts'
import { resultOf, holdfast, start, type ProgramResult } from '../../support/cli/program.ts'
import { eachDatabase, type FleetUnderTest } from '../../support/fleet/each-database.ts'
import { slotsOf as slotsOfHost } from '../../support/fleet/pause/asked-slots.ts'

/** On a machine that is very busy a command takes many seconds to start. */
const timeoutMs = 120_000

eachDatabase((fleet: FleetUnderTest) => {
  const slotsOf = (host: string) => slotsOfHost(fleet.database, host, { domain: 'rack-a' })

  beforeEach(async () => {
    await setPauseLimits(fleet.database, { fleet: 2, service: 2, domain: 2 })
    await fleet.database.query(`
      insert into holdfast.place(host, service, tenant, path) values ('db1', 'notes', 'acme', '/srv/acme.db');
      insert into holdfast.host(name, machine_id, boot_id, domain, version, started_at)
        values ('db1', 'm', 'b', 'rack-a', '1', now())`)
  })

  const configuration = (path: string): string => {
    const { address } = fleet
    const database =
      address.kind === 'pglite'
        ? `pglite:${address.dir}`
        : `postgres://${address.user}@local/${address.database}?host=${address.host}`
    const config = {
      service: { name: 'notes', admin: 'unix:/run/notes.sock' },
      tenants: { roots: ['/srv'] },
      hold: { ttl: '1s', maxPause: '100ms', drainTimeout: '0s' },
      fleet: { database, host: 'db1', window: '200ms', expiry: '15s' },
    }
    writeFileSync(path, JSON.stringify(config), { mode: 0o600 })
    return path
  }

  test('stops pauses everywhere, says who may still be paused, and lets them go on', async () => {
    using folder = makeFolder()
    const config = configuration(folder.in('holdfast.yaml'))
    const run = (...words: string[]): Promise<ProgramResult> => holdfast(['fleet', ...words, '--config', config])
    const me = `${userInfo().username}@${hostname()}`

    expect(await run('resume')).toMatchObject({ code: 0, stdout: 'Nothing was stopped.\n', stderr: '' })
    const stopped = await run('pause', '--reason', 'we move the volumes')
    expect([stopped.code, stopped.stderr]).toEqual([0, ''])
    expect(stopped.stdout.replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, 'TIME').replaceAll('\n', ' ')).toBe(
      `No host pauses a tenant of the fleet any more. Stopped at TIME UTC by ${me}: we move the volumes ` +
        'No tenant is paused. To let pauses go on: `holdfast fleet resume` ',
    )
    expect(await slotsOf('db1').take()).toMatchObject({ refused: 'stopped' })

    const again = await run('pause', '--reason', 'another', '--service', 'notes', '--json')
    expect(JSON.parse(again.stdout)).toMatchObject({
      action: 'pause',
      open: [
        { scope: 'fleet', reason: 'we move the volumes', by: me },
        { scope: 'service:notes', reason: 'another' },
      ],
      standing: [],
      exitCode: 0,
    })
    const resumed = await run('resume')
    expect(resumed.stdout).toContain('Tenants of the fleet may be paused again.')
    expect(resumed.stdout).toContain('`holdfast fleet resume --service notes`')
    expect(await slotsOf('db1').take()).toMatchObject({ refused: 'stopped' })
    const all = await run('resume', '--all', '--json')
    expect(JSON.parse(all.stdout)).toMatchObject({ closed: [{ scope: 'service:notes' }], open: [], standing: null })
    expect(await slotsOf('db1').take()).toHaveProperty('rows')
  })

  test('waits for the tenants that stand still; ended by a signal, it leaves pauses stopped', async () => {
    using folder = makeFolder()
    const config = configuration(folder.in('holdfast.yaml'))
    const slots = slotsOf('db1')
    const taken = await slots.take()
    if (!('rows' in taken)) throw new Error(taken.why)
    const command = ['fleet', 'pause', '--domain', 'rack-a', '--reason', 'power', '--config', config]
    const waiting = resultOf(start([...command, '--json']))
    const isOpen = async (): Promise<number> => (await fleet.database.query('select from holdfast.breaker')).rowCount
    await expect.poll(isOpen, { timeout: timeoutMs }).toBe(1)
    slots.release(taken)
    const ended = await waiting
    expect([ended.code, JSON.parse(ended.stdout)]).toMatchObject([
      0,
      { open: [{ scope: 'domain:rack-a' }], standing: [] },
    ])

    await fleet.database.query('delete from holdfast.breaker')
    await slots.take()
    const interrupted = start(command)
    const end = resultOf(interrupted)
    await expect.poll(isOpen, { timeout: timeoutMs }).toBe(1)
    interrupted.kill('SIGTERM')
    expect(await end).toMatchObject({ code: 143, stderr: expect.stringContaining('SIGTERM: stopping\n') })
    expect(await slots.take()).toMatchObject({ refused: 'stopped' })
  })

  test('refuses a name that no host has, and a missing reason', async () => {
    using folder = makeFolder()
    const config = configuration(folder.in('holdfast.yaml'))
    const unknown = await holdfast(['fleet', 'pause', '--service', 'ntoes', '--reason', 'x', '--config', config])
    expect([unknown.code, unknown.stderr]).toEqual([
      64,
      expect.stringContaining('no host of the fleet has the service ntoes: there is notes'),
    ])
    expect((await holdfast(['fleet', 'pause', '--config', config])).code).toBe(64)
    expect((await holdfast(['fleet', 'resume', '--all', '--service', 'notes', '--config', config])).code).toBe(64)
  })
})

test('without the database nothing can be stopped, and the command says so', async () => {
  using folder = makeFolder()
  const config = folder.in('holdfast.yaml')
  const fleet = { database: `pglite:${folder.in('none')}`, host: 'db1' }
  const least = { service: { name: 'notes', admin: 'unix:/run/notes.sock' }, tenants: { roots: ['/srv'] }, fleet }
  writeFileSync(config, JSON.stringify(least), { mode: 0o600 })
  const ran = await holdfast(['fleet', 'pause', '--reason', 'x', '--config', config])
  expect([ran.code, ran.stderr]).toEqual([3, expect.stringContaining('the database of the fleet')])
})
