/**
 * What the commands report of ledger and service, for people and for programs: status, history, resume, holders,
 * doctor, explain.
 */
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { failureKinds } from '../../src/model/failure.ts'
import { rules } from '../../src/model/result/finding.ts'
import { damageIndex, makeDatabase } from '../support/cli/folder.ts'
import { holdfast, reportIn } from '../support/cli/program.ts'
import { openService, type TestService } from '../support/cli/service.ts'

const pausesOf = (checks: readonly { readonly tenant: string; readonly pauseMs: number }[]): unknown =>
  Object.fromEntries(checks.map(({ tenant, pauseMs }) => [tenant, pauseMs]))

test('a service that has never listed a tenant is not OK, also if its sweeps run', async () => {
  await using service = await openService({ tenants: () => ({}) })
  const run = (...args: string[]) => holdfast([...args, '--config', service.config])
  expect((await run('sweep')).code).toBe(0)
  const [line, text] = [await run('status', '--format', 'monit'), await run('status')]
  expect([line.code, line.stdout]).toEqual([
    3,
    expect.stringMatching(/ - STALE no full sweep yet: .* lists no file \|/),
  ])
  expect(text.stdout).toContain(`next\n    holdfast doctor --config ${service.config}\n`)
  expect(text.stdout).not.toContain('holdfast sweep')
})

