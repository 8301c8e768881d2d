/** The documents of the fleet fit their published schemas, which describe each of their fields. */
import { expect, test } from 'vitest'
import { fleetRules } from '../../../src/fleet/status/fleet-disagreement.ts'
import type { FleetReconciliation } from '../../../src/fleet/status/reconcile-fleet.ts'
import type { RemovedHost } from '../../../src/fleet/status/remove-host.ts'
import { fleetAgentsDocument, fleetAgentsText } from '../../../src/report/fleet/fleet-agents.ts'
import { fleetHistoryDocument, fleetHistoryText } from '../../../src/report/fleet/fleet-history.ts'
import { fleetReconciliationDocument, fleetReconciliationText } from '../../../src/report/fleet/fleet-reconciliation.ts'
import { renderFleetStatus } from '../../../src/report/fleet/status/fleet-status.ts'
import type { FleetView } from '../../../src/report/fleet/status/fleet-view.ts'
import { problemsOfDocument } from '../../support/cli/json-documents.ts'
import { fleetFile, fleetRun, fleetView, host, share } from '../../support/fleet/status-facts.ts'
import { hour, now } from '../../support/status.ts'

const plain = { width: Infinity, color: false, verbose: false }
const documentOf = (view: FleetView): Readonly<Record<string, unknown>> =>
  JSON.parse([...renderFleetStatus(view, { format: 'json', ...plain }).text].join('')) as never

const counts = { sound: 8, damaged: 1, inconclusive: 0, failed: 1, never: 3 }

test.each<[string, Partial<FleetView>]>([
  ['all is well', {}],
  ['nothing is known', { hosts: [], shares: [], runs: [], slots: [] }],
  [
    'much is wrong',
    {
      hosts: [host('h1', { seenAt: now - hour, domain: 'rack-2', said: 'the outbox is full' })],
      shares: [share('h1', { counts, stale: 4, oldestSoundAt: null }), share('gone')],
      files: [fleetFile('acme'), fleetFile('bolt', { verdict: 'failed', damage: 'none', failure: 'RESUME_FAILED' })],
      oldest: [fleetFile('coda', { verdict: null, damage: 'none', checkedAt: null, soundAt: null, run: null })],
      runs: [fleetRun({ state: 'feeding', endedAt: null, said: 'h2 has no agent' }), fleetRun()],
      slots: [{ scope: 'fleet', slot: 1, holder: 'h1', takenAt: now - hour, expiryMs: 90_000 }],
      breakers: [{ scope: 'fleet', reason: 'a person', since: now, by: 'ada' }],
    },
  ],
])('the status fits: %s', (_, more) => {
  expect(problemsOfDocument(documentOf(fleetView(more)))).toEqual([])
})

test('the status has the counts of all hosts, and hosts that are not registered', () => {
  const document = documentOf(fleetView({ shares: [share('h1', { counts, stale: 4 }), share('gone')] }))
  expect(document).toMatchObject({
    state: 'CRITICAL',
    code: 2,
    counts: { sound: 18, damaged: 1, inconclusive: 0, failed: 1, never: 3 },
    stale: 4,
    filesTotal: 2,
    hostsUnknown: ['gone'],
    hosts: [
      { name: 'h1', isMissed: false, counts, stale: 4 },
      { name: 'h2', counts: { sound: 0 } },
    ],
    pauses: { scopes: [{ scope: 'fleet', limit: 2, taken: 0, stuck: 0 }] },
  })
})

test('what is no status is refused', () => {
  const good = documentOf(fleetView())
  for (const wrong of [
    { ...good, code: 1 },
    { ...good, state: 'WARNING', code: 1 },
    { ...good, hosts: [{ name: 'h1' }] },
    { ...good, unheardOf: 1 },
  ])
    expect(problemsOfDocument(wrong)).not.toEqual([])
})

test('agents: document and text', () => {
  const hosts = [host('h1'), host('h2', { seenAt: now - hour })]
  const agents = { at: now, hosts, shares: [share('h1')], removed: null }
  const document = JSON.parse(fleetAgentsDocument(agents)) as object
  expect(problemsOfDocument(document)).toEqual([])
  expect(document).toMatchObject({ hosts: [{ isMissed: false }, { isMissed: true }] })
  expect(fleetAgentsText(agents, plain).split('\n').slice(1, 4)).toEqual([
    expect.stringMatching(/^h1 +- +1\.0 s ago +10 +10 +0 +0 +0 +0\.1\.0$/),
    expect.stringMatching(/^h2 +- +MISSED 1 h +0 /),
    '2 agents, 1 not reporting',
  ])
  const empty = { at: now, hosts: [], shares: [], removed: null }
  expect(fleetAgentsText(empty, plain)).toBe('No agent has registered yet: start `holdfast agent` on each host.\n')
})

