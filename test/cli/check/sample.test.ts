/** `--depth sample=10%`: the ledger knows where the last one stopped, and no sample counts as a full check. */
import { expect, test } from 'vitest'
import type { Result } from '../../../src/model/result/report.ts'
import { makeDatabase } from '../../support/cli/folder.ts'
import { holdfast, reportOf, single } from '../../support/cli/program.ts'
import { openService } from '../../support/cli/service.ts'
import { rememberedFile } from '../../support/cli/silently-changed.ts'

test('the next night goes on where the last one stopped, and the exit code is 3', async () => {
  using remembered = rememberedFile({ rows: 800, pageSize: 1024 })
  const { path, folder, check } = remembered
  const ranges: unknown[] = []
  let result: Result | null = null
  for (let night = 0; night < 4; night++) {
    result = await check('--depth', 'sample=40%')
    expect([result.verdict, result.depth, result.findings]).toEqual(['inconclusive', 'sample', []])
    ranges.push([
      result.sample?.first,
      result.sample?.last === result.sample?.pages,
      result.sample?.wholeSince !== null,
    ])
  }
  const pages = result?.sample?.pages ?? 0
  const step = Math.ceil(pages * 0.4)
  expect(ranges).toEqual([
    [1, false, false],
    [step + 1, false, false],
    [2 * step + 1, true, true],
    [1, false, true],
  ])
  const { code, stdout } = await holdfast(['check', path, '--ledger', folder.in('ledger'), '--depth', 'sample=40%'])
  expect(code).toBe(3)
  expect(stdout).toMatch(/only a sample was read, pages \d+ to \d+ of \d+/)
  expect(stdout).toMatch(/sample {2}pages \d+ to \d+ of \d+; this round began 20.+; each page was\s+read since 20/)
})

test.each([
  ['sample=0%', /It must be quick, full, or a sample/],
  ['sample=101%', /It must be quick, full, or a sample/],
  ['sample=ten', /It must be quick, full, or a sample/],
  ['sample=10%', /--depth sample needs --tenant or --ledger/],
])('%s without a ledger is refused', async (depth, why) => {
  using remembered = rememberedFile()
  const { code, stderr } = await holdfast(['check', remembered.path, '--depth', depth])
  expect([code, stderr]).toEqual([64, expect.stringMatching(why)])
})

test('a sample of a tenant refreshes no full check and keeps no backup', async () => {
  await using service = await openService({
    tenants: (data) => ({ acme: makeDatabase(`${data}/acme.db`, { rows: 400, pageSize: 1024 }) }),
  })
  const config = ['--config', service.config]
  const sweep = await reportOf(['sweep', '--depth', 'sample=50%', ...config])
  expect([single(sweep).verdict, sweep.summary.exitCode, single(sweep).coverage.skipped]).toEqual([
    'inconclusive',
    3,
    [],
  ])
  const before = JSON.parse((await holdfast(['status', '--json', ...config])).stdout) as {
    tenants: { readonly settled: unknown; readonly depth: string }[]
    lastFullSweepAt: unknown
  }
  expect(before.tenants.map(({ settled, depth }) => [settled, depth])).toEqual([[null, 'sample']])
  expect((await reportOf(['sweep', '--depth', 'sample=50%', ...config])).results[0]?.sample?.first).toBeGreaterThan(1)
  const history = await holdfast(['history', 'acme', ...config])
  expect(history.stdout).toContain('sample')
})
