/** Alarms of real runs (I4.2, I4.3): who is told what and when. No sink changes what a run finds or how it ends. */
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { Report } from '../../../src/model/result/report.ts'
import { makeSinkCommand, type SinkCommand } from '../../support/alarm/sink-command.ts'
import { openRawServer, openWebServer } from '../../support/alarm/web-server.ts'
import { damageIndex, makeDatabase, makeFolder } from '../../support/cli/folder.ts'
import { openHookedService } from '../../support/cli/hooked-service.ts'
import { resultOf, holdfast, start, type ProgramResult } from '../../support/cli/program.ts'
import { openService, type TestService } from '../../support/cli/service.ts'

/** Two tenants, of which bolt has a damaged index. */
async function openDamaged(
  alerts: readonly object[],
  more: Parameters<typeof openService>[0] = {},
): Promise<TestService> {
  return openService({
    ...more,
    tenants: (data) => {
      damageIndex(makeDatabase(join(data, 'bolt.db'), { wal: true }))
      return { acme: join(data, 'acme.db'), bolt: join(data, 'bolt.db') }
    },
    settings: { alerts, ...more.settings },
  })
}

const run = (service: TestService, ...args: readonly string[]): Promise<ProgramResult> =>
  holdfast([...args, '--config', service.config])
const reportOf = ({ stdout }: ProgramResult): Report => JSON.parse(stdout) as Report

test('a sweep tells a command and a webhook of a damaged tenant, with the command that mends it', async () => {
  using folder = makeFolder()
  const sink = makeSinkCommand(folder.path)
  await using server = await openWebServer()
  await using service = await openDamaged([{ command: sink.command }, { webhook: `${server.url}/T/SECRET` }])
  const ran = await run(service, 'sweep', '--json')
  expect([ran.code, ran.stderr]).toEqual([2, ''])
  expect(reportOf(ran).run.notices).toBeUndefined()
  const [alarm, ...others] = sink.alarms()
  expect(others).toEqual([])
  expect(alarm).toMatchObject({
    severity: 'DAMAGED',
    title: 'DAMAGED: bolt of test',
    service: 'test',
    incident: null,
    run: reportOf(ran).run.id,
    tenants: [{ tenant: 'bolt', path: join(service.data, 'bolt.db'), damage: 'index', remedy: { do: 'rebuild' } }],
    tenantsTotal: 1,
    command: `holdfast repair --config ${service.config} --tenant bolt --apply`,
  })
  expect(server.requests.map(({ body }) => JSON.parse(body) as unknown)).toEqual([alarm])

  await run(service, 'sweep')
  expect(sink.titles()).toHaveLength(1)
  const repaired = await run(service, 'repair', '--tenant', 'bolt', '--apply')
  expect(repaired.code, repaired.stdout).toBe(0)
  expect(sink.titles()).toEqual(['DAMAGED: bolt of test', 'RECOVERED: bolt of test: sound again'])
  await run(service, 'check', '--tenant', 'bolt')
  await run(service, 'sweep')
  expect(sink.titles()).toHaveLength(2)
})

test('each sink gets the alarms that `on` names', async () => {
  using folder = makeFolder()
  const sink = makeSinkCommand(folder.path)
  await using service = await openDamaged([{ command: sink.command, on: ['paused', 'stale'] }])
  expect((await run(service, 'sweep')).code).toBe(2)
  expect(sink.alarms()).toEqual([])
})

test.each([
  ['is missing', (sink: SinkCommand) => sink.become('exec /nonexistent/page'), 'it ended with exit code'],
  [
    'fails, and prints garbage',
    (sink: SinkCommand) => sink.become('head -c 9000 /dev/urandom >&2; exit 9'),
    'exit code 9',
  ],
])('a sink that %s changes no verdict and no exit code; the next run sends its alarm again', async (_, spoil, why) => {
  using folder = makeFolder()
  const sink = makeSinkCommand(folder.path)
  await using server = await openWebServer()
  server.answer(500)
  await using service = await openDamaged([{ command: sink.command }, { webhook: `${server.url}/T/SECRET` }])
  spoil(sink)
  const ran = await run(service, 'sweep', '--json', '--log-level', 'info')
  expect(ran.code).toBe(2)
  expect(reportOf(ran).summary).toMatchObject({ sound: 1, damaged: 1, exitCode: 2 })
  const lines = ran.stderr.split('\n')
  const said = lines.filter((line) => line.startsWith('holdfast: alarms: '))
  expect(said.toSorted()).toEqual([
    expect.stringContaining(`alerts[0] (command ${sink.command[0]}) did not take 1 alarm: `),
    `holdfast: alarms: alerts[1] (webhook ${new URL(server.url).host}) did not take 1 alarm: ` +
      'it answered with status 500; the next run tries again',
  ])
  expect(said.join('\n')).toContain(why)
  const attempts = lines.filter((line) => line.includes('"step":"alarm"')).map((line) => JSON.parse(line) as object)
  expect(attempts).toHaveLength(6)
  expect(ran.stdout + ran.stderr).not.toContain('SECRET')
  expect(reportOf(ran).run.notices).toHaveLength(2)

  sink.become(null)
  server.answer(204)
  const [failed] = server.requests
  const again = await run(service, 'check', '--tenant', 'acme')
  expect([again.code, again.stderr]).toEqual([0, ''])
  expect(sink.titles()).toEqual(['DAMAGED: bolt of test'])
  expect(server.requests.at(-1)?.body).toBe(failed?.body)
  await run(service, 'check', '--tenant', 'acme')
  expect(sink.titles()).toHaveLength(1)
})