test('agents: a host that was removed, in few sentences', () => {
  const removed = {
    host: 'db7',
    seenAt: now - hour,
    tenants: 5000,
    files: 5001,
    damaged: 0,
    onNoHost: 0,
    listed: [],
    outboxRows: 0,
    runs: [],
  }
  const textOf = (more: Partial<RemovedHost>): string =>
    fleetAgentsText(
      { at: now, hosts: [], shares: [], removed: { ...removed, ...more } },
      { ...plain, config: '/f.yaml' },
    )
  const rest = 'If its agent starts again, the host is a part of the fleet again.\n\nThe fleet has no other host.\n'
  expect(textOf({})).toBe(
    'db7 was removed from the fleet, with 5,000 tenants (5,001 files). Their results stay in the history.\n' +
      `Each of these tenants is on another host too.\n${rest}`,
  )
  expect(textOf({ tenants: 0, files: 0 })).not.toContain('another host too')
  const listed = ['acme', 'bolt', 'coda', 'dora'].map((tenant) => ({ service: 'notes', tenant }))
  expect(textOf({ damaged: 1, onNoHost: 4, listed, outboxRows: 12, runs: ['01KB'] })).toBe(
    'db7 was removed from the fleet, with 5,000 tenants (5,001 files). Their results stay in the history.\n' +
      'Damaged when they were last checked: 1 file of them.\n' +
      'On no other host of the fleet: 4 tenants (acme, bolt, coda and 1 more). ' +
      '`holdfast fleet reconcile --config /f.yaml` names them until a host has them.\n' +
      'Its agent had 12 results that it did not deliver: they are only on the host.\n' +
      `What 01KB still had for it is left out: the run ends with the other hosts.\n${rest}`,
  )
  const full = { at: now, hosts: [], shares: [], removed: { ...removed, listed, onNoHost: 4, runs: ['01KB'] } }
  expect(problemsOfDocument(JSON.parse(fleetAgentsDocument(full)))).toEqual([])
})

test('history: the runs, and the results of a tenant', () => {
  const result = {
    host: 'h1',
    service: 'notes',
    path: '/srv/a.db',
    run: '01KB0000000000000000000000',
    attempt: 1,
    verdict: 'failed',
    damage: 'none',
    failure: 'IN_USE',
    checkedAt: now - hour,
    deliveredAt: now,
  } as const
  const runs = { tenant: null, runs: [fleetRun({ done: 19 })], results: [], older: 'holdfast fleet history --limit 9' }
  const results = { tenant: 'acme', runs: [], results: [result], older: null }
  for (const history of [runs, results, { ...results, results: [] }])
    expect(problemsOfDocument(JSON.parse(fleetHistoryDocument(history)))).toEqual([])
  expect(JSON.parse(fleetHistoryDocument(runs))).toMatchObject({ more: true })
  expect(fleetHistoryText(runs, plain)).toMatch(
    /sweep .* 1 h {2}done +19 of 20 +20 +0 +0\nolder ones are not shown: holdfast fleet history --limit 9\n$/,
  )
  expect(fleetHistoryText(results, plain)).toMatch(/\nh1 .* FAILED +IN_USE +01KB0+ +\/srv\/a\.db\n$/)
  expect(fleetHistoryText({ ...results, results: [] }, plain)).toBe('The fleet keeps no result of this tenant.\n')
})

test('a reconciliation: all agree, and one of each rule', () => {
  const agree: FleetReconciliation = {
    at: now,
    hosts: 2,
    files: 20,
    tenants: 20,
    disagreements: [],
    totals: {},
    replicas: [],
  }
  expect(problemsOfDocument(JSON.parse(fleetReconciliationDocument(agree, null)))).toEqual([])
  expect(fleetReconciliationText(agree, null, plain)).toBe('2 hosts, 20 tenants, 20 files: all agree. Exit code 0.\n')
  const replicas = [{ tenants: ['acme', 'eu-*'], hosts: 2, total: 17 }]
  expect(fleetReconciliationText({ ...agree, replicas }, null, plain)).toBe(
    'Meant by fleet.replicas: 17 tenants on 2 hosts each (acme, eu-*).\n' +
      '2 hosts, 20 tenants, 20 files: all agree. Exit code 0.\n',
  )
  const found: FleetReconciliation = {
    ...agree,
    replicas,
    disagreements: fleetRules.map((rule) => ({
      rule,
      host: 'h1',
      service: null,
      tenant: null,
      said: `a sentence about ${rule}`,
      next: rule === 'never-checked' ? null : 'holdfast fleet agents',
    })),
    totals: Object.fromEntries(fleetRules.map((rule) => [rule, 12])),
  }
  const document = JSON.parse(fleetReconciliationDocument(found, 20)) as object
  expect(problemsOfDocument(document)).toEqual([])
  expect(document).toMatchObject({ resent: 20, summary: { agree: false, exitCode: 3, disagreements: 108 } })
  const text = fleetReconciliationText(found, 20, { ...plain, config: '/f.yaml' })
  for (const rule of fleetRules) expect(text).toContain(`: 12 (${rule})\n  a sentence about ${rule}\n`)
  expect(text).toContain('    holdfast fleet agents --config /f.yaml\n  11 more; --verbose or --json lists them\n')
  expect(text).toContain('asked to send again what their ledgers have of 20 tenants')
  expect(text).toMatch(/108 disagreements\. Exit code 3\.\n$/)
})
