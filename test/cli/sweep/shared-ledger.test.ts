/**
 * Several services with one ledger, and one service that is reached in another way than before: no service ends the
 * hold of another, or takes its verdict.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { damageIndex, makeFolder, type Folder } from '../../support/cli/folder.ts'
import { openHookedService, type HookedService } from '../../support/cli/hooked-service.ts'
import { longPattern } from '../../support/cli/long-pattern.ts'
import {
  resultOf,
  holdfast,
  killWithGuardian,
  reportIn,
  start,
  type RunningProgram,
  type ProgramResult,
} from '../../support/cli/program.ts'
import { openService, type TestService } from '../../support/cli/service.ts'

interface SharedLedger {
  readonly config: string
  readonly run: (...args: readonly string[]) => Promise<ProgramResult>
}

/** The same service under a name, with its ledger in `ledger`. */
function shareLedger(service: HookedService | TestService, name: string, ledger: string): SharedLedger {
  const settings = JSON.parse(readFileSync(service.config, 'utf8')) as { readonly service: object }
  const config = service.folder.in(`${name}.yaml`)
  writeFileSync(
    config,
    JSON.stringify({ ...settings, service: { ...settings.service, name }, ledger: { dir: ledger } }),
    { mode: 0o600 },
  )
  return { config, run: (...args) => holdfast([...args, '--config', config]) }
}

function makeLedger(): Folder & { readonly dir: string } {
  const folder = makeFolder()
  mkdirSync(folder.in('ledger'), { mode: 0o700 })
  return { ...folder, dir: folder.in('ledger') }
}

/** A service by hooks whose tenant stands still because the sweep was killed. */
async function leftPaused(name: string, ledger: string): Promise<HookedService & SharedLedger> {
  let sweeping: RunningProgram | null = null
  const service = await openHookedService({
    tenants: { acme: { wal: true } },
    onPause: () => killWithGuardian(sweeping),
  })
  const shared = shareLedger(service, name, ledger)
  sweeping = start(['sweep', '--config', shared.config])
  await resultOf(sweeping)
  sweeping = null
  expect(service.paused()).toEqual(['acme'])
  return { ...service, ...shared, [Symbol.asyncDispose]: () => service[Symbol.asyncDispose]() }
}

test('what a killed run of one service left open is named by others, and ended by that service alone', async () => {
  using ledger = makeLedger()
  await using one = await leftPaused('one', ledger.dir)
  await using hooked = await openHookedService({ tenants: { acme: { wal: false } } })
  await using gated = await openService({ tenants: (data) => ({ acme: join(data, 'acme.db') }) })
  const named = { tenant: 'acme', service: 'one', via: 'hooks', next: `holdfast resume --all --config ${one.config}` }
  const said = new RegExp(
    `a hold on acme is still open; it belongs to another service \\(service ` +
      `one, by hooks, since .*\\)[^]*next: ${named.next}`,
  )
  for (const other of [shareLedger(hooked, 'two', ledger.dir), shareLedger(gated, 'three', ledger.dir)]) {
    const swept = await other.run('sweep', '--json')
    expect([reportIn(swept).summary.exitCode, reportIn(swept).run.otherHolds, swept.stderr]).toEqual([
      0,
      [expect.objectContaining(named)],
      expect.stringMatching(said),
    ])
    const [all, byName, ...status] = await Promise.all(
      [
        ['resume', '--all'],
        ['status', '--json'],
        ['status'],
        ['status', '--format', 'nagios'],
        ['status', '--format', 'prometheus'],
      ].map((args) => other.run(...args)),
    )
    expect(all).toMatchObject({
      code: 0,
      stdout: 'no tenant is known to be paused (no hold is open)\n',
      stderr: expect.stringMatching(said) as string,
    })
    expect(JSON.parse(byName?.stdout ?? '')).toMatchObject({ openHolds: [], otherHolds: [named] })
    expect(status.map(({ stdout }) => stdout)).toEqual(
      [/^OK:[^]*another service/, /^HOLDFAST OK[^]*holds_overdue=0/, /holdfast_holds_overdue\{[^}]*\} 0/].map(
        (text) => expect.stringMatching(text) as string,
      ),
    )
    expect((await other.run('resume', 'acme')).code).toBe(0)
  }
  expect([one.paused(), one.actions]).toEqual([['acme'], ['pause acme']])
  expect((await one.run('status', '--format', 'nagios')).stdout).toMatch(
    /^HOLDFAST CRITICAL - PAUSED\? 1 hold never seen to end: acme/,
  )
  expect((await one.run('resume', '--all')).code).toBe(0)
  expect([one.paused(), one.actions]).toEqual([[], ['pause acme', 'resume acme']])
  expect(await one.stopAndCount()).toEqual({ acme: 0 })
})

