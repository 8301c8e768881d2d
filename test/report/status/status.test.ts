/** The ledger's knowledge for people, monit, Nagios and Prometheus. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { noPauses } from '../../../src/ledger/process/pause-totals.ts'
import { tenantId } from '../../../src/model/brand.ts'
import type { OtherHold } from '../../../src/model/service-way.ts'
import { renderStatus } from '../../../src/report/status/status.ts'
import type { SettledThen, StatusFormat, StatusView, TenantSummary } from '../../../src/report/status/status.ts'
import { renderHistory } from '../../../src/report/text/history.ts'
import { renderHolders } from '../../../src/report/text/holders.ts'
import { showAsciiOnly } from '../../../src/text/letters.ts'
import { needlesslyWide } from '../../support/report.ts'

const hour = 3_600_000
const now = 1_790_000_000_000
/** As the ledger has it after one check; `settled` tells of an earlier one. */
const tenant = (id: string, more: Partial<TenantSummary> = {}): TenantSummary => {
  const newest = {
    verdict: 'sound',
    damage: 'none',
    level: 'sealed',
    depth: 'full',
    checkedAt: now - hour,
    failure: null,
    pauseMs: 9,
    ...more,
  } as const
  const { verdict, checkedAt, ...check } = newest
  const settles = verdict === 'damaged' || (verdict === 'sound' && newest.depth === 'full')
  return {
    tenant: id,
    path: `/srv/${id}.db`,
    settled: settles && checkedAt !== null ? { ...check, at: checkedAt, verdict } : null,
    ...newest,
  }
}
const wasDamaged: SettledThen = {
  at: now - 2 * hour,
  verdict: 'damaged',
  damage: 'index',
  level: 'sealed',
  depth: 'full',
  pauseMs: 7,
}
const wasSound: SettledThen = { ...wasDamaged, verdict: 'sound', damage: 'none' }
const view = (tenants: readonly TenantSummary[], more: Partial<StatusView> = {}): StatusView => ({
  service: 'notes',
  selection: null,
  pauses: noPauses,
  via: 'admin-api',
  tenants,
  openHolds: [],
  otherHolds: [],
  config: '/etc/holdfast/holdfast.yaml',
  configNamed: null,
  ledgerLost: false,
  lastFullSweepAt: now - hour,
  generatedAt: now,
  maxAgeMs: 26 * hour,
  ...more,
})
const render = (given: StatusView, format: StatusFormat) =>
  renderStatus(given, { format, width: 80, cuts: true, color: false, verbose: false })
const hold = (leftBehind: boolean) => ({
  holder: 'h',
  run: 'r',
  tenant: tenantId('stuck'),
  askedAt: now - hour,
  endsBy: now,
  leaseId: 'l',
  fence: 1,
  leftBehind,
})

const other = (whose: OtherHold['whose']): OtherHold => ({
  holder: 'h',
  run: 'r',
  tenant: tenantId('stuck'),
  askedAt: now - hour,
  endsBy: now,
  leaseId: null,
  fence: null,
  whose,
  service: 'mail',
  via: 'hooks',
  address: '["ctl"]',
  config: '/old.yaml',
})

