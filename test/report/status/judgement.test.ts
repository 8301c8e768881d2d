/** What the knowledge of the ledger comes to: OK, WARNING, CRITICAL or UNKNOWN, and why. */

import { expect, test } from 'vitest'
import type { StatusView, TenantSummary } from '../../../src/report/status/status-view.ts'
import { standingHold, hour, now, other, render, tenant, view, wasDamaged, wasSound } from '../../support/status.ts'

test.each<[string, StatusView, number, string]>([
  ['all sound and fresh', view([tenant('a'), tenant('b')]), 0, 'HOLDFAST OK - 2 tenants sound, oldest check 1 h ago'],
  ['one damaged', view([tenant('a', { verdict: 'damaged', damage: 'index' })]), 2, 'HOLDFAST CRITICAL - DAMAGED 1: a'],
  [
    'most of them only counted',
    view([tenant('a')], { others: { fresh: 5000, stale: 0, pinned: 0, oldestAt: now - 3 * hour } }),
    0,
    'HOLDFAST OK - 5,001 tenants sound, oldest check 3 h ago | tenants=5001 sound=5001 ',
  ],
  [
    'many that are too old only counted',
    view([tenant('a'), tenant('b', { checkedAt: now - 40 * hour })], {
      others: { fresh: 7, stale: 900, pinned: 0, oldestAt: now - 50 * hour },
    }),
    1,
    'HOLDFAST WARNING - STALE 901 tenants not fully checked within 1 d 2 h: b and 900 more',
  ],
  [
    'a hold that never ended',
    view([tenant('a')], { openHolds: [standingHold(true)] }),
    2,
    'HOLDFAST CRITICAL - PAUSED? 1 hold never seen to end: stuck; holdfast resume --all',
  ],
  ['a hold at work', view([tenant('a')], { openHolds: [standingHold(false)] }), 0, 'HOLDFAST OK'],
  [
    'a hold that its run gave up',
    view([tenant('stuck', { verdict: 'inconclusive', failure: 'RESUME_FAILED' })], {
      openHolds: [standingHold(false)],
    }),
    2,
    'HOLDFAST CRITICAL - PAUSED? 1 hold never seen to end: stuck',
  ],
  [
    'a hold by hooks that no run works on',
    view([tenant('a')], { via: 'hooks', openHolds: [standingHold(true)] }),
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
    'HOLDFAST WARNING - STALE the time of the last full sweep is in the future',
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
    'no tenant could ever be checked',
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