test('damage of one stays damage whatever another sweeps, nothing is called gone, and history is of one', async () => {
  using ledger = makeLedger()
  await using hooked = await openHookedService({ tenants: { acme: { wal: false }, bolt: { wal: false } } })
  await using gated = await openService({ tenants: (data) => ({ acme: join(data, 'acme.db') }) })
  const [one, two] = [shareLedger(hooked, 'one', ledger.dir), shareLedger(gated, 'two', ledger.dir)]
  damageIndex(join(gated.data, 'acme.db'))
  expect((await two.run('sweep', '--quiet')).code).toBe(2)
  for (let time = 0; time < 2; time++) {
    expect((await one.run('sweep', '--json')).code).toBe(0)
    expect((await one.run('status', '--format', 'nagios')).stdout).toMatch(/^HOLDFAST OK - 2 tenants sound/)
    expect((await two.run('status', '--format', 'nagios')).stdout).toMatch(
      /^HOLDFAST CRITICAL - DAMAGED 1: acme \| tenants=1 /,
    )
  }
  const history = JSON.parse((await two.run('history', '--json')).stdout) as { readonly entries: readonly unknown[] }
  expect(history.entries).toHaveLength(1)
  expect((await two.run('history', 'bolt')).code).toBe(64)
})

test(
  'switched from hooks to the admin API: the hold is named, status is critical, and it ' +
    'is ended by the old way, or by name once the tenant is seen serving',
  async () => {
    for (const how of ['the old configuration', 'the tenant by name'] as const) {
      using ledger = makeLedger()
      await using old = await leftPaused('notes', ledger.dir)
      await using gated = await openService({ tenants: (data) => ({ acme: join(data, 'acme.db') }) })
      const now = shareLedger(gated, 'notes', ledger.dir)
      const swept = await now.run('sweep', '--quiet')
      expect([swept.code, swept.stderr]).toEqual([
        0,
        expect.stringMatching(
          new RegExp(
            'a hold on acme is still open; it was made with another ' +
              `service.admin[^]*next: holdfast resume --config ${old.config} acme`,
          ),
        ),
      ])
      expect((await now.run('status', '--format', 'nagios')).stdout).toMatch(
        /^HOLDFAST CRITICAL - PAUSED\? 1 hold never seen to end: acme/,
      )
      const all = await now.run('resume', '--all')
      const once = longPattern(
        /^holdfast: PAUSED: a tenant may be paused\. RESUME_FAILED: a /,
        /hold on acme.*or other hooks.*\n {2}next: .*resume --config .*\n$/,
      )
      expect([all.code, all.stderr]).toEqual([4, expect.stringMatching(once)])
      expect([old.paused(), old.actions]).toEqual([['acme'], ['pause acme']])
      const ended = how === 'the old configuration' ? await old.run('resume', '--all') : await now.run('resume', 'acme')
      expect(ended.code, ended.stderr).toBe(0)
      expect(old.paused()).toEqual(how === 'the old configuration' ? [] : ['acme'])
      expect((await now.run('resume', '--all')).code).toBe(0)
      expect((await now.run('status', '--format', 'nagios')).stdout).toMatch(/^HOLDFAST OK/)
    }
  },
)