describe('after a sweep of a service with one damaged tenant', () => {
  let service: TestService
  const run = (...args: string[]): ReturnType<typeof holdfast> =>
    holdfast([...args, '--config', service.config], { env: { COLUMNS: '80' } })
  beforeAll(async () => {
    service = await openService({
      tenants: (data) => {
        const bolt = makeDatabase(join(data, 'bolt.db'))
        damageIndex(bolt)
        return { acme: join(data, 'acme.db'), bolt, 'odd id/\u001b[31m': join(data, 'odd.db') }
      },
    })
    const before = await run('status', '--format', 'nagios')
    expect([before.code, before.stdout]).toEqual([3, expect.stringMatching(/^HOLDFAST UNKNOWN/)])
    const swept = await run('sweep', '--json')
    expect(reportIn(swept).summary).toMatchObject({ selected: 3, sound: 2, damaged: 1, exitCode: 2 })
  })
  afterAll(() => service[Symbol.asyncDispose]())

  test('status is text that fits, JSON, a line for nagios and monit, and metrics for prometheus', async () => {
    const [text, json, alias, nagios, monit, prometheus] = await Promise.all([
      run('status'),
      run('status', '--format', 'json'),
      run('status', '--json'),
      run('status', '--format', 'nagios'),
      run('status', '--format', 'monit', '--max-age', '26h'),
      run('status', '--format', 'prometheus'),
    ])
    expect([text.code, json.code, alias.code, nagios.code, monit.code, prometheus.code]).toEqual([0, 0, 0, 2, 2, 0])
    expect(text.stdout).toMatch(/CRITICAL[^]*DAMAGED 1: bolt[^]*next\n {4}holdfast /)
    expect(text.stdout.split('\n').filter((line) => line.length > 80)).toEqual([])
    const status = JSON.parse(json.stdout) as {
      schema: string
      state: string
      tenants: { tenant: string; verdict: string }[]
      openHolds: unknown[]
    }
    expect([status.schema, status.state, status.openHolds]).toEqual(['holdfast.status/1', 'CRITICAL', []])
    expect(Object.fromEntries(status.tenants.map(({ tenant, verdict }) => [tenant, verdict]))).toEqual({
      acme: 'sound',
      bolt: 'damaged',
      'odd id/\u001b[31m': 'sound',
    })
    expect(JSON.parse(alias.stdout)).toMatchObject({ schema: 'holdfast.status/1' })
    expect(nagios.stdout).toMatch(/^HOLDFAST CRITICAL - DAMAGED 1: bolt.*\|.*\n/)
    expect(Buffer.byteLength(monit.stdout)).toBeLessThanOrEqual(512)
    expect(prometheus.stdout).toMatch(/^holdfast_tenants\{.*verdict="damaged".*\} 1$/m)
    expect(prometheus.stdout).toMatch(/^holdfast_tenant_damaged\{.*tenant="bolt".*\} 1$/m)
    expect([text, json, nagios, monit, prometheus].map(({ stderr }) => stderr).join('')).toBe('')
  })

  test('history is newest first, of all or of one, as text and JSON, printable', async () => {
    const [all, one, json] = await Promise.all([run('history'), run('history', 'bolt'), run('history', '--json')])
    expect([all.code, one.code, json.code]).toEqual([0, 0, 0])
    expect(all.stdout).toContain('odd id/\\e[31m')
    expect(all.stdout).not.toContain('\u001b')
    expect(one.stdout).toMatch(/bolt[^]*damaged/i)
    expect(one.stdout).not.toContain('acme')
    const { entries } = JSON.parse(json.stdout) as {
      entries: { tenant: string; verdict: string; pauseMs: number; level: string }[]
    }
    expect(entries).toHaveLength(3)
    for (const entry of entries) expect(entry).toMatchObject({ level: 'sealed', pauseMs: expect.any(Number) as number })
    const status = JSON.parse((await run('status', '--json')).stdout) as {
      tenants: { tenant: string; pauseMs: number }[]
    }
    expect(pausesOf(entries)).toEqual(pausesOf(status.tenants)) // One clock under one word.
  })

  test('a limit counts what is shown, and the command for the rest is named', async () => {
    const [two, three, one, json] = await Promise.all([
      run('history', '--limit', '2'),
      run('history', '--limit', '3'),
      run('history', '--limit', '1', 'bolt'),
      run('history', '--json', '--limit', '2'),
    ])
    expect(two.stdout).toMatch(
      /^.*\n.*full.*\n.*full.*\nolder checks are not shown:\s+holdfast history --config \S+ --limit 20\n$/,
    )
    expect(three.stdout).not.toContain('older')
    expect(one.stdout.trimEnd().split('\n')).toHaveLength(2)
    const document = JSON.parse(json.stdout) as { entries: unknown[]; more: boolean }
    expect([document.entries.length, document.more]).toEqual([2, true])
  })

  test('status and history touch no tenant, and work while the service is away', async () => {
    const actions = service.actions.length
    const { config } = service
    const away = service.folder.in('away.yaml')
    writeFileSync(
      away,
      JSON.stringify({
        service: { name: 'test', admin: `unix:${service.folder.in('nobody.sock')}` },
        tenants: { roots: [service.data] },
        snapshots: { dir: service.snapshots },
        ledger: { dir: service.ledger },
      }),
      { mode: 0o600 },
    )
    expect((await holdfast(['status', '--format', 'monit', '--config', away])).stdout).toMatch(/CRITICAL/)
    expect((await holdfast(['history', 'acme', '--config', away])).code).toBe(0)
    expect([service.actions.length, config]).toEqual([actions, service.config])
  })

  test('doctor finds all fit; with a tenant it tries the whole contract and leaves it serving', async () => {
    const looks = await run('doctor', '--json')
    const fitness = JSON.parse(looks.stdout) as {
      schema: string
      steps: { about: string; outcome: string; said: string }[]
    }
    expect([looks.code, fitness.schema], looks.stdout).toEqual([0, 'holdfast.fitness/1'])
    expect(fitness.steps.filter(({ outcome }) => outcome === 'unfit')).toEqual([])
    expect(
      fitness.steps.some(({ about, outcome }) => about === 'service: quiesce and resume' && outcome === 'skipped'),
    ).toBe(true)
    const actions = service.actions.length
    const whole = await run('doctor', '--tenant', 'acme')
    expect(whole.code, whole.stdout + whole.stderr).toBe(0)
    expect(whole.stdout).toMatch(/quiesce[^]*no nesting[^]*renew[^]*resume/)
    expect(whole.stdout.split('\n').filter((line) => line.length > 80)).toEqual([])
    expect(whole.stdout).toMatch(/are fit for holdfast/)
    const since = service.actions.slice(actions)
    // Never two in parallel, and each is ended.
    expect(since).toEqual(since.map((_, at) => (at % 2 === 0 ? 'close acme' : 'open acme')))
    expect(since.at(-1)).toBe('open acme')
    expect(service.gate.stateOf('acme')).toBe('active')
    expect(readdirSync(service.data).filter((name) => name.startsWith('.holdfast'))).toEqual([])
    expect(readdirSync(service.snapshots)).toEqual([])
  })

  test('a check by glob takes those tenants only; resume --json is a document too', async () => {
    const actions = service.actions.length
    const some = await run('sweep', '--only', 'a*', 'odd*', '--json')
    expect(
      reportIn(some)
        .results.map(({ tenant }) => tenant)
        .toSorted((a, b) => (String(a) < String(b) ? -1 : 1)),
    ).toEqual(['acme', 'odd id/\u001b[31m'])
    expect(service.actions.slice(actions).filter((action) => action === 'close bolt')).toEqual([])
    const resumed = await run('resume', '--all', '--json')
    expect([resumed.code, JSON.parse(resumed.stdout)]).toEqual([0, { schema: 'holdfast.resume/1', holds: [] }])
  })
})