test('a sink that hangs delays no resume and no report for long', async () => {
  using folder = makeFolder()
  const sink = makeSinkCommand(folder.path)
  sink.become('sleep 1000 & wait')
  await using silent = await openRawServer(() => undefined)
  await using service = await openDamaged([{ command: sink.command }, { webhook: silent.url }])
  const startedAt = Date.now()
  const program = start(['sweep', '--json', '--config', service.config])
  let reportAt: number | null = null
  program.stdout.once('data', () => (reportAt = Date.now()))
  const closed = resultOf(program)
  await expect.poll(() => reportAt).not.toBeNull()
  // The sinks are tried for 30 s.
  expect(program.exitCode).toBeNull()
  expect(service.actions.filter((action) => action.startsWith('open')).toSorted()).toEqual(['open acme', 'open bolt'])
  const ran = await closed
  expect(ran.code).toBe(2)
  expect(Date.now() - (reportAt ?? 0)).toBeGreaterThan(5_000)
  expect(Date.now() - startedAt).toBeLessThan(120_000)
  expect(reportOf(ran).run.notices).toEqual([
    `alerts[0] (command ${sink.command[0]}) has not taken its alarms yet; holdfast tries on`,
    `alerts[1] (webhook ${new URL(silent.url).host}) has not taken its alarms yet; holdfast tries on`,
  ])
  expect(ran.stderr).toContain(`alerts[0] (command ${sink.command[0]}) did not take 1 alarm`)
})

test('a run that is killed while it sends leaves its alarm to the next run', async () => {
  using folder = makeFolder()
  const sink = makeSinkCommand(folder.path)
  sink.become(`touch "${folder.in('begun')}"; sleep 1000`)
  await using service = await openDamaged([{ command: sink.command }])
  const program = start(['sweep', '--config', service.config])
  const closed = resultOf(program)
  await expect.poll(() => statSync(folder.in('begun'), { throwIfNoEntry: false })).toBeDefined()
  program.kill('SIGKILL')
  await closed
  sink.become(null)
  expect((await run(service, 'check', '--tenant', 'acme')).code).toBe(0)
  expect(sink.titles()).toEqual(['DAMAGED: bolt of test'])
})

test('I4.2: the heartbeat is asked for after full coverage only, and not while an alarm has not arrived', async () => {
  using folder = makeFolder()
  const sink = makeSinkCommand(folder.path)
  await using server = await openWebServer()
  await using service = await openDamaged([{ command: sink.command }, { heartbeat: `${server.url}/ping/SECRET` }])
  for (const args of [
    ['sweep', '--only', 'a*'],
    ['sweep', '--depth', 'quick'],
    ['check', '--tenant', 'acme'],
  ])
    await run(service, ...args)
  expect(server.requests).toEqual([])
  sink.become('exit 1')
  writeFileSync(join(service.ledger, 'alarms-test'), '') // Forgets what was told.
  const untold = await run(service, 'sweep')
  expect(untold.stderr).toContain('was left out, because an alarm did not arrive')
  expect(server.requests).toEqual([])
  sink.become(null)
  expect((await run(service, 'sweep')).code).toBe(2)
  expect(server.requests).toMatchObject([{ method: 'GET', path: '/ping/SECRET' }])
})