test(
  'hooks that were corrected in the same file: `resume --all` and the ' +
    'doctor name the command that ends the hold, and it does',
  async () => {
    using ledger = makeLedger()
    await using service = await leftPaused('notes', ledger.dir)
    const settings = readFileSync(service.config, 'utf8')
    writeFileSync(service.config, settings.replaceAll('"pause","--"', '"pause","--now","--"'))
    const all = await service.run('resume', '--all')
    const command = `holdfast resume --config ${service.config} acme`
    expect([all.code, all.stderr]).toEqual([
      4,
      expect.stringContaining(`next: if the current settings are right: \`${command}\`\n`),
    ])
    const doctor = await service.run('doctor')
    expect([doctor.code, doctor.stdout]).toEqual([
      4,
      expect.stringMatching(/PAUSED +ledger: a hold on acme is still open; it was made with/),
    ])
    expect(doctor.stdout).toContain(`\`${command}\``)
    expect(doctor.stdout).not.toMatch(/Nothing (?:wrong|is unfit)/)
    expect((await service.run('resume', 'acme')).code).toBe(0)
    expect(service.paused()).toEqual([])
  },
)

test('two services that were given one name at two sockets: the one does not end the hold of the other', async () => {
  using ledger = makeLedger()
  let sweeping: RunningProgram | null = null
  const tenants = (data: string): Readonly<Record<string, string>> => ({ acme: join(data, 'acme.db') })
  await using one = await openService({
    tenants,
    settings: { hold: { ttl: '60s' } },
    onClose: () => killWithGuardian(sweeping),
  })
  await using two = await openService({ tenants })
  const [ofOne, ofTwo] = [shareLedger(one, 'notes', ledger.dir), shareLedger(two, 'notes', ledger.dir)]
  sweeping = start(['sweep', '--config', ofOne.config])
  await resultOf(sweeping)
  sweeping = null
  const swept = await ofTwo.run('sweep', '--quiet')
  expect([swept.code, swept.stderr]).toEqual([
    0,
    expect.stringMatching(/made with another service\.admin or other hooks/),
  ])
  expect(one.actions).toEqual(['close acme'])
  expect((await ofOne.run('resume', '--all')).code).toBe(0)
  expect(one.actions).toEqual(['close acme', 'open acme'])
})

test('a service whose socket moved stays known, and a configuration that moved ends its holds', async () => {
  using ledger = makeLedger()
  await using gated = await openService({ tenants: (data) => ({ acme: join(data, 'acme.db') }) })
  damageIndex(join(gated.data, 'acme.db'))
  const before = shareLedger(gated, 'notes', ledger.dir)
  expect((await before.run('sweep', '--quiet')).code).toBe(2)
  const moved = gated.folder.in('moved.sock')
  renameSync(gated.socket, moved)
  const settings = JSON.parse(readFileSync(before.config, 'utf8')) as { readonly service: object }
  writeFileSync(before.config, JSON.stringify({ ...settings, service: { name: 'notes', admin: `unix:${moved}` } }))
  expect((await before.run('status', '--format', 'nagios')).stdout).toMatch(/^HOLDFAST CRITICAL - DAMAGED 1: acme/)
  expect((await before.run('history', 'acme')).stdout).toMatch(/DAMAGED/i)
  expect((await before.run('sweep', '--quiet')).code).toBe(2)

  await using hooked = await leftPaused('other', ledger.dir)
  const elsewhere = hooked.folder.in('elsewhere.yaml')
  renameSync(hooked.config, elsewhere)
  expect((await holdfast(['resume', '--all', '--config', elsewhere])).code).toBe(0)
  expect(hooked.paused()).toEqual([])
})
