/** Status for people, as JSON and as one line for monit and Nagios, whatever tenants are called. */

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { outdatedConfiguration } from '../../../src/report/status/absences.ts'
import { renderNoStatus } from '../../../src/report/status/monitor-line.ts'
import type { StatusFormat } from '../../../src/report/status/status-view.ts'
import { renderStatus } from '../../../src/report/status/status.ts'
import { showAsciiOnly } from '../../../src/text/letters.ts'
import { anyTenant, confusingText } from '../../support/any-status.ts'
import { needlesslyWide } from '../../support/report.ts'
import { hour, now, render, tenant, view, wasDamaged, wasSound } from '../../support/status.ts'

test('a sweep that never was, or is too old, is reported once', () => {
  for (const lastFullSweepAt of [null, now - 30 * hour]) {
    const { text } = render(view([tenant('a')], { lastFullSweepAt }), 'text')
    expect(text.match(/full sweep/g), text).toEqual(['full sweep'])
  }
  expect(render(view([tenant('a')]), 'text').text).toMatch(/^OK: .*, last full sweep /)
})

test('status as text and JSON', () => {
  const given = view([tenant('a'), tenant('acme', { verdict: 'damaged', damage: 'index' })])
  expect(render(given, 'text').text).toBe(`CRITICAL: notes, 2 tenants, 1 sound, last full sweep 1 h ago
  DAMAGED 1: acme

TENANT  VERDICT  DAMAGE  PROOF   DEPTH  CHECKED  PAUSE
a       sound    -       sealed  full   1 h ago   9 ms
acme    DAMAGED  index   sealed  full   1 h ago   9 ms

next
    holdfast repair --tenant acme
Exit code 0: answered. With --format nagios or monit it is 2: CRITICAL.
`)
  expect(JSON.parse(render(given, 'json').text)).toMatchObject({
    schema: 'holdfast.status/1',
    state: 'CRITICAL',
    code: 2,
    tenants: [{ tenant: 'a' }, { tenant: 'acme' }],
  })
})

test('a document lists all files, also those that the view only counts', () => {
  const all = Array.from({ length: 2000 }, (_, at) => tenant(`t${at}`))
  const given = view(all.slice(0, 20), { others: { fresh: 1980, stale: 0, pinned: 0, oldestAt: now - hour } })
  const { text } = renderStatus(given, { format: 'json', width: 80, color: false, verbose: false }, all)
  const pieces = [...text]
  expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThan(70_000)
  expect(pieces.length).toBeLessThan(50)
  const { tenants, counts, others } = JSON.parse(pieces.join('')) as Record<string, unknown>
  expect([(tenants as unknown[]).length, counts, others]).toEqual([
    2000,
    expect.objectContaining({ sound: 2000 }),
    undefined,
  ])
})

test('each form says how many verdicts rest on a pinned snapshot, and what that leaves open', () => {
  const pinned = { level: 'pinned', pauseMs: null } as const
  const given = view([tenant('a'), tenant('b', pinned)], {
    others: { fresh: 2000, stale: 0, pinned: 1999, oldestAt: now - hour },
  })
  for (const format of ['nagios', 'monit'] as const) {
    const { code, text } = render(given, format)
    expect(code).toBe(0)
    expect(text).toMatch(/^HOLDFAST OK - 2,002 tenants sound, oldest check 1 h ago, 2,000 pinned \| .* pinned=2000\n$/)
  }
  expect(render(given, 'prometheus').text).toContain('\nholdfast_tenants_pinned{service="notes"} 2000\n')
  const { text } = render(given, 'text')
  expect(text).toContain('\n2,002 tenants sound and checked within 1 d 2 h\n2,000 of these at level pinned\npinned: ')
  expect(text.replaceAll('\n', ' ')).toContain('does not show that no program ignores these locks.')
  // Of one that is damaged, too: beside a reason, in the data alone.
  const damaged = view([tenant('a'), tenant('b', { ...pinned, verdict: 'damaged', damage: 'index' })])
  expect(render(damaged, 'monit').text).toMatch(/^HOLDFAST CRITICAL - DAMAGED 1: b \| .* pinned=1\n$/)
  // The verdict of a check that was refused rests on no snapshot.
  const sealed = view([
    tenant('a'),
    tenant('b', { verdict: 'failed', level: 'none', settled: { ...wasSound, ...pinned } }),
  ])
  expect(render(sealed, 'monit').text).not.toContain('pinned')
  expect(render(sealed, 'prometheus').text).toContain('\nholdfast_tenants_pinned{service="notes"} 0\n')
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
    holdfast repair --tenant a
    holdfast repair --tenant b
    holdfast repair --tenant c
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

test('the status line is one line of at most 512 bytes with one bar before the performance data', () => {
  fc.assert(
    fc.property(fc.array(anyTenant, { maxLength: 30 }), confusingText, (tenants, service) => {
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

test('ids that differ only by an escape stay distinct in every format, and none is printed as a control', () => {
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

test('in a locale that is not UTF-8 names are spelled out, but not in metrics: a scraper reads UTF-8', () => {
  const given = view([tenant('b\u00fcro', { verdict: 'damaged', damage: 'index' })])
  const told = (format: StatusFormat): string => render(given, format).text
  const inUtf8 = told('prometheus')
  showAsciiOnly(true)
  try {
    for (const format of ['text', 'nagios'] as const) expect(told(format)).toContain('DAMAGED 1: b\\u{fc}ro')
    expect(told('text')).toContain("    holdfast repair --tenant $'b\\xc3\\xbcro'")
    expect(told('prometheus')).toBe(inUtf8)
    expect(inUtf8).toContain('tenant="b\u00fcro"')
  } finally {
    showAsciiOnly(false)
  }
})

test('a failure of several lines is one line for a monitor', () => {
  expect(renderNoStatus('CONFIG_INVALID: a.yaml:1:1: tenants is missing\na.yaml:2:1: unknown key x\n')).toBe(
    'HOLDFAST UNKNOWN - CONFIG_INVALID: a.yaml:1:1: tenants is missing; a.yaml:2:1: unknown key x\n',
  )
  const absence = outdatedConfiguration(5, 'a.yaml:1:1: tenants is missing\na.yaml:2:1: unknown key x')
  expect(render(view([tenant('a')], { absences: [absence] }), 'monit').text).toContain(
    'tenants is missing; a.yaml:2:1: unknown key x',
  )
})