test('I4.2: the heartbeat is not asked for while one tenant cannot be checked', async () => {
  await using server = await openWebServer()
  let refuses = true
  await using service = await openService({
    onClose: (id) => {
      if (refuses && id === 'bolt') throw new Error('bolt is busy')
    },
    settings: { alerts: [{ heartbeat: `${server.url}/ping` }] },
  })
  expect((await run(service, 'sweep')).code).toBe(1)
  expect(server.requests).toEqual([])
  refuses = false
  expect((await run(service, 'sweep')).code).toBe(0)
  expect(server.requests).toHaveLength(1)
})

test('without a state everything is sent, and what cannot be recorded is said', async () => {
  using folder = makeFolder()
  const sink = makeSinkCommand(folder.path)
  await using service = await openDamaged([{ command: sink.command }])
  await run(service, 'sweep')
  const state = join(service.ledger, 'alarms-test')
  expect(statSync(state).mode & 0o777).toBe(0o600)
  writeFileSync(state, readFileSync(state, 'utf8').replace('bolt', 'bold'))
  const ran = await run(service, 'check', '--tenant', 'bolt')
  expect(ran.code).toBe(2)
  expect(ran.stderr).toContain('the earlier alarms cannot be read, all are sent again: it was altered')
  expect(sink.titles()).toEqual(['DAMAGED: bolt of test', 'DAMAGED: bolt of test'])
})

test('I1.6: the first culprit of a triage is told while the triage goes on, with the incident', async () => {
  using folder = makeFolder()
  const sink = makeSinkCommand(folder.path)
  const ids = Array.from({ length: 10 }, (_, at) => `t${at}`)
  await using service = await openService({
    tenants: (data) => {
      damageIndex(makeDatabase(join(data, 't2.db'), { wal: true }))
      return Object.fromEntries(ids.map((id) => [id, join(data, `${id}.db`)]))
    },
    onClose: () => setTimeout(400),
    settings: { alerts: [{ command: sink.command }] },
  })
  const program = start(['triage', '--json', '--config', service.config])
  const closed = resultOf(program)
  await expect.poll(() => sink.titles()).toEqual(['DAMAGED: CULPRIT t2 of test'])
  expect(program.exitCode).toBeNull()
  const ran = await closed
  expect(ran.code).toBe(2)
  expect(sink.alarms()).toMatchObject([
    { incident: reportOf(ran).run.id, command: expect.stringContaining('repair') as string },
  ])
})

test('a run that fails as a whole is told, and a person who mistyped is not', async () => {
  using folder = makeFolder()
  const sink = makeSinkCommand(folder.path)
  await using service = await openService({ settings: { alerts: [{ command: sink.command }] } })
  expect((await run(service, 'check', '--tenant', 'nobody')).code).toBe(64)
  expect(sink.titles()).toEqual([])
  expect((await run(service, 'sweep')).code).toBe(0)
  service.vanish()
  const ran = await run(service, 'check', '--tenant', 'acme')
  expect(ran.code, ran.stderr).not.toBe(0)
  expect(sink.alarms().length).toBeGreaterThan(0)
  expect(sink.titles().join('\n')).toMatch(/^(?:INCONCLUSIVE|STALE): /)
})

test('a tenant that may be paused is told once, and its recovery by `resume`', async () => {
  using folder = makeFolder()
  const sink = makeSinkCommand(folder.path)
  let isBroken = true
  await using service = await openHookedService({
    tenants: { acme: { wal: true } },
    onResume: () => {
      if (isBroken) throw new Error('no')
    },
  })
  const settings = JSON.parse(readFileSync(service.config, 'utf8')) as object
  writeFileSync(
    service.config,
    JSON.stringify({ ...settings, hold: { ttl: '2s' }, alerts: [{ command: sink.command }] }),
  )
  const sweep = await holdfast(['sweep', '--config', service.config])
  expect([sweep.code, service.paused()]).toEqual([4, ['acme']])
  const [alarm] = sink.alarms()
  expect(alarm).toMatchObject({
    severity: 'PAUSED',
    title: 'PAUSED: acme of notes may be paused',
    command: `holdfast resume --config ${service.config} --all`,
  })
  const again = await holdfast(['resume', '--all', '--config', service.config])
  expect(again.code).toBe(4)
  expect(sink.titles().filter((title) => title.startsWith('PAUSED'))).toHaveLength(1)
  isBroken = false
  expect((await holdfast(['resume', '--all', '--config', service.config])).code).toBe(0)
  expect(sink.titles().at(-1)).toBe('RECOVERED: acme of notes: serving again')
  await holdfast(['resume', '--all', '--config', service.config])
  expect(sink.titles().filter((title) => title.startsWith('RECOVERED: acme'))).toHaveLength(1)
})
