/** Status as Prometheus metrics. */

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { anyTenant, confusingText } from '../../support/any-status.ts'
import { hour, now, render, tenant, view } from '../../support/status.ts'

test('the Prometheus metrics have the names that dashboards rely on', () => {
  const pauses = {
    count: 3,
    totalMs: 5_049,
    buckets: [
      { upToMs: 2.5, count: 0 },
      { upToMs: 10, count: 1 },
      { upToMs: 50, count: 2 },
    ],
    leasesExpired: 2,
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
  expect(text).toContain('holdfast_leases_expired_total{service="notes"} 2\n')
})

test('a metric says whether harm is suspected: by the newest check, or by a run since the last sound sweep', () => {
  const harmOf = (more: Parameters<typeof tenant>[1], given: Parameters<typeof view>[1] = {}) =>
    /^holdfast_harm_suspected\{service="notes"\} (\d)$/m.exec(
      render(view([tenant('a', more)], given), 'prometheus').text,
    )?.[1]
  expect(harmOf({ verdict: 'damaged' })).toBe('0')
  expect(harmOf({ verdict: 'inconclusive', failure: 'LOCK_NOT_HONOURED' })).toBe('1')
  expect(harmOf({ verdict: 'damaged' }, { harm: { code: 'HARM_SUSPECTED', run: '01H', at: now - hour } })).toBe('1')
})

test('metrics say what did not happen, how old backups are, and whether leases ended by themselves', () => {
  const absence = { code: 2, since: now - 9 * hour, text: 'gone', command: 'holdfast doctor' } as const
  const { text } = render(
    view([tenant('a')], { absences: [{ kind: 'registry-down', ...absence }], oldestBackupAt: now - 2 * hour }),
    'prometheus',
  )
  expect(text).toContain('holdfast_absence{service="notes",kind="registry-down"} 2\n')
  expect(text).toContain('holdfast_registry_cached{service="notes"} 1\n')
  expect(text).toContain('holdfast_backup_verified_age_seconds_max{service="notes"} 7200\n')
  expect(text).toContain('# TYPE holdfast_leases_expired_total counter\n')
  const healthy = render(view([tenant('a')]), 'prometheus').text
  expect(healthy).toContain('holdfast_registry_cached{service="notes"} 0\n')
  expect(healthy).not.toMatch(/^holdfast_(?:absence|backup_verified_age_seconds_max)\{/m)
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

const comment = /# (?:HELP|TYPE) holdfast_[a-z_]+ .+/u
const sample = /holdfast_[a-z_]+\{(?:[a-z]+="(?:[^"\\\n]|\\["\\n])*",?)+\} (?:\+Inf|[\d.e+-]+)/u
const commentOrSample = new RegExp(`^(?:${comment.source}|${sample.source})$`, 'u')

test('every Prometheus line is a comment or a sample', () => {
  fc.assert(
    fc.property(fc.array(anyTenant, { maxLength: 10 }), confusingText, (tenants, service) => {
      for (const line of render(view(tenants, { service }), 'prometheus').text.trimEnd().split('\n')) {
        expect(line).toMatch(commentOrSample)
      }
    }),
  )
})
