/** What `fleet status`, `history`, `agents` and `reconcile` print for people, programs and monitors. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { FleetAddress } from '../../../src/config/fleet/fleet-settings.ts'
import { makeFolder, type Folder } from '../../support/cli/folder.ts'
import { holdfast } from '../../support/cli/program.ts'
import { eachDatabase } from '../../support/fleet/each-database.ts'
import { insertPlaces } from '../../support/fleet/fleet-tables.ts'
import { makeFleet, runOfFleet } from '../../support/fleet/known-fleet.ts'

function configured(folder: Folder, address: FleetAddress | null, more: object = {}): string {
  const config = folder.in('holdfast.yaml')
  const database =
    address?.kind === 'postgres'
      ? `postgres://${address.user ?? ''}@localhost/${address.database}?host=${address.host}`
      : `pglite:${address?.dir ?? ''}`
  const settings = {
    service: { name: 'notes', admin: 'unix:/run/notes/admin.sock' },
    tenants: { roots: ['/srv/notes'] },
    ...(address === null ? {} : { fleet: { database, host: 'h1', ...more } }),
  }
  writeFileSync(config, JSON.stringify(settings), { mode: 0o600 })
  return config
}

eachDatabase((fleet) => {
  test('status: all forms of a fleet that is well, and of one that is not', async () => {
    using folder = makeFolder()
    const config = configured(folder, fleet.address)
    const status = (...args: readonly string[]) => holdfast(['fleet', 'status', ...args, '--config', config])
    await makeFleet(fleet.database)
    expect(await status()).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringMatching(/^OK: 2 hosts, 4 files/),
    })
    expect(await status('--quiet')).toMatchObject({ code: 0, stdout: '' })
    expect(await status('--format', 'nagios')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^HOLDFAST OK - 2 hosts, 4 files sound, oldest check 1 h ago \| hosts=2 /),
    })
    expect(await status('--format', 'nagios', '--max-age', '30m')).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^HOLDFAST WARNING - STALE 4 files not found sound within 30 min: /),
    })
    await fleet.database.query(`update holdfast.place set verdict = 'damaged', damage = 'index' where tenant = 'coda'`)
    const [nagios, monit, json, quiet, prometheus] = [
      await status('--format', 'nagios'),
      await status('--format', 'monit'),
      await status('--format', 'nagios', '--json'),
      await status('--quiet'),
      await status('--format', 'prometheus', '--html', folder.in('fleet.html')),
    ]
    expect([nagios.code, monit.code, json.code, quiet.code, prometheus.code]).toEqual([2, 2, 0, 0, 0])
    expect(nagios.stdout).toMatch(/^HOLDFAST CRITICAL - DAMAGED 1: coda on h2 \|/)
    expect(JSON.parse(json.stdout)).toMatchObject({ state: 'CRITICAL', code: 2, counts: { damaged: 1, sound: 3 } })
    expect(quiet.stdout).toContain(`  on h2\n    holdfast repair --tenant coda\n`)
    expect(prometheus.stdout).toContain('holdfast_fleet_tenant_damaged{host="h2",service="notes",tenant="coda"} 1\n')
    expect(readFileSync(folder.in('fleet.html'), 'utf8')).toContain('<h1>1 of 4 files damaged</h1>')
  })

  test('history and agents', async () => {
    using folder = makeFolder()
    const config = configured(folder, fleet.address)
    const ask = (...args: readonly string[]) => holdfast(['fleet', ...args, '--config', config])
    expect(await ask('history')).toMatchObject({ code: 0, stdout: 'The fleet has run nothing yet.\n' })
    expect(await ask('agents')).toMatchObject({
      code: 0,
      stdout: 'No agent has registered yet: start `holdfast agent` on each host.\n',
    })
    await makeFleet(fleet.database)
    expect((await ask('history')).stdout).toContain(`${runOfFleet}  sweep`)
    expect((await ask('history', 'acme')).stdout).toMatch(/\nh1 +\d{4}-.* sound +- +\w+ +\/srv\/acme\.db\n$/)
    expect(JSON.parse((await ask('history', 'acme', '--json')).stdout)).toMatchObject({
      tenant: 'acme',
      results: [{ host: 'h1', run: runOfFleet, verdict: 'sound' }],
      more: false,
    })
    const unknown = await ask('history', 'zeta')
    expect([unknown.code, unknown.stdout]).toEqual([64, ''])
    expect(unknown.stderr).toContain('TENANT_UNKNOWN: the fleet knows nothing of "zeta"')
    expect((await ask('agents')).stdout).toMatch(/\nh1 .*\nh2 .*\n2 agents, all report\n$/)
    expect(JSON.parse((await ask('agents', '--json')).stdout)).toMatchObject({
      hosts: [{ name: 'h1' }, { name: 'h2' }],
      removed: null,
    })
    const unlisted = await ask('agents', '--remove', 'h3')
    expect([unlisted.code, unlisted.stderr]).toMatchObject([64, expect.stringContaining('no host h3: there is h1, h2')])
    const seen = await ask('agents', '--remove', 'h2')
    expect([seen.code, seen.stdout]).toEqual([75, ''])
    expect(seen.stderr).toMatch(/FLEET_HOST_ACTIVE: the agent of h2 still reports: it was last seen at \d{4}-/)
    await fleet.database.query(`update holdfast.host set seen_at = now() - interval '1 hour' where name = 'h2'`)
    const removed = await ask('agents', '--remove', 'h2')
    expect([removed.code, removed.stderr]).toEqual([0, ''])
    expect(removed.stdout).toMatch(/^h2 was removed from the fleet, with 2 tenants \(2 files\)\. Their results stay/)
    expect(removed.stdout).toMatch(/\n\nHOST .*\nh1 .*\n1 agent, all report\n$/)
    expect((await ask('history')).stdout).toContain('the host h2 was removed by ')
    await fleet.database.query(`update holdfast.host set seen_at = now() - interval '1 hour' where name = 'h1'`)
    const last = JSON.parse((await ask('agents', '--remove', 'h1', '--json')).stdout) as unknown
    expect(last).toMatchObject({ hosts: [], removed: { host: 'h1', tenants: 2, onNoHost: 2, runs: [] } })
  })

  test('reconcile: all agree, a disagreement, and one chunk for each host that asks for its ledger', async () => {
    using folder = makeFolder()
    const config = configured(folder, fleet.address, { replicas: [{ tenants: ['a*'], hosts: 2 }] })
    const reconcile = (...args: readonly string[]) => holdfast(['fleet', 'reconcile', ...args, '--config', config])
    await makeFleet(fleet.database)
    expect(await reconcile()).toMatchObject({
      code: 3,
      stdout: expect.stringContaining('\n  acme of notes is only on h1; fleet.replicas says 2 hosts\n'),
    })
    await insertPlaces(fleet.database, [{ host: 'h2', tenant: 'acme', verdict: 'sound', checked: 0 }])
    expect(await reconcile()).toMatchObject({
      code: 0,
      stdout:
        'Meant by fleet.replicas: 1 tenant on 2 hosts each (a*).\n' +
        '2 hosts, 4 tenants, 5 files: all agree. Exit code 0.\n',
    })
    expect(await reconcile('--quiet')).toMatchObject({ code: 0, stdout: '' })
    await fleet.database.query(`delete from holdfast.result where host = 'h1'`)
    const found = await reconcile('--quiet')
    expect([found.code, found.stderr]).toEqual([3, ''])
    expect(found.stdout).toContain('Counts that differ from the results: 1 (counts-differ)\n')
    expect(found.stdout).toContain(`    holdfast fleet reconcile --config ${config} --resend\n`)

    const resent = await reconcile('--resend', '--json')
    expect(JSON.parse(resent.stdout)).toMatchObject({ resent: 5, summary: { byRule: { 'counts-differ': 1 } } })
    const { rows } = await fleet.database.query(
      'select host, chunk, kind, tenants from holdfast.chunk order by host, chunk',
    )
    expect(rows).toEqual([
      { host: 'h1', chunk: 0, kind: 'resend', tenants: ['acme', 'bolt'] },
      { host: 'h2', chunk: 0, kind: 'resend', tenants: ['acme', 'coda', 'dora'] },
    ])
    const again = await reconcile('--resend')
    expect([again.code, again.stdout]).toEqual([75, ''])
    expect(again.stderr).toContain('FLEET_RUN_ACTIVE: the agents are still sending for ')
  })
})

test('without a database: 3 and UNKNOWN, also in the file of a monitor; without a fleet: 78', async () => {
  using folder = makeFolder()
  const config = configured(folder, { kind: 'pglite', dir: folder.in('fleet') })
  const file = folder.in('status')
  for (const command of ['status', 'history', 'agents', 'reconcile']) {
    const away = await holdfast(['fleet', command, '--config', config])
    expect([command, away.code, away.stdout]).toEqual([command, 3, ''])
    expect(away.stderr).toContain('FLEET_UNREACHABLE')
  }
  const monitored = await holdfast(['fleet', 'status', '--format', 'nagios', '--output', file, '--config', config])
  expect(monitored.code).toBe(3)
  for (const said of [monitored.stdout, readFileSync(file, 'utf8')])
    expect(said).toMatch(/^HOLDFAST UNKNOWN - FLEET_UNREACHABLE: /)
  expect(existsSync(folder.in('fleet'))).toBe(false)
  const without = await holdfast(['fleet', 'status', '--format', 'monit', '--config', configured(folder, null)])
  expect([without.code, without.stdout]).toEqual([3, expect.stringMatching(/^HOLDFAST UNKNOWN - CONFIG_INVALID: /)])
  expect((await holdfast(['fleet', 'agents', '--config', config])).code).toBe(78)
})