test.each<[string, StatusView, number, string]>([
  ['all sound and fresh', view([tenant('a'), tenant('b')]), 0, 'HOLDFAST OK - 2 tenants sound, oldest check 1 h ago'],
  ['one damaged', view([tenant('a', { verdict: 'damaged', damage: 'index' })]), 2, 'HOLDFAST CRITICAL - DAMAGED 1: a'],
  [
    'a hold that never ended',
    view([tenant('a')], { openHolds: [hold(true)] }),
    2,
    'HOLDFAST CRITICAL - PAUSED? 1 hold never seen to end: stuck; holdfast resume --all',
  ],
  ['a hold at work', view([tenant('a')], { openHolds: [hold(false)] }), 0, 'HOLDFAST OK'],
  [
    'a hold that its run gave up',
    view([tenant('stuck', { verdict: 'inconclusive', failure: 'RESUME_FAILED' })], { openHolds: [hold(false)] }),
    2,
    'HOLDFAST CRITICAL - PAUSED? 1 hold never seen to end: stuck',
  ],
  [
    'a hold by hooks, that nobody is at work on',
    view([tenant('a')], { via: 'hooks', openHolds: [hold(true)] }),
    2,
    'HOLDFAST CRITICAL - PAUSED? 1 hold never seen to end: stuck; NOTHING ENDS THIS BY ITSELF, run holdfast ' +
      'resume --all |',
  ],
  [
    'a hold asked for in another way',
    view([tenant('a')], { otherHolds: [other('another-way')] }),
    2,
    'HOLDFAST CRITICAL - PAUSED? 1 hold never seen to end: stuck; NOTHING ENDS THIS BY ITSELF, run holdfast ' +
      'resume --config /old.yaml stuck',
  ],
  [
    'a ledger that is gone',
    view([], { lastFullSweepAt: null, ledgerLost: true }),
    3,
    'HOLDFAST UNKNOWN - LOST the ledger is gone',
  ],
  [
    'a hold of another service',
    view([tenant('a')], { otherHolds: [other('another-service')] }),
    0,
    'HOLDFAST OK - 1 tenant sound, oldest check 1 h ago | tenants=1 sound=1 damaged=0;;0 inconclusive=0;0 ' +
      'failed=0;0 never=0;0 holds_overdue=0;;0',
  ],
  [
    'C27 a check at a time that lies ahead',
    view([tenant('a', { checkedAt: now + hour })]),
    1,
    'HOLDFAST WARNING - STALE 1 tenant not fully checked within 1 d 2 h: a',
  ],
  [
    'C27 a sweep at a time that lies ahead',
    view([tenant('a')], { lastFullSweepAt: now + 8_760 * hour }),
    1,
    'HOLDFAST WARNING - STALE last full sweep lies in the future',
  ],
  [
    'a clock that was set by seconds',
    view([tenant('a', { checkedAt: now + 5_000 })], { lastFullSweepAt: now + 5_000 }),
    0,
    'HOLDFAST OK - 1 tenant sound, oldest check 0',
  ],
  [
    'I4.2 an old check',
    view([tenant('a', { checkedAt: now - 30 * hour })]),
    1,
    'HOLDFAST WARNING - STALE 1 tenant not fully checked within 1 d 2 h: a',
  ],
  [
    'I4.2 no sweep finished',
    view([tenant('a')], { lastFullSweepAt: now - 30 * hour }),
    1,
    'HOLDFAST WARNING - STALE last full sweep 1 d 6 h ago',
  ],
  [
    'I4.2 a tenant that was never checked',
    view([tenant('a'), tenant('b', { verdict: null, checkedAt: null })]),
    1,
    'HOLDFAST WARNING - STALE 1 tenant not fully checked',
  ],
  [
    'inconclusive',
    view([tenant('a', { verdict: 'inconclusive', settled: wasSound })]),
    1,
    'HOLDFAST WARNING - INCONCLUSIVE 1: a',
  ],
  [
    'inconclusive and failed, with why',
    view([
      tenant('a', { verdict: 'inconclusive', failure: 'LOCK_BUSY', settled: wasSound }),
      tenant('b', { verdict: 'failed', failure: 'IN_USE', settled: wasSound }),
    ]),
    1,
    'HOLDFAST WARNING - INCONCLUSIVE 1: a (LOCK_BUSY); FAILED 1: b (IN_USE) | ',
  ],
  [
    'nobody could ever be checked',
    view(
      ['a', 'b', 'c', 'd'].map((id) => tenant(id, { verdict: 'failed', failure: 'NO_PERMISSION' })),
      { lastFullSweepAt: null },
    ),
    3,
    'HOLDFAST UNKNOWN - STALE no full sweep yet; STALE 4 tenants not fully checked within 1 d 2 h: a, b, c ' +
      'and 1 more; FAILED 4: a (NO_PERMISSION), b (NO_PERMISSION), c (NO_PERMISSION) and 1 more | ',
  ],
  [
    'damage, and then a quick check',
    view([tenant('a', { depth: 'quick', settled: wasDamaged }), tenant('b')]),
    2,
    'HOLDFAST CRITICAL - DAMAGED 1: a | tenants=2 sound=1 damaged=1;;0 inconclusive=0',
  ],
  [
    'damage, and then an inconclusive check',
    view([tenant('a', { verdict: 'inconclusive', settled: wasDamaged })]),
    2,
    'HOLDFAST CRITICAL - DAMAGED 1: a | tenants=1 sound=0 damaged=1;;0 inconclusive=0',
  ],
  [
    'damage, and then a check that was refused',
    view([tenant('a', { verdict: 'failed', failure: 'IN_USE', settled: wasDamaged })]),
    2,
    'HOLDFAST CRITICAL - DAMAGED 1: a | tenants=1 sound=0 damaged=1;;0 inconclusive=0;0 failed=0',
  ],
  [
    'a quick check alone',
    view([tenant('a', { depth: 'quick' }), tenant('b')]),
    1,
    'HOLDFAST WARNING - STALE 1 tenant not fully checked within 1 d 2 h: a | tenants=2 sound=2 damaged=0;;0 ' +
      'inconclusive=0;0 failed=0;0 never=0;0 holds_overdue=0;;0 last_sweep',
  ],
  [
    'a quick check long after a full one',
    view([tenant('a', { depth: 'quick', settled: { ...wasSound, at: now - 30 * hour } })]),
    1,
    'HOLDFAST WARNING - STALE 1 tenant not fully checked within 1 d 2 h: a',
  ],
  [
    'a quick check soon after a full one',
    view([tenant('a', { depth: 'quick', settled: wasSound })]),
    0,
    'HOLDFAST OK - 1 tenant sound, oldest check 2 h ago',
  ],
  ['nothing known', view([], { lastFullSweepAt: null }), 3, 'HOLDFAST UNKNOWN - STALE no full sweep yet'],
])('%s', (_, given, code, begin) => {
  for (const format of ['nagios', 'monit'] as const) {
    const { text, code: got } = render(given, format)
    expect(got).toBe(code)
    expect(text.startsWith(begin)).toBe(true)
  }
})

