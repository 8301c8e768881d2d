/**
 * The service's list of tenants against what the ledger remembers, by whole runs
 * (src/service/admin-api.yaml, src/runs/README.md).
 */
import { symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { makeDatabase } from '../../support/cli/folder.ts'
import { shortVerdict, holdfast, reportIn, reportOf } from '../../support/cli/program.ts'
import { openService } from '../../support/cli/service.ts'

const idsOf =
  (...ids: readonly string[]) =>
  (data: string): Readonly<Record<string, string>> =>
    Object.fromEntries(ids.map((id) => [id, `${data}/${id}.db`]))

test(
  'a list that is empty where tenants were known is no list: the ' +
    'run fails before it touches a tenant, and says so',
  async () => {
    let listed = true
    // With a grace, the copy of the list would take its place (cached-registry.test.ts).
    await using service = await openService({ isListed: () => listed, settings: { registry: { grace: '0s' } } })
    const sweep = ['sweep', '--json', '--config', service.config]
    expect((await holdfast(sweep)).code).toBe(0)
    const before = [...service.actions]
    listed = false
    const ran = await holdfast(sweep)
    const report = reportIn(ran)
    expect([ran.code, report.failure?.code, report.results]).toEqual([1, 'REGISTRY_STALE', []])
    expect(report.failure?.message).toMatch(/lists no tenants, and 2 files of tenants are known/)
    expect(service.actions).toEqual(before)
    listed = true
    expect((await holdfast(sweep)).code).toBe(0) // No tenant counts as gone.
  },
)

test('an empty list is nothing due if no tenant was ever known', async () => {
  await using service = await openService({ isListed: () => false })
  const report = await reportOf(['sweep', '--config', service.config])
  expect([report.results, report.summary.selected, report.summary.exitCode]).toEqual([[], 0, 0])
})

test('a tenant that is gone since the last run is named once, with 3, and the others are checked', async () => {
  const gone = new Set<string>()
  await using service = await openService({ tenants: idsOf('acme', 'bolt', 'crate'), isListed: (id) => !gone.has(id) })
  const sweep = async (...more: readonly string[]): Promise<unknown> => {
    const { results, summary } = await reportOf(['sweep', ...more, '--config', service.config])
    return [summary.exitCode, Object.fromEntries(results.map((result) => [result.tenant, shortVerdict(result)]))]
  }
  expect(await sweep()).toEqual([0, { acme: 'sound', bolt: 'sound', crate: 'sound' }])
  gone.add('bolt')
  // A part of the list does not say which tenants are missing.
  expect(await sweep('--only', 'acme')).toEqual([0, { acme: 'sound' }])
  expect(await sweep()).toEqual([3, { acme: 'sound', crate: 'sound', bolt: 'inconclusive TENANT_GONE' }])
  const monitored = await holdfast(['status', '--format', 'monit', '--config', service.config])
  expect([monitored.code, monitored.stdout]).toEqual([
    1,
    expect.stringMatching(
      /^HOLDFAST WARNING - STALE the service no longer lists 1 file that it listed before: bolt \|/,
    ),
  ])
  expect(await sweep()).toEqual([0, { acme: 'sound', crate: 'sound' }])
  expect((await holdfast(['status', '--config', service.config])).stdout).not.toContain('bolt')
  const named = await holdfast(['status', '--tenant', 'bolt', '--config', service.config]) // Its name was asked for.
  expect(named.stdout).toMatch(
    /^WARNING: test, 1 selected tenant[^]*INCONCLUSIVE 1: bolt[^]*next\n {4}holdfast explain TENANT_GONE/,
  )
  expect((await holdfast(['status', '--only', 'bo*', '--config', service.config])).code).toBe(64)
  gone.clear()
  expect(await sweep()).toEqual([0, { acme: 'sound', bolt: 'sound', crate: 'sound' }])
})

test('a file that is gone of a tenant that is still there is named once, with 3, and then known no more', async () => {
  const files: string[] = []
  await using service = await openService({
    tenants: (data) => {
      files.push(`${data}/acme.db`, `${data}/more.db`, makeDatabase(join(dirname(data), 'outside.db')))
      return { acme: files, ...idsOf('bolt')(data) }
    },
  })
  const [main = '', more = '', outside = ''] = files
  const sweep = async (...options: readonly string[]): Promise<unknown> => {
    const { results, summary } = await reportOf(['sweep', ...options, '--config', service.config])
    return [summary.exitCode, Object.fromEntries(results.map((result) => [result.path, shortVerdict(result)]))]
  }
  const bolt = { [`${service.data}/bolt.db`]: 'sound' }
  expect(await sweep()).toEqual([
    1,
    { [main]: 'sound', [more]: 'sound', [outside]: 'failed PATH_OUTSIDE_ROOTS', ...bolt },
  ])
  files.splice(1)
  expect(await sweep('--only', 'acme')).toEqual([0, { [main]: 'sound' }])
  const { results } = await reportOf(['sweep', '--config', service.config])
  expect(results.flatMap(({ failure }) => failure?.message ?? []).toSorted()).toEqual([
    `the service still lists acme, but no longer its file ${outside}`,
    `the service still lists acme, but no longer its file ${more}`,
  ])
  expect(results.filter(({ failure }) => failure).map(shortVerdict)).toEqual([
    'inconclusive FILE_GONE',
    'inconclusive FILE_GONE',
  ])
  expect(await sweep()).toEqual([0, { [main]: 'sound', ...bolt }])
  const status = JSON.parse((await holdfast(['status', '--json', '--config', service.config])).stdout) as {
    tenants: { path: string }[]
    state: string
  }
  expect([status.state, status.tenants.map(({ path }) => path).toSorted()]).toEqual([
    'OK',
    [main, `${service.data}/bolt.db`],
  ])
  expect((await holdfast(['status', '--tenant', 'acme', '--format', 'nagios', '--config', service.config])).code).toBe(
    0,
  )
})

test('the tenant that monitoring relies on serves again before any other is paused (I1.9)', async () => {
  // Large enough that whatever is prepared for it takes longer than for the others.
  const tenants = (data: string): Readonly<Record<string, string>> => ({
    ...idsOf('acme', 'bolt', 'crate')(data),
    health: makeDatabase(`${data}/health.db`, { rows: 30_000, wal: true }),
  })
  await using service = await openService({
    tenants,
    settings: { hold: { ttl: '10s', warmAbove: '1KB' }, tenants: { statusTenant: 'health' } },
  })
  for (const _ of [1, 2]) {
    service.actions.splice(0)
    const { results, summary } = await reportOf(['sweep', '--max-paused', '3', '--config', service.config])
    expect([summary.exitCode, results.length]).toEqual([0, 4])
    expect(service.actions.slice(0, 2)).toEqual(['close health', 'open health'])
  }
})

test(
  'a tenant that was named and has no files is not called sound: 64, ' +
    'and no tenant is paused; a sweep goes on without it',
  async () => {
    await using service = await openService({
      tenants: (data) => ({ acme: makeDatabase(join(data, 'acme.db')), hollow: [] }),
    })
    for (const args of [
      ['check', '--tenant', 'hollow', 'acme'],
      ['pull', 'hollow', service.folder.in('pulled')],
    ]) {
      const ran = await holdfast([...args, '--config', service.config])
      expect([ran.code, ran.stderr]).toEqual([
        64,
        expect.stringContaining('USAGE: the service lists "hollow" without any database file'),
      ])
    }
    expect(service.actions).toEqual([])
    expect(
      (await reportOf(['sweep', '--config', service.config])).results.map(({ tenant, verdict }) => [tenant, verdict]),
    ).toEqual([['acme', 'sound']])
  },
)

test('a tenant whose id cannot be asked for fails alone, and the others are checked', async () => {
  const odd = ['acme', 'a/b', '%2e%2e', '...', '?', '#', ' ', 'a\nb', 'a\\nb', '\u202e', 'l'.repeat(900)]
  await using service = await openService({
    tenants: (data) => Object.fromEntries([...odd, '.', '..'].map((id, at) => [id, `${data}/${at}.db`])),
  })
  const { results, summary } = await reportOf(['sweep', '--config', service.config])
  expect(summary).toMatchObject({ exitCode: 1, selected: 13, sound: 11, failed: 2 })
  for (const { tenant, verdict, failure } of results) {
    if (tenant !== '.' && tenant !== '..') expect([tenant, verdict]).toEqual([tenant, 'sound'])
    else
      expect(failure).toMatchObject({
        code: 'CONTRACT_BROKEN',
        tenantState: 'untouched',
        message: expect.stringContaining(`tenant "${tenant}" cannot be asked for`) as string,
      })
  }
  expect(service.actions.filter((action) => / \.\.?$/.test(action))).toEqual([])
  const one = await reportOf(['check', '--tenant', '..', '--config', service.config])
  expect([one.summary.exitCode, one.results[0]?.failure?.code]).toEqual([1, 'CONTRACT_BROKEN'])
  const doctor = await holdfast(['doctor', '--tenant', '.', '--json', '--config', service.config])
  const unfit = (
    JSON.parse(doctor.stdout) as { steps: { about: string; outcome: string; said: string }[] }
  ).steps.filter(({ outcome }) => outcome === 'unfit')
  expect(unfit.map(({ about, said }) => [about, /tenant "\.{1,2}" cannot be asked for/.test(said)])).toEqual([
    ['service: tenants', true],
    ['service: quiesce', true],
  ])
})

test.each([
  ['one name', 'acme.db'],
  ['a link', 'link.db'],
  ['another spelling', '../tenants/./acme.db'],
])(
  'two tenants that list one file, by %s: both are named, neither is held, and the others are checked',
  async (_, name) => {
    await using service = await openService({
      tenants: (data) => {
        makeDatabase(join(data, 'acme.db'), { wal: true })
        symlinkSync('acme.db', join(data, 'link.db'))
        return { acme: join(data, 'acme.db'), twin: `${data}/${name}`, bolt: join(data, 'bolt.db') }
      },
    })
    const { results, summary } = await reportOf(['sweep', '--config', service.config])
    expect(summary).toMatchObject({ exitCode: 1, selected: 3, sound: 1, failed: 2 })
    const failed = results.filter(({ verdict }) => verdict === 'failed')
    expect(new Set(failed.map(({ tenant }) => tenant))).toEqual(new Set(['acme', 'twin']))
    for (const { failure } of failed) {
      expect(failure).toMatchObject({ code: 'CONTRACT_BROKEN', tenantState: 'untouched' })
      expect(failure?.message).toMatch(/for tenant "(acme|twin)", and for tenant "(?!\1)(acme|twin)" /)
    }
    expect(service.actions.filter((action) => action.endsWith(' acme'))).toEqual([])
    const one = await reportOf(['check', '--tenant', 'acme', '--config', service.config])
    expect([one.summary.exitCode, one.results[0]?.failure?.message]).toEqual([1, expect.stringContaining('"twin"')])
    const compared = await holdfast(['compare', '--config', service.config, 'acme', 'bolt'])
    expect([compared.code, compared.stderr]).toEqual([
      1,
      expect.stringMatching(/CONTRACT_BROKEN: the service lists .*"twin"/),
    ])
    expect(service.actions.filter((action) => action.endsWith(' acme'))).toEqual([])
    const doctor = await holdfast(['doctor', '--tenant', 'acme', '--config', service.config])
    expect([doctor.code, doctor.stdout.replaceAll(/\s+/g, ' ')]).toEqual([
      1,
      expect.stringMatching(/service: tenants: CONTRACT_BROKEN: the service lists .*"acme", and for tenant "twin"/),
    ])
  },
)

test(
  'a WAL, a wal-index or a journal that is listed by itself is no ' +
    'damaged database, and no tenant is paused for it',
  async () => {
    const parts = ['-wal', '-shm', '-journal']
    await using service = await openService({
      tenants: (data) => {
        makeDatabase(join(data, 'main.db'))
        for (const part of parts) writeFileSync(join(data, `main.db${part}`), Buffer.alloc(512))
        // The service does not open them.
        const others = parts.map((part) => [part, `${dirname(data)}/./tenants/main.db${part}`])
        return { acme: join(data, 'acme.db'), ...(Object.fromEntries(others) as Record<string, string>) }
      },
    })
    const { results, summary } = await reportOf(['sweep', '--config', service.config])
    expect(summary).toMatchObject({ exitCode: 1, sound: 1, damaged: 0, failed: 3 })
    for (const { failure } of results.filter(({ tenant }) => tenant !== 'acme')) {
      expect(failure).toMatchObject({
        code: 'CONTRACT_BROKEN',
        tenantState: 'untouched',
        message: expect.stringMatching(/main\.db-\w+, which goes with .*main\.db /) as string,
      })
    }
    expect(service.actions).toEqual(['close acme', 'open acme'])
  },
)

test(
  'roots that do not exist are one failure of the configuration; ' +
    'where one of several exists, its tenants are checked',
  async () => {
    const roots: string[] = ['/nowhere/a']
    await using alone = await openService({ settings: { tenants: { roots } } })
    const ran = await holdfast(['sweep', '--json', '--config', alone.config])
    const { failure, results } = reportIn(ran)
    expect([ran.code, failure?.code, failure?.message, results]).toEqual([
      78,
      'CONFIG_INVALID',
      'tenants.roots: the folder /nowhere/a does not exist',
      [],
    ])
    expect(alone.actions).toEqual([])

    await using some = await openService({
      tenants: (data) => {
        roots.push(data)
        return { acme: `${data}/acme.db`, bolt: makeDatabase(join(dirname(data), 'bolt.db')) }
      },
      settings: { tenants: { roots } },
    })
    const report = await reportOf(['sweep', '--config', some.config])
    const found = Object.fromEntries(report.results.map((result) => [result.tenant, shortVerdict(result)]))
    expect(found).toEqual({ acme: 'sound', bolt: 'failed PATH_OUTSIDE_ROOTS' })
    expect(report.results.find(({ tenant }) => tenant === 'bolt')?.failure?.message).toMatch(
      /; of these, \/nowhere\/a does not exist$/,
    )
  },
)

test('a sweep that could check no tenant is no full sweep, and a status after it knows nothing', async () => {
  await using service = await openService({
    tenants: (data) => ({ acme: makeDatabase(join(dirname(data), 'acme.db')) }),
  })
  expect((await holdfast(['sweep', '--config', service.config])).code).toBe(1)
  const status = await holdfast(['status', '--format', 'nagios', '--config', service.config])
  expect([status.code, status.stdout]).toEqual([
    3,
    expect.stringMatching(
      /^HOLDFAST UNKNOWN - STALE no full sweep yet; .*FAILED 1: acme \(PATH_OUTSIDE_ROOTS\) \|/,
    ) as string,
  ])
})
