/** The metrics of a fleet, and the rules and the dashboard that the package has for them. */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { renderFleetStatus } from '../../../../src/report/fleet/status/fleet-status.ts'
import type { FleetView } from '../../../../src/report/fleet/status/fleet-view.ts'
import { makeFolder, type Folder } from '../../../support/cli/folder.ts'
import { fleetFile, fleetRun, fleetView, host, share } from '../../../support/fleet/status-facts.ts'
import { hour, now } from '../../../support/status.ts'

const inSource = (name: string): string =>
  new URL(`../../../../src/report/fleet/status/monitoring/${name}`, import.meta.url).pathname
const rules = inSource('holdfast-fleet-alerts.yaml')

interface Panel {
  readonly title: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly targets: readonly { readonly expr: string }[]
}
const { panels } = JSON.parse(readFileSync(inSource('grafana-fleet-dashboard.json'), 'utf8')) as {
  readonly panels: readonly Panel[]
}
/** As Grafana asks for all services. */
const questionsOf = ({ targets }: Panel): readonly string[] =>
  targets.map(({ expr }) => expr.replaceAll('$service', '.*'))
const hasPromtool = spawnSync('which', ['promtool']).status === 0

const metricsOf = (view: FleetView): string =>
  [...renderFleetStatus(view, { format: 'prometheus', width: Infinity, color: false, verbose: false }).text].join('')

const counts = { sound: 7, damaged: 1, inconclusive: 0, failed: 2, never: 0 }
const wrong = fleetView({
  hosts: [host('h1', { outboxRows: 7, clockSkewMs: -90_000 }), host('h"2\\', { seenAt: now - hour })],
  shares: [share('h1', { counts, stale: 3, oldestSoundAt: null }), share('h"2\\')],
  files: [fleetFile('acme'), fleetFile('acme', { path: '/srv/other.db' }), fleetFile('bolt', { verdict: 'failed' })],
  runs: [fleetRun({ state: 'fed', endedAt: null, done: 5 }), fleetRun()],
  slots: [
    { scope: 'fleet', slot: 1, holder: 'h1', takenAt: now - hour, expiryMs: 90_000 },
    { scope: 'fleet', slot: 2, holder: null, takenAt: null, expiryMs: 90_000 },
  ],
  breakers: [{ scope: 'fleet', reason: 'a test', since: now, by: 'ada' }],
})

test('metrics of a fleet', () => {
  const lines = metricsOf(wrong).split('\n')
  for (const line of [
    `holdfast_fleet_last_full_sweep_timestamp_seconds ${(now - 2 * hour) / 1000}`,
    'holdfast_fleet_tenants{host="h1",service="notes",verdict="failed"} 2',
    'holdfast_fleet_tenants_stale{host="h1",service="notes"} 3',
    'holdfast_fleet_harm_suspected 0', // A person has stopped the pauses.
    'holdfast_fleet_oldest_check_age_seconds{host="h1",service="notes"} +Inf',
    'holdfast_fleet_oldest_check_age_seconds{host="h\\"2\\\\\\\\",service="notes"} 10800',
    'holdfast_fleet_agent_up{host="h1"} 1',
    'holdfast_fleet_agent_up{host="h\\"2\\\\\\\\"} 0',
    'holdfast_fleet_outbox_results{host="h1"} 7',
    'holdfast_fleet_clock_skew_seconds{host="h1"} -90',
    'holdfast_fleet_pause_slots{scope="fleet"} 2',
    'holdfast_fleet_pause_slots_taken{scope="fleet"} 1',
    'holdfast_fleet_pause_slots_stuck 1',
    'holdfast_fleet_coordinators 1',
    'holdfast_fleet_breaker_open{scope="fleet"} 1',
    'holdfast_fleet_run_results{kind="sweep"} 5',
    'holdfast_fleet_run_files{kind="sweep"} 20',
  ])
    expect(lines).toContain(line)
  expect(lines.filter((line) => line.startsWith('holdfast_fleet_tenant_damaged'))).toEqual([
    'holdfast_fleet_tenant_damaged{host="h1",service="notes",tenant="acme"} 1',
  ])
})

