/** The commands that status names next. */

import { expect, test } from 'vitest'
import type { StatusView } from '../../../src/report/status/status-view.ts'
import { standingHold, hour, now, render, tenant, view, wasSound } from '../../support/status.ts'

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
  ['one is damaged', view([tenant('a', { verdict: 'damaged', damage: 'table' })]), ['holdfast repair --tenant a']],
  [
    'one is damaged whose program must stop for a remedy: the check says which one',
    view([tenant('a', { verdict: 'damaged', damage: 'table', level: 'pinned' })]),
    ['holdfast check --tenant a'],
  ],
  [
    'one only violates a rule of the application: there is nothing to repair',
    view([tenant('a', { verdict: 'damaged', damage: 'none' })]),
    ['holdfast check --tenant a'],
  ],
  [
    'harm is suspected: nothing is offered that changes or checks a tenant',
    view([tenant('a', { verdict: 'damaged', damage: 'index' }), tenant('b', { verdict: 'failed' })], {
      lastFullSweepAt: null,
      harm: { code: 'LOCK_NOT_HONOURED', run: '01H', at: now - hour },
    }),
    ['holdfast explain LOCK_NOT_HONOURED'],
  ],
  [
    'all of them together',
    view([tenant('a', { verdict: 'damaged', damage: 'index' }), tenant('b', { verdict: 'failed' })], {
      openHolds: [standingHold(true)],
    }),
    ['holdfast resume --all', 'holdfast repair --tenant a', 'holdfast check --tenant b', 'holdfast sweep'],
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

test('a configuration that was named stands in every command, for another would ask another service', () => {
  const named = { configNamed: '/srv/a b.yaml', openHolds: [standingHold(true)] }
  expect(render(view([tenant('a', { verdict: 'damaged' })], named), 'nagios').text).toContain(
    "; holdfast resume --config '/srv/a b.yaml' --all",
  )
  const { text } = render(view([tenant('a', { verdict: 'damaged' })], named), 'text')
  expect(text.split('\n').filter((line) => line.startsWith('    holdfast '))).toEqual([
    "    holdfast resume --config '/srv/a b.yaml' --all",
    "    holdfast check --config '/srv/a b.yaml' --tenant a",
  ])
})
