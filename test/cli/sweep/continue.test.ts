/** What a sweep leaves: by a budget, a signal or `kill -9`. The next sweep begins with it, or goes on with it alone. */
import { expect, test } from 'vitest'
import type { Report } from '../../../src/model/result/report.ts'
import { damageIndex, makeDatabase } from '../../support/cli/folder.ts'
import { resultOf, holdfast, reportIn, start, type RunningProgram } from '../../support/cli/program.ts'
import { openService, type TestService } from '../../support/cli/service.ts'
import { eventually } from '../../support/processes.ts'

const ids = ['acme', 'bolt', 'crate', 'dune', 'echo', 'fern', 'gale', 'hive']
const tenants = (data: string): Record<string, string> => Object.fromEntries(ids.map((id) => [id, `${data}/${id}.db`]))
const run = (service: TestService, ...args: readonly string[]): ReturnType<typeof holdfast> =>
  holdfast(['sweep', '--json', '--config', service.config, ...args])
const held = ({ actions }: TestService, from = 0): readonly string[] =>
  actions.slice(from).flatMap((action) => (action.startsWith('close ') ? [action.slice(6)] : []))

test('when the budget is over no tenant begins; the next sweep begins with those that are left', async () => {
  await using service = await openService({ tenants, onClose: () => new Promise((wait) => void setTimeout(wait, 150)) })
  const first = await run(service, '--budget', '300ms')
  const { summary, run: about } = reportIn(first)
  expect([first.code, summary.notCovered > 0, summary.sound > 0, about.stopped]).toEqual([3, true, true, undefined])
  expect(about.notices?.join()).toMatch(/^the budget of 300 ms is over: \d files are left, and the next sweep begins/)
  const left = summary.notReached?.map(({ tenant }) => tenant) ?? []
  const before = service.actions.length
  expect((await run(service)).code).toBe(0)
  expect(held(service, before).slice(0, left.length).toSorted()).toEqual(left.map(String).toSorted())
})

test('a deadline that is over lets no tenant begin', async () => {
  await using service = await openService()
  const ran = await run(service, '--deadline', '2020-01-01T06:00Z')
  expect([ran.code, reportIn(ran).summary.notCovered, held(service)]).toEqual([3, 2, []])
  expect(reportIn(ran).run.notices?.join()).toMatch(/^the deadline is over: 2 files are left/)
  expect((await run(service, '--deadline', 'soon')).code).toBe(64)
})

test('after kill -9 --continue repeats at most the tenants in flight, and tells of damage that was found', async () => {
  let sweeping: RunningProgram | null = null
  let killAt = 5
  await using service = await openService({
    tenants: (data) => {
      const all = tenants(data)
      for (const path of Object.values(all)) makeDatabase(path, { wal: false })
      damageIndex(`${data}/acme.db`)
      return all
    },
    settings: { sweep: { maxAge: '24h' } },
    onClose: async () => {
      if (held(service).length !== killAt) return
      // The first results are in the ledger.
      await eventually('the first three are checked', async () => {
        const { stdout } = await holdfast(['history', '--json', '--config', service.config])
        const { entries } = JSON.parse(stdout) as { readonly entries: readonly { readonly tenant: string }[] }
        return ['acme', 'bolt', 'crate'].every((id) => entries.some(({ tenant }) => tenant === id))
      })
      sweeping?.kill('SIGKILL')
    },
  })
  sweeping = start(['sweep', '--order', 'registry', '--config', service.config])
  await resultOf(sweeping)
  killAt = 0
  const before = service.actions.length
  await eventually('the guardian has resumed it', () => service.gate.stateOf('echo') === 'active')
  const continued = await run(service, '--continue')
  const report: Report = reportIn(continued)
  const again = held(service, before)
  expect(again.filter((id) => ['acme', 'bolt', 'crate'].includes(id))).toEqual([])
  expect(again.toSorted()).toEqual(expect.arrayContaining(['echo', 'fern', 'gale', 'hive']) as unknown)
  // The damage that was found before nobody has reported yet.
  expect(continued.code).toBe(2)
  const damaged = report.results.find(({ tenant }) => tenant === 'acme')
  expect([damaged?.verdict, damaged?.damage, typeof damaged?.run]).toEqual(['damaged', 'index', 'string'])
  expect(report.run.notices?.[0]).toMatch(/^this run goes on with the sweep that began at /)
  const { selected, notDue = 0, notCovered } = report.summary
  expect([selected + notDue, notCovered]).toEqual([ids.length, 0])
  // Both parts together are a full sweep.
  const status = await holdfast(['status', '--json', '--config', service.config])
  expect(JSON.parse(status.stdout)).toMatchObject({ lastFullSweepAt: expect.any(Number) as number })
})

test('--continue checks again what was only checked less deeply since: it counts for no full sweep', async () => {
  await using service = await openService({ settings: { sweep: { maxAge: '24h' } } })
  expect((await run(service, '--deadline', '2020-01-01T06:00Z')).code).toBe(3)
  const quick = ['check', '--tenant', 'acme', 'bolt', '--depth', 'quick', '--quiet', '--config', service.config]
  expect((await holdfast(quick)).code).toBe(0)
  const before = service.actions.length
  const { summary } = reportIn(await run(service, '--continue'))
  expect([summary.sound, summary.notDue ?? 0, held(service, before).toSorted()]).toEqual([2, 0, ['acme', 'bolt']])
})

test('--continue without an interrupted sweep begins one; else --only and --depth must be as they were', async () => {
  let sweeping: RunningProgram | null = null
  await using service = await openService({ tenants, onClose: () => void sweeping?.kill('SIGTERM') })
  const fresh = await run(service, '--continue')
  expect([fresh.code, reportIn(fresh).summary.sound]).toEqual([0, ids.length])
  expect(reportIn(fresh).run.notices).toEqual(['no sweep of the last 24 hours was interrupted, so a new one began'])
  sweeping = start(['sweep', '--depth', 'quick', '--only', '[a-d]*', '--config', service.config])
  expect((await resultOf(sweeping)).code).toBe(143)
  sweeping = null
  const other = await run(service, '--continue', '--depth', 'full')
  expect([other.code, reportIn(other).failure?.message]).toEqual([
    64,
    'the sweep to continue took --only "[a-d]*" with --depth quick',
  ])
  const rest = reportIn(await run(service, '--continue'))
  expect(
    rest.results.map(({ tenant, depth }) => [depth, ['acme', 'bolt', 'crate', 'dune'].includes(tenant ?? '')]),
  ).toEqual(rest.results.map(() => ['quick', true]))
  expect([rest.summary.exitCode, rest.results.length > 0]).toEqual([0, true])
})