test('no sweep, no run and no breaker have no sample', () => {
  const text = metricsOf(fleetView({ runs: [] }))
  expect(text).not.toMatch(/^holdfast_fleet_(?:last_full_sweep|run_|breaker_open|tenant_damaged)[a-z_]*[ {]/m)
})

test('each rule and each panel asks for metrics that the status prints, and says what to do', () => {
  const known = new Set([...metricsOf(wrong).matchAll(/^(holdfast_\w+)/gm)].map(([, name]) => name))
  const { groups } = parse(readFileSync(rules, 'utf8')) as {
    groups: { rules: { alert: string; expr: string; annotations: { description: string } }[] }[]
  }
  const all = groups.flatMap((group) => group.rules)
  expect(all.length).toBeGreaterThan(10)
  for (const panel of panels) {
    const asked = questionsOf(panel).flatMap((expr) => [...expr.matchAll(/\bholdfast_\w+/g)].map(([name]) => name))
    expect([panel.title, asked.length > 0, asked.filter((name) => !known.has(name))]).toEqual([panel.title, true, []])
  }
  for (const { alert, expr, annotations } of all) {
    const asked = [...expr.matchAll(/\bholdfast_\w+/g)].map(([name]) => name)
    expect([alert, asked.filter((name) => !known.has(name))]).toEqual([alert, []])
    expect(annotations.description).toMatch(/^\S.*\.$/)
  }
})

test.skipIf(!hasPromtool)('promtool accepts rules and metrics (skipped without promtool)', () => {
  const checked = spawnSync('promtool', ['check', 'rules', rules], { encoding: 'utf8' })
  expect([checked.status, checked.stderr]).toEqual([0, ''])
  const { status, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: metricsOf(wrong), encoding: 'utf8' })
  expect([status, stderr]).toEqual([0, ''])
})

test('no panel of the dashboard lies on another', () => {
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, at) => `${x + (at % w)},${y + Math.floor(at / w)}`),
  )
  expect(new Set(cells).size).toBe(cells.length)
  expect(panels.filter(({ gridPos: { x, w } }) => x + w > 24)).toEqual([])
})

test.skipIf(!hasPromtool)('what the numbers of the dashboard say of fleets (skipped without promtool)', () => {
  using folder = makeFolder()
  const valueOf = { 'Damaged tenants': [0, 2], 'Pauses stopped in': [0, 1], 'Agents that do not report': [0, 1] }
  const two = (name: string, labels: string, values: string) =>
    ['one', 'two'].map((instance) => ({ series: `${name}{${labels},instance="${instance}"}`, values }))
  const series = [
    [...two('holdfast_fleet_agent_up', 'host="h1"', '1 1')],
    [
      ...two('holdfast_fleet_agent_up', 'host="h1"', '1 1'),
      ...two('holdfast_fleet_agent_up', 'host="h2"', '0 0'),
      ...two('holdfast_fleet_breaker_open', 'scope="fleet"', '1 1'),
      ...two('holdfast_fleet_tenant_damaged', 'host="h1",service="notes",tenant="a"', '1 1'),
      ...two('holdfast_fleet_tenant_damaged', 'host="h2",service="notes",tenant="a"', '1 1'),
    ],
  ]
  const exprs = panels.flatMap(questionsOf)
  const groups = [{ name: 'panels', rules: exprs.map((expr, at) => ({ record: `panel_${at}`, expr })) }]
  writeFileSync(folder.in('panels.yaml'), JSON.stringify({ groups }))
  const checked = spawnSync('promtool', ['check', 'rules', folder.in('panels.yaml')], { encoding: 'utf8' })
  expect([checked.status, checked.stderr]).toEqual([0, ''])
  const tests = series.map((input_series, at) => ({
    interval: '1m',
    input_series,
    promql_expr_test: Object.entries(valueOf).map(([title, values]) => ({
      expr: panels.filter((panel) => panel.title === title).flatMap(questionsOf)[0],
      eval_time: '1m',
      exp_samples: [{ labels: '{}', value: values[at] }],
    })),
  }))
  writeFileSync(folder.in('test.yaml'), JSON.stringify({ evaluation_interval: '1m', tests }))
  const ran = spawnSync('promtool', ['test', 'rules', folder.in('test.yaml')], { encoding: 'utf8' })
  expect([ran.status, ran.stdout + ran.stderr]).toEqual([0, expect.stringContaining('SUCCESS')])
})

interface Series {
  readonly series: string
  readonly values: string
}