const nasty = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.constantFrom('a|b=1', 'x"y\\z\n', '日本'.repeat(200), '\u001b[2J'),
)
const anyTenant = fc.record({
  tenant: nasty,
  path: nasty,
  verdict: fc.constantFrom('sound', 'damaged', 'inconclusive', 'failed', null),
  damage: fc.constantFrom('none', 'table'),
  level: fc.constant('sealed'),
  depth: fc.constantFrom('quick', 'full'),
  checkedAt: fc.option(fc.integer({ min: 0, max: now }), { nil: null }),
  pauseMs: fc.option(fc.integer({ min: 0, max: 60_000 }), { nil: null }),
  failure: fc.constantFrom(null, 'IN_USE', 'TOO_LARGE_FOR_PAUSE'),
  settled: fc.constantFrom(null, wasSound, wasDamaged, { ...wasDamaged, at: 5 }),
}) as fc.Arbitrary<TenantSummary>

test('a sweep that never was, or is too old, is said once', () => {
  for (const lastFullSweepAt of [null, now - 30 * hour]) {
    const { text } = render(view([tenant('a')], { lastFullSweepAt }), 'text')
    expect(text.match(/full sweep/g), text).toEqual(['full sweep'])
  }
  expect(render(view([tenant('a')]), 'text').text).toMatch(/^OK: .*, last full sweep /)
})

