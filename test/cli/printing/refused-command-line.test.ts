/**
 * What a refused command line prints on stdout. The options of the command decide it, not words that look like them.
 */
import { writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { makeFolder } from '../../support/cli/folder.ts'
import { holdfast, reportIn } from '../../support/cli/program.ts'
import { openService } from '../../support/cli/service.ts'

const outside = { cwd: '/' }

test.each([
  ['check', ['--json', '--nonsense', 'a.db']],
  ['check', ['a.db', '--depth', 'deepest', '--json']],
  ['check', ['--workers', '0', '--json', 'a.db']],
  ['check', ['--json']],
  ['sweep', ['--json', '--only']],
  ['sweep', ['--workers', '1', '--concurrency', '2', '--json']],
  ['pull', ['acme', '--json']],
  ['check', ['--timeout', '--json', 'a.db']],
  ['sweep', ['--workers', '--json']],
  ['check', ['--nonsense', '--tenant', '--json']],
  ['sweep', ['--depth', 'deepest', '--only', '--json']],
])('%s %s: a whole report with the failure', async (mode, args) => {
  const ran = await holdfast([mode, ...args], outside)
  const { run, results, failure, summary } = reportIn(ran)
  expect([run.mode, run.registry, results, failure?.code, summary.selected]).toEqual([mode, 'none', [], 'USAGE', 0])
  expect([ran.code, ran.stderr]).toEqual([64, expect.stringMatching(/\S/)])
})

test('compare: a whole comparison with the failure', async () => {
  const ran = await holdfast(['compare', '--json', 'a.db'], outside)
  expect([ran.code, JSON.parse(ran.stdout)]).toMatchObject([
    64,
    { schema: 'holdfast.compare/1', failure: { code: 'USAGE' }, files: [], summary: { exitCode: 64 } },
  ])
})

test.each([
  [['frobnicate', '--json']],
  [['--json', 'check', 'a.db']],
  [['help', 'frobnicate', '--json']],
  [['history', '--limit', 'none', '--json']],
  [['holders', '--json']],
  [['doctor', '--json', '--tenant']],
  [['explain', '--nonsense', '--json']],
  [['resume', '--json']],
  [['status', '--format', 'xml', '--json']],
  [['explain', '--log-level', '--json']],
  [['status', '--format', 'nagios', '--json', '--nonsense']],
])('%s: the document of a failure', async (args) => {
  const ran = await holdfast(args, outside)
  expect([ran.code, JSON.parse(ran.stdout)]).toMatchObject([
    64,
    { schema: 'holdfast.failure/1', failure: { code: 'USAGE' }, exitCode: 64 },
  ])
})

test.each([
  [['--format', 'nagios', '--nonsense']],
  [['--format=nagios', '--max-age', 'never']],
  [['--nonsense', '--format', 'monit']],
  [['--format', 'text', '--format', 'nagios', '--nonsense']],
  [['--format', 'xml', '--format=nagios']],
  // A variable of the script was empty.
  [['--max-age', '--format', 'nagios']],
  [['--config', '--format', 'nagios']],
  [['--max-age', '--format=monit']],
])('status %s: one line for a monitor, with 3', async (args) => {
  const ran = await holdfast(['status', ...args], outside)
  expect([ran.code, ran.stdout]).toEqual([3, expect.stringMatching(/^HOLDFAST UNKNOWN - USAGE: [^\n]+\n$/)])
})

test.each([
  [['status', '--format', 'nagios', '--format', 'text', '--nonsense']],
  [['status', '--nonsense', '--', '--format', 'nagios']],
  [['status', '--nonsense', '--tenant', 'nagios', '--format']],
  [['history', '--format', 'nagios']],
  [['history', '--nonsense', '--', '--json']],
])('%s: nothing, because no program waits for it', async (args) => {
  const ran = await holdfast(args, outside)
  expect([ran.code, ran.stdout]).toEqual([64, ''])
})

test('a tenant whose id looks like an option is a tenant', async () => {
  await using service = await openService({ tenants: (data) => ({ '--json': `${data}/json.db` }) })
  const config = ['--config', service.config]
  const checked = await holdfast(['check', ...config, '--tenant', '--json'])
  expect([checked.code, checked.stdout]).toEqual([0, expect.stringContaining('--json')])
  expect(checked.stdout).not.toContain('"schema"')
  const pulled = await holdfast(['pull', ...config, '--', '--json', '/dev/null'])
  expect([pulled.code, pulled.stdout]).toEqual([64, '']) // /dev/null is no folder.
  const resumed = await holdfast(['resume', ...config, '--', '--json'])
  expect([resumed.code, resumed.stdout]).toEqual([0, expect.stringContaining('--json is not known to be paused')])
  const unknown = await holdfast(['history', ...config, '--', '--format=nagios'])
  expect([unknown.code, unknown.stdout]).toEqual([64, ''])
})

test('a configuration that is wrong is a whole report for check, and for a monitor one line', async () => {
  using folder = makeFolder()
  writeFileSync(folder.in('holdfast.yaml'), 'service: [\n')
  const [report, line] = await Promise.all([
    holdfast(['check', '--tenant', 'acme', '--json'], { cwd: folder.path }),
    holdfast(['status', '--format', 'text', '--format', 'monit'], { cwd: folder.path }),
  ])
  expect([report.code, reportIn(report).failure?.code]).toEqual([78, 'CONFIG_INVALID'])
  expect([line.code, line.stdout]).toEqual([3, expect.stringMatching(/^HOLDFAST UNKNOWN - CONFIG_INVALID/)])
})