/** Of a fleet that is well, for two days. */
const healthy: readonly Series[] = [
  { series: 'holdfast_fleet_last_full_sweep_timestamp_seconds', values: '0+600x200' },
  { series: 'holdfast_fleet_tenants{host="h1",service="notes",verdict="sound"}', values: '3+0x200' },
  { series: 'holdfast_fleet_tenants_stale{host="h1",service="notes"}', values: '0+0x200' },
  { series: 'holdfast_fleet_harm_suspected', values: '0+0x200' },
  { series: 'holdfast_fleet_agent_up{host="h1"}', values: '1+0x200' },
  { series: 'holdfast_fleet_outbox_results{host="h1"}', values: '0+0x200' },
  { series: 'holdfast_fleet_clock_skew_seconds{host="h1"}', values: '0+0x200' },
  { series: 'holdfast_fleet_pause_slots_stuck', values: '0+0x200' },
  { series: 'holdfast_fleet_holds_overdue', values: '0+0x200' },
  { series: 'holdfast_fleet_coordinators', values: '2+0x200' },
]

/** For each rule what makes it fire, in the place of the healthy series of the same name. */
const causes: Readonly<Record<string, Series>> = {
  HoldfastFleetHarmSuspected: { series: 'holdfast_fleet_harm_suspected', values: '1+0x200' },
  HoldfastFleetTenantDamaged: {
    series: 'holdfast_fleet_tenant_damaged{host="h1",service="notes",tenant="b"}',
    values: '1+0x200',
  },
  HoldfastFleetMaybePaused: { series: 'holdfast_fleet_holds_overdue', values: '1+0x200' },
  HoldfastFleetStopped: { series: 'holdfast_fleet_breaker_open{scope="fleet"}', values: '1+0x200' },
  HoldfastFleetBlind: { series: 'holdfast_fleet_agent_up{host="h1"}', values: '0+0x200' },
  HoldfastFleetAgentDown: { series: 'holdfast_fleet_agent_up{host="h2"}', values: '0+0x200' },
  HoldfastFleetNoCoordinator: { series: 'holdfast_fleet_coordinators', values: '0+0x200' },
  HoldfastFleetSweepOld: { series: 'holdfast_fleet_last_full_sweep_timestamp_seconds', values: '0+0x200' },
  HoldfastFleetStale: { series: 'holdfast_fleet_tenants_stale{host="h1",service="notes"}', values: '4+0x200' },
  HoldfastFleetInconclusive: {
    series: 'holdfast_fleet_tenants{host="h1",service="notes",verdict="failed"}',
    values: '1+0x200',
  },
  HoldfastFleetResultsWait: { series: 'holdfast_fleet_outbox_results{host="h1"}', values: '5000+0x200' },
  HoldfastFleetSlotsStuck: { series: 'holdfast_fleet_pause_slots_stuck', values: '1+0x200' },
  HoldfastFleetClock: { series: 'holdfast_fleet_clock_skew_seconds{host="h1"}', values: '-90+0x200' },
  HoldfastFleetStatusMissing: { series: 'holdfast_fleet_coordinators', values: 'stale' },
}

interface Case {
  readonly input: readonly Series[]
  readonly alerts: readonly string[]
}

/** Evaluated late enough for each `for`. @returns the rules that fire */
function firingRules(folder: Folder, cases: readonly Case[]): readonly string[] {
  const document = {
    rule_files: [rules],
    evaluation_interval: '10m',
    tests: cases.map(({ input, alerts }) => ({
      interval: '10m',
      input_series: input,
      alert_rule_test: alerts.map((alertname) => ({ eval_time: '30h', alertname, exp_alerts: [] })),
    })),
  }
  writeFileSync(folder.in('test.yaml'), JSON.stringify(document))
  const { stdout, stderr } = spawnSync('promtool', ['test', 'rules', folder.in('test.yaml')], { encoding: 'utf8' })
  expect(stdout + stderr).not.toMatch(/parse|unmarshal|invalid/)
  return [...(stdout + stderr).matchAll(/alertname: (\w+)/g)].map(([, name = '']) => name)
}

test.skipIf(!hasPromtool)('each rule fires on what it is for, and none on a healthy fleet (needs promtool)', () => {
  using folder = makeFolder()
  const named = [...readFileSync(rules, 'utf8').matchAll(/alert: (\w+)/g)].map(([, name = '']) => name)
  expect(named.toSorted()).toEqual(Object.keys(causes).toSorted())
  expect(firingRules(folder, [{ input: healthy, alerts: named }])).toEqual([])
  const cases = Object.entries(causes).map(([alert, cause]) => ({
    input: [...healthy.filter(({ series }) => series !== cause.series), cause],
    alerts: [alert],
  }))
  expect(firingRules(folder, cases).toSorted()).toEqual(named.toSorted())
})