describe('for any tenants', () => {
  test('a configuration that was named stands in every command, for another would ask another service', () => {
    const named = { configNamed: '/srv/a b.yaml', openHolds: [hold(true)] }
    expect(render(view([tenant('a', { verdict: 'damaged' })], named), 'nagios').text).toContain(
      "; holdfast resume --config '/srv/a b.yaml' --all",
    )
    const { text } = render(view([tenant('a', { verdict: 'damaged' })], named), 'text')
    expect(text.split('\n').filter((line) => line.startsWith('    holdfast '))).toEqual([
      "    holdfast resume --config '/srv/a b.yaml' --all",
      "    holdfast check --config '/srv/a b.yaml' --tenant a",
    ])
  })

  test('the status line is one line of at most 512 bytes with one bar before the performance data', () => {
    fc.assert(
      fc.property(fc.array(anyTenant, { maxLength: 30 }), nasty, (tenants, service) => {
        const { text } = render(view(tenants, { service }), 'monit')
        expect(Buffer.byteLength(text)).toBeLessThanOrEqual(512)
        expect(text.split('\n')).toHaveLength(2)
        expect(text.split('|')).toHaveLength(2)
        expect(text).toMatch(/ \| tenants=\d+ sound=\d+ damaged=\d+;;0 [ -~]+\n$/)
      }),
    )
  })

  test('never OK while one is damaged, and text is never wider than the terminal but for commands', () => {
    fc.assert(
      fc.property(fc.array(anyTenant, { minLength: 1, maxLength: 30 }), (tenants) => {
        // Spaces in names are kept together.
        const oneWord = (name: string | null): string | null => name?.replaceAll(' ', '_') ?? null
        const { text, code } = render(
          view(tenants.map((one) => ({ ...one, tenant: oneWord(one.tenant), path: oneWord(one.path) ?? '' }))),
          'text',
        )
        if (tenants.some(({ verdict, settled }) => verdict === 'damaged' || settled?.verdict === 'damaged'))
          expect(code).toBe(2)
        expect(needlesslyWide(text, 80)).toEqual([])
        expect(text.replaceAll('\n', '')).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u)
      }),
    )
  })

  test('every Prometheus line is a comment or a sample', () => {
    fc.assert(
      fc.property(fc.array(anyTenant, { maxLength: 10 }), nasty, (tenants, service) => {
        for (const line of render(view(tenants, { service }), 'prometheus').text.trimEnd().split('\n')) {
          expect(line).toMatch(
            /^(?:# (?:HELP|TYPE) holdfast_[a-z_]+ .+|holdfast_[a-z_]+\{(?:[a-z]+="(?:[^"\\\n]|\\["\\n])*",?)+\} (?:\+Inf|[\d.e+-]+))$/u,
          )
        }
      }),
    )
  })
})

test('ids that differ by an escape alone stay apart in every format, and reach nobody as controls', () => {
  const ids = ['a\nb', 'a\\nb', 'a\\\\nb', 'a|b', 'a\\x7cb', 'a"b', 'a\u202eb']
  const of = (format: StatusFormat): string =>
    render(view(ids.map((id) => tenant(id, { verdict: 'damaged' }))), format).text
  const samples = of('prometheus')
    .split('\n')
    .filter((line) => line.startsWith('holdfast_tenant_damaged{'))
  expect(new Set(samples).size).toBe(ids.length)
  expect(samples.slice(0, 2)).toEqual(
    ['a\\\\nb', 'a\\\\\\\\nb'].map((id) => `holdfast_tenant_damaged{service="notes",tenant="${id}"} 1`),
  )
  for (const id of ids)
    expect(render(view([tenant(id, { verdict: 'damaged' })]), 'nagios').text).toMatch(
      /DAMAGED 1: a[ -~]+b \| tenants=1 /,
    )
  expect(new Set(ids.map((id) => render(view([tenant(id, { verdict: 'damaged' })]), 'nagios').text)).size).toBe(
    ids.length,
  )
  expect(of('json')).toMatch(/^[\n -~…]*$/)
  expect((JSON.parse(of('json')) as { tenants: { tenant: string }[] }).tenants.map(({ tenant: id }) => id)).toEqual(ids)
})

test('the Prometheus metrics are the ones of operations.md', () => {
  const pauses = {
    count: 3,
    totalMs: 5_049,
    buckets: [
      { upToMs: 2.5, count: 0 },
      { upToMs: 10, count: 1 },
      { upToMs: 50, count: 2 },
    ],
  }
  const { text } = render(
    view([tenant('a'), tenant('b', { verdict: 'damaged', pauseMs: 40 })], { pauses }),
    'prometheus',
  )
  expect(text).toContain(`holdfast_last_full_sweep_timestamp_seconds{service="notes"} ${(now - hour) / 1000}`)
  expect(text).toContain('holdfast_tenants{service="notes",verdict="sound"} 1')
  expect(text).toContain('holdfast_tenant_damaged{service="notes",tenant="b"} 1')
  expect(text).not.toContain('tenant="a"')
  expect(text).toContain('holdfast_oldest_check_age_seconds{service="notes"} 3600')
  expect(text).toContain(`# TYPE holdfast_pause_seconds histogram
holdfast_pause_seconds_bucket{service="notes",le="0.0025"} 0
holdfast_pause_seconds_bucket{service="notes",le="0.01"} 1
holdfast_pause_seconds_bucket{service="notes",le="0.05"} 2
holdfast_pause_seconds_bucket{service="notes",le="+Inf"} 3
holdfast_pause_seconds_sum{service="notes"} 5.049
holdfast_pause_seconds_count{service="notes"} 3
`)
})

