/** The rules and the dashboard that the package has for Prometheus and Grafana. */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { makeFolder } from '../../support/cli/folder.ts'
import { hour, now, render, tenant, view } from '../../support/status.ts'

const inSource = (name: string): string =>
  new URL(`../../../src/report/status/monitoring/${name}`, import.meta.url).pathname
const rules = inSource('holdfast-alerts.yaml')
const hasPromtool = spawnSync('which', ['promtool']).status === 0
const promtool = (...args: readonly string[]): readonly [number | null, string] => {
  const { status, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8' })
  return [status, stdout + stderr]
}

const absence = {
  kind: 'registry-cached',
  code: 1,
  since: now - hour,
  text: 'the list of tenants is a copy',
  command: 'holdfast doctor',
} as const
const metricsOf = (text: string): ReadonlySet<string> =>
  new Set([...text.matchAll(/\b(holdfast_[a-z_]+)/g)].map(([, name = '']) => name))
const printed = render(
  view([tenant('a'), tenant('b', { verdict: 'damaged' })], { absences: [absence], oldestBackupAt: now - hour }),
  'prometheus',
).text

test('rules and dashboard ask for metrics that the status prints', () => {
  const known = metricsOf(printed)
  for (const file of [rules, inSource('grafana-dashboard.json')])
    expect([...metricsOf(readFileSync(file, 'utf8'))].filter((name) => !known.has(name))).toEqual([])
})

test.skipIf(!hasPromtool)('promtool accepts rules and metrics (skipped without promtool)', () => {
  expect(promtool('check', 'rules', rules)).toEqual([0, expect.stringContaining('SUCCESS')])
  const { status, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: printed, encoding: 'utf8' })
  expect([status, stderr]).toEqual([0, ''])
})

test.skipIf(!hasPromtool)(
  'each rule fires on what it is for, and none on a healthy service (skipped without promtool)',
  () => {
    using folder = makeFolder()
    const labels = '{service="notes",instance="one"}'
    const of = (more: string): string => `{service="notes",instance="one",${more}}`
    const healthy = [
      { series: `holdfast_last_full_sweep_timestamp_seconds${labels}`, values: '0+0x2000' },
      { series: `holdfast_tenants${of('verdict="sound"')}`, values: '3+0x2000' },
      { series: `holdfast_pause_seconds_count${labels}`, values: '5+0x2000' },
      { series: `holdfast_harm_suspected${labels}`, values: '0+0x2000' },
      { series: `holdfast_holds_overdue${labels}`, values: '0+0x2000' },
      { series: `holdfast_registry_cached${labels}`, values: '0+0x2000' },
      { series: `holdfast_leases_expired_total${labels}`, values: '1+0x2000' },
    ]
    const cases = [
      { alert: 'HoldfastHarmSuspected', at: '10m', series: `holdfast_harm_suspected${labels}`, values: '1+0x60' },
      {
        alert: 'HoldfastTenantDamaged',
        at: '10m',
        series: `holdfast_tenant_damaged${of('tenant="b"')}`,
        values: '1+0x60',
      },
      { alert: 'HoldfastMaybePaused', at: '10m', series: `holdfast_holds_overdue${labels}`, values: '1+0x60' },
      { alert: 'HoldfastAbsence', at: '10m', series: `holdfast_absence${of('kind="hung"')}`, values: '2+0x60' },
      { alert: 'HoldfastAbsenceMinor', at: '2h', series: `holdfast_absence${of('kind="killed"')}`, values: '1+0x200' },
      { alert: 'HoldfastStale', at: '28h', series: 'unused', values: '0' }, // The full sweep was at 0.
      {
        alert: 'HoldfastInconclusive',
        at: '27h',
        series: `holdfast_tenants${of('verdict="failed"')}`,
        values: '2+0x2000',
      },
      { alert: 'HoldfastLeasesExpire', at: '2h', series: `holdfast_leases_expired_total${labels}`, values: '1+1x200' },
      { alert: 'HoldfastRegistryCached', at: '2h', series: `holdfast_registry_cached${labels}`, values: '1+0x200' },
      { alert: 'HoldfastStatusMissing', at: '2h', series: `holdfast_pause_seconds_count${labels}`, values: '5 stale' },
    ]
    const names = [...readFileSync(rules, 'utf8').matchAll(/alert: (\w+)/g)].map(([, name]) => name)
    expect(cases.map(({ alert }) => alert).toSorted()).toEqual(names.toSorted())
    const fires = (
      alert: string,
      at: string,
      series: readonly { readonly series: string; readonly values: string }[],
    ): boolean => {
      const document = {
        rule_files: [rules],
        evaluation_interval: '1m',
        tests: [
          {
            interval: '1m',
            input_series: series,
            alert_rule_test: [{ eval_time: at, alertname: alert, exp_alerts: [] }],
          },
        ],
      }
      writeFileSync(folder.in('test.yaml'), JSON.stringify(document))
      const [status, said] = promtool('test', 'rules', folder.in('test.yaml'))
      expect(said).not.toMatch(/parse|unmarshal|invalid/)
      return status !== 0 // It expects no alert.
    }
    for (const { alert, at, series, values } of cases) {
      const others = healthy.filter((one) => one.series !== series)
      expect([alert, fires(alert, at, [...others, { series, values }])]).toEqual([alert, true])
      if (alert !== 'HoldfastStale') expect([alert, fires(alert, at, healthy)]).toEqual([alert, false])
    }
    expect(fires('HoldfastStale', '2h', healthy)).toBe(false)
  },
)