test('status keeps a verdict until a later check has one; only a whole sweep is a full one', async () => {
  await using service = await openService()
  const run = (...args: string[]): ReturnType<typeof holdfast> =>
    holdfast([...args, '--config', service.config], { env: { COLUMNS: '80' } })
  const nagios = async (): Promise<string> => (await run('status', '--format', 'nagios')).stdout
  expect((await run('sweep', '--only', 'acme')).code).toBe(0)
  expect(await nagios()).toMatch(/^HOLDFAST WARNING - STALE no full sweep yet \|/)
  expect((await run('sweep', '--depth', 'quick')).code).toBe(0)
  expect(await nagios()).toMatch(
    /^HOLDFAST WARNING - STALE no full sweep yet; STALE 1 tenant not fully checked within 1 d 2 h: bolt \|/,
  )
  expect((await run('sweep')).code).toBe(0)
  expect(await nagios()).toMatch(/^HOLDFAST OK - 2 tenants sound, oldest check .* last_sweep=/)
  damageIndex(join(service.data, 'bolt.db'))
  expect((await run('check', '--tenant', 'bolt')).code).toBe(2)
  const held = new Database(join(service.data, 'bolt.db'))
  held.pragma('user_version') // Opens the file.
  expect((await run('check', '--tenant', 'bolt')).code).toBe(3)
  held.close()
  expect(await nagios()).toMatch(/^HOLDFAST CRITICAL - DAMAGED 1: bolt \| tenants=2 sound=1 damaged=1;/)
  const { stdout } = await run('status')
  expect(stdout).toMatch(
    /^bolt +DAMAGED +index [^\n]*\n {2}still damaged: the newest check, [^\n]* ago, was\s+inconclusive\s+\([A-Z_]+\)$/m,
  )
  expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([])
})

test('the help of status says its default as one would type it', async () => {
  expect((await holdfast(['status', '--help'])).stdout).toMatch(/--max-age <duration>[^]*\(default: 26h\)/)
})

test('a doctor of a service that is away, and of folders that are open, says unfit and what to do: 1', async () => {
  await using service = await openService({ settings: { snapshots: { dir: '/tmp' } } })
  service.vanish()
  const { code, stdout } = await holdfast(['doctor', '--json', '--config', service.config])
  const { steps } = JSON.parse(stdout) as { steps: { about: string; outcome: string; next: string | null }[] }
  expect(code).toBe(1)
  const outcome = (about: string): unknown => steps.find((step) => step.about === about)
  expect(outcome('snapshot folder')).toMatchObject({ outcome: 'unfit', next: expect.stringMatching(/0700/) as string })
  expect(steps.some(({ about, outcome }) => about.startsWith('service') && outcome === 'unfit')).toBe(true)
})

test('explain knows every rule, every failure code, the verdicts, the levels and the exit codes', async () => {
  const one = await holdfast(['explain', '--json', 'IN_USE'])
  expect(JSON.parse(one.stdout)).toMatchObject({ schema: 'holdfast.explanation/1' })
  const { explain } = await import('../../src/diagnosis/explain/explain.ts')
  for (const topic of [
    ...rules,
    ...Object.keys(failureKinds),
    'sound',
    'damaged',
    'inconclusive',
    'failed',
    'sealed',
    'exclusive',
    'writer-locked',
    'none',
    '0',
    '1',
    '2',
    '3',
    '4',
    '5',
    '64',
    '70',
    '75',
    '78',
    '130',
    '143',
  ]) {
    expect([topic, explain(topic).length > 0]).toEqual([topic, true])
  }
  const [text, key, list, words, unknown] = await Promise.all(
    [['in_use'], ['service.hooks.timeout'], [], ['exit', '4'], ['hold.maxpuase']].map((args) =>
      holdfast(['explain', ...args], { env: { COLUMNS: '80' } }),
    ),
  )
  expect([text, key, list, words, unknown].map((ran) => ran?.code)).toEqual([0, 0, 0, 0, 64])
  expect(text?.stdout.split('\n').every((line) => line.length <= 80)).toBe(true)
  expect(key?.stdout).toMatch(/value {4}a duration[^]*default {2}30s/)
  expect(list?.stdout).toMatch(
    /Rules of findings\n[^]*Failure codes\n[^]*Words\n[^]*Keys of the configuration\n[^]*Exit codes\n/,
  )
  expect(words?.stdout).toMatch(/^4 \(exit code\)/)
  expect(unknown?.stderr).toMatch(/did you mean hold\.maxPause/)
})

test('no hint and no explanation names a command or an option that is not there', async () => {
  const [{ topics }, { explainKeys }] = await Promise.all([
    import('../../src/diagnosis/explain/explain.ts'),
    import('../../src/config/reference/explain-keys.ts'),
  ]) // The hints are among them.
  const texts = JSON.stringify([...topics, ...explainKeys()])
  const named = new Set([...texts.matchAll(/`holdfast ([^`]+)`/g)].map(([, words = '']) => words))
  expect(named.size).toBeGreaterThan(5)
  const commands = new Set([...named].map((words) => words.split(' ')[0] ?? '').filter((word) => !word.startsWith('-')))
  const helps = new Map(
    await Promise.all([...commands].map(async (command) => [command, await holdfast([command, '--help'])] as const)),
  )
  for (const [command, { code }] of helps) expect([command, code]).toEqual([command, 0])
  for (const words of named) {
    const [command = '', ...rest] = words.split(' ')
    for (const option of rest.filter((word) => word.startsWith('--')))
      expect([words, helps.get(command)?.stdout.includes(`${option} `)]).toEqual([words, true])
  }
})