test('each Prometheus metric is described once, before its samples, and no series comes twice', () => {
  const tenants = ['a', 'b', 'a\\b', 'a"b'].flatMap((id) => [
    tenant(id, { verdict: 'damaged' }),
    tenant(id, { verdict: 'damaged', path: '/second.db' }),
  ])
  const lines = render(view(tenants), 'prometheus').text.trimEnd().split('\n')
  const family = (line: string): string =>
    (/^(?:# (?:HELP|TYPE) )?([a-z_]+?)(?:_bucket|_sum|_count)?(?=[ {])/.exec(line) ?? [])[1] ?? ''
  const inTurn = lines.map(family).filter((name, at, all) => name !== all[at - 1])
  expect(new Set(inTurn).size).toBe(inTurn.length) // All lines of one stand together.
  for (const name of inTurn)
    expect(
      lines
        .filter((line) => family(line) === name)
        .slice(0, 2)
        .map((line) => line.split(' ')[1]),
    ).toEqual(['HELP', 'TYPE'])
  expect(lines.filter((line) => line.startsWith('# ')).length).toBe(2 * inTurn.length)
  const series = lines.filter((line) => !line.startsWith('# ')).map((line) => line.slice(0, line.lastIndexOf(' ')))
  expect(new Set(series).size).toBe(series.length)
})

test('of selected tenants it is not asked when all were swept', () => {
  const selection = { tenants: ['a'], only: [] }
  const asked = (tenants: readonly TenantSummary[]) => view(tenants, { selection, lastFullSweepAt: null })
  expect(render(asked([tenant('a')]), 'nagios')).toMatchObject({
    code: 0,
    text: expect.stringMatching(/^HOLDFAST OK - 1 tenant sound/) as string,
  })
  expect(render(asked([tenant('a', { checkedAt: now - 30 * hour })]), 'text').text).toMatch(
    /^WARNING: notes, 1 selected tenant, [^]*next\n {4}holdfast check --tenant a\nExit code 0/,
  )
  expect(render(asked([]), 'nagios')).toMatchObject({
    code: 3,
    text: expect.stringMatching(/^HOLDFAST UNKNOWN - STALE no selected tenant was checked yet/) as string,
  })
})

test.each<[string, StatusView, readonly string[]]>([
  ['all is well', view([tenant('a')]), []],
  ['nothing was swept', view([], { lastFullSweepAt: null }), ['holdfast sweep']],
  [
    'the ledger is gone',
    view([], { lastFullSweepAt: null, ledgerLost: true }),
    ['holdfast resume --all', 'holdfast sweep'],
  ],
  ['one is stale', view([tenant('a', { checkedAt: now - 30 * hour })]), ['holdfast sweep']],
  [
    'one is inconclusive',
    view([tenant('a', { verdict: 'inconclusive', settled: wasSound })]),
    ['holdfast check --tenant a'],
  ],
  [
    'one could not be checked',
    view([tenant('a b', { verdict: 'failed', settled: wasSound, failure: 'IN_USE' })]),
    ["holdfast check --tenant 'a b'"],
  ],
  [
    'many could not be checked',
    view(['a', 'b', 'c', 'd'].map((id) => tenant(id, { verdict: 'failed', settled: wasSound, failure: 'IN_USE' }))),
    ['holdfast sweep'],
  ],
  [
    'one is gone, and was asked about',
    view([tenant('a', { verdict: 'inconclusive', settled: wasSound, failure: 'TENANT_GONE' })]),
    ['holdfast explain TENANT_GONE'],
  ],
  [
    'all at once',
    view([tenant('a', { verdict: 'damaged' }), tenant('b', { verdict: 'failed' })], { openHolds: [hold(true)] }),
    ['holdfast resume --all', 'holdfast check --tenant a', 'holdfast check --tenant b', 'holdfast sweep'],
  ],
])('what to type next when %s', (_, given, commands) => {
  const { text, code } = render(given, 'text')
  expect(
    text
      .split('\n')
      .filter((line) => line.startsWith('    holdfast '))
      .map((line) => line.trim()),
  ).toEqual(commands)
  expect(text.includes(`Exit code 0: answered. With --format nagios or monit it is ${code}: `)).toBe(code !== 0)
})

test('status as text and JSON', () => {
  const given = view([tenant('a'), tenant('acme', { verdict: 'damaged', damage: 'index' })])
  expect(render(given, 'text').text).toBe(`CRITICAL: notes, 2 tenants, 1 sound, last full sweep 1 h ago
  DAMAGED 1: acme

TENANT  VERDICT  DAMAGE  PROOF   DEPTH  CHECKED  PAUSE
a       sound    -       sealed  full   1 h ago   9 ms
acme    DAMAGED  index   sealed  full   1 h ago   9 ms

next
    holdfast check --tenant acme
Exit code 0: answered. With --format nagios or monit it is 2: CRITICAL.
`)
  expect(JSON.parse(render(given, 'json').text)).toMatchObject({
    schema: 'holdfast.status/1',
    state: 'CRITICAL',
    code: 2,
    tenants: [{ tenant: 'a' }, { tenant: 'acme' }],
  })
})

test('damage stands in every format until a full check finds the file sound', () => {
  const given = view([
    tenant('a', { verdict: 'inconclusive', failure: 'TOO_LARGE_FOR_PAUSE', settled: wasDamaged }),
    tenant('b', { depth: 'quick', settled: wasDamaged }),
    tenant('c', { verdict: 'failed', failure: 'IN_USE', settled: wasDamaged }),
    tenant('d', { depth: 'quick', settled: { ...wasSound, at: now - 30 * hour } }),
    tenant('e', { depth: 'quick' }),
  ])
  expect(render(given, 'text').text).toBe(`CRITICAL: notes, 5 tenants, 2 sound, last full sweep 1 h ago
  DAMAGED 3: a, b, c
  STALE 2 tenants not fully checked within 1 d 2 h: d, e

TENANT  VERDICT  DAMAGE  PROOF   DEPTH  CHECKED  PAUSE
a       DAMAGED  index   sealed  full   2 h ago   7 ms
  still damaged: the newest check, 1 h ago, was inconclusive
  (TOO_LARGE_FOR_PAUSE)
b       DAMAGED  index   sealed  full   2 h ago   7 ms
  still damaged: the newest check, 1 h ago, was quick and cannot clear it
c       DAMAGED  index   sealed  full   2 h ago   7 ms
  still damaged: the newest check, 1 h ago, failed (IN_USE)
d       sound    -       sealed  quick  1 h ago   9 ms
  last fully checked 1 d 6 h ago
e       sound    -       sealed  quick  1 h ago   9 ms
  never fully checked

next
    holdfast check --tenant a
    holdfast check --tenant b
    holdfast check --tenant c
    holdfast sweep
Exit code 0: answered. With --format nagios or monit it is 2: CRITICAL.
`)
  const json = JSON.parse(render(given, 'json').text) as {
    counts: unknown
    tenants: { verdict: string; standing: string }[]
  }
  expect(json.counts).toEqual({ sound: 2, damaged: 3, inconclusive: 0, failed: 0, never: 0 })
  expect(json.tenants.map(({ verdict, standing }) => `${verdict} ${standing}`)).toEqual([
    'inconclusive damaged',
    'sound damaged',
    'failed damaged',
    'sound sound',
    'sound sound',
  ])
  const { text } = render(given, 'prometheus')
  expect(text).toContain('holdfast_tenants{service="notes",verdict="damaged"} 3')
  for (const id of ['a', 'b', 'c']) expect(text).toContain(`holdfast_tenant_damaged{service="notes",tenant="${id}"} 1`)
  expect(text).toContain('holdfast_oldest_check_age_seconds{service="notes"} +Inf')
})

test('history as text', () => {
  const entry = {
    at: Date.UTC(2026, 10, 21, 3, 4),
    run: 'r',
    tenant: 'acme',
    path: '/x',
    verdict: 'damaged',
    damage: 'index',
    level: 'sealed',
    depth: 'full',
    pauseMs: 9,
    failure: null,
  } as const
  const entries = [entry, { ...entry, verdict: 'failed', damage: 'none', failure: 'IN_USE', pauseMs: null }] as const
  expect(renderHistory({ entries, older: 'holdfast history --limit 20' }, { format: 'text', width: 80, color: false }))
    .toBe(`TENANT  WHEN (UTC)        VERDICT  WHAT    DEPTH  PAUSE
acme    2026-11-21 03:04  DAMAGED  index   full    9 ms
acme    2026-11-21 03:04  FAILED   IN_USE  full       -
older checks are not shown: holdfast history --limit 20
`)
  const json = (older: string | null): unknown =>
    JSON.parse(renderHistory({ entries, older }, { format: 'json', width: 80, color: false }))
  expect([json('holdfast history --limit 20'), json(null)]).toMatchObject([
    { entries, more: true },
    { entries, more: false },
  ])
  expect(renderHistory({ entries: [], older: null }, { format: 'text', width: 80, color: false })).toBe(
    'Nothing has been checked yet.\n',
  )
})

test('holders are told apart from what could not be looked at', () => {
  const options = { width: 80, color: false }
  expect(renderHolders('/a.db', [], [], options)).toBe('No process has it open, mapped or locked: /a.db\n')
  expect(renderHolders('/a.db', [], ['file tables of 12 processes of other users'], options)).toBe(
    'No process was seen to have it open, mapped or locked: /a.db\nnot checked: file tables of 12 processes of ' +
      'other users\n',
  )
  expect(
    renderHolders(
      '/a.db',
      [{ pid: 7, command: 'sql\nite3', modes: ['write', 'mapped'], path: '/a.db-wal' }],
      [],
      options,
    ),
  ).toBe('FILE       COMMAND    PID  HOW\n/a.db-wal  sql\\nite3    7  write+mapped\n')
})

test('in a locale that is not UTF-8 names are spelled out, but not in metrics: a scraper reads UTF-8', () => {
  const given = view([tenant('b\u00fcro', { verdict: 'damaged', damage: 'index' })])
  const told = (format: StatusFormat): string => render(given, format).text
  const inUtf8 = told('prometheus')
  showAsciiOnly(true)
  try {
    for (const format of ['text', 'nagios'] as const) expect(told(format)).toContain('DAMAGED 1: b\\u{fc}ro')
    expect(told('text')).toContain("    holdfast check --tenant $'b\\xc3\\xbcro'")
    expect(told('prometheus')).toBe(inUtf8)
    expect(inUtf8).toContain('tenant="b\u00fcro"')
  } finally {
    showAsciiOnly(false)
  }
})

test('holders: a row for each process, with whole names where nothing is cut', () => {
  const of = (pid: number, part: string, ...modes: readonly ('read' | 'write' | 'mapped')[]) => ({
    pid,
    command: 'node a-rather-long-command.js',
    modes,
    path: `/srv/a.db${part}`,
  })
  const holders = [of(7, '', 'read'), of(7, '-wal', 'write', 'read'), of(7, '-shm', 'mapped'), of(8, '-wal', 'read')]
  const pids = (text: string): readonly string[] => [...text.matchAll(/ (\d) {2}/g)].map(([, pid]) => pid ?? '')
  const piped = renderHolders('/srv/a.db', holders, [], { width: Infinity })
  expect(pids(piped)).toEqual(['7', '8'])
  expect(piped).toContain(
    '/srv/a.db, /srv/a.db-wal, /srv/a.db-shm  node a-rather-long-command.js    7  read+write+mapped',
  )
  expect(renderHolders('/srv/a.db', holders, [], { width: 80, cuts: true })).toContain(
    '/srv/a.db, -wal, -shm  node a-rather-long-comm\u2026    7  read+write+mapped',
  )
})
