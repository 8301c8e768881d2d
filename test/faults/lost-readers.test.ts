/** Readers die at their start, as the kernel's memory killer does it: the failure of one tenant, or of the machine. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ComparisonReport } from '../../src/model/result/comparison.ts'
import type { Report } from '../../src/model/result/report.ts'
import { makeDatabase } from '../support/cli/folder.ts'
import { configure } from '../support/cli/holdfast.ts'
import { makeDying, type DyingProgram } from '../support/dying-program.ts'
import { startDemo } from '../support/service/demo-service.ts'

let readers: DyingProgram
let files: readonly string[]
beforeAll(() => {
  readers = makeDying('reader-child')
  files = Array.from({ length: 30 }, (_, at) => makeDatabase(join(readers.home, `${at}.db`)))
})
afterAll(() => readers[Symbol.dispose]())
/** Folders of runs of this user in TMPDIR. */
const runFolders = (): readonly string[] => readdirSync(readers.home).filter((name) => name.startsWith('holdfast-'))

async function run(
  times: number,
  ...args: readonly string[]
): Promise<{ readonly code: number | null; readonly report: unknown }> {
  await using program = readers.start(times, ...args)
  const { code, stdout, stderr } = await program.ended
  expect(stdout, stderr).not.toBe('')
  return { code, report: JSON.parse(stdout) }
}

const verdicts = (report: unknown): readonly string[] =>
  (report as Report).results.map(({ verdict }) => verdict).toSorted()
const lost = {
  code: 'READ_FAILED',
  message: 'the process reader-child was killed from outside (SIGKILL)',
  hint: expect.stringContaining('memory killer') as string,
}

describe.each([
  ['check', ['check', '--json', '--workers', '1']],
  ['check --snapshot', ['check', '--snapshot', '--json', '--workers', '1']],
] as const)('`%s` of several files', (_, command) => {
  it('starts a dead reader again once, and the result of the file is the same', async () => {
    const { code, report } = await run(1, ...command, ...files.slice(0, 3))
    expect([readers.deaths(), code, verdicts(report)]).toEqual([1, 0, ['sound', 'sound', 'sound']])
    expect(runFolders()).toEqual([])
  })

  it('reports a file inconclusive if its reader died twice, and checks the others', async () => {
    const { code, report } = await run(2, ...command, ...files.slice(0, 3))
    expect([readers.deaths(), code, verdicts(report)]).toEqual([2, 3, ['inconclusive', 'sound', 'sound']])
    expect((report as Report).results.find(({ verdict }) => verdict === 'inconclusive')?.failure).toMatchObject(lost)
    expect(runFolders()).toEqual([])
  })

  it('stops if every reader dies, and reports the other files as not covered', async () => {
    const { code, report } = await run(99, ...command, ...files)
    const {
      results,
      run: { stopped },
      summary,
    } = report as Report
    expect([code, stopped]).toEqual([1, `READ_FAILED: ${lost.message}`])
    expect(results.filter(({ failure }) => failure?.code === 'READ_FAILED').length).toBeGreaterThanOrEqual(3)
    for (const { verdict, failure } of results)
      expect([verdict, failure?.code]).toEqual(['inconclusive', expect.stringMatching(/^(?:READ_FAILED|INTERRUPTED)$/)])
    expect(summary.notCovered).toBe(files.length - results.length)
    expect(summary.notCovered).toBeGreaterThan(0)
    expect(runFolders()).toEqual([])
  })
})

it('`compare` reports a pair that could not be read as not compared', async () => {
  // Each side has a reader, so one of them dies twice.
  const { code, report } = await run(3, 'compare', '--json', ...files.slice(0, 2))
  const {
    files: [pair, ...others],
  } = report as ComparisonReport
  expect([code, pair?.comparison, others]).toEqual([3, 'not-compared', []])
  expect([pair?.results.a?.failure, pair?.results.b?.failure]).toContainEqual(expect.objectContaining(lost))
  expect(runFolders()).toEqual([])
})

it('a sweep resumes every tenant, and continues after a tenant that could not be read', async () => {
  await using demo = await startDemo({ tenants: 4, bytes: 20_000 })
  const holdfast = configure(demo)
  const { code, report } = await run(2, 'sweep', '--json', '--config', holdfast.config)
  expect([code, verdicts(report)]).toEqual([3, ['inconclusive', 'sound', 'sound', 'sound']])
  for (const tenant of demo.tenants) expect((await demo.status(tenant)).state).toBe('active')
  expect(holdfast.snapshotsLeft()).toEqual([])
})
