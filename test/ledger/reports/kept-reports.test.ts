/** Reports beside the ledger: what is kept, what goes, and what a damaged file does. */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  findReport,
  findReports,
  keepPages,
  keepReport,
  keptPages,
  keptReports,
  linesOfReport,
} from '../../../src/ledger/reports/kept-reports.ts'
import type { ReportHeading } from '../../../src/ledger/reports/report-file.ts'
import { newRunId } from '../../../src/ledger/run-lock/run-id.ts'
import { makeFolder, type Folder } from '../../support/cli/folder.ts'

let folder: Folder
let dir: string
beforeEach(() => {
  folder = makeFolder()
  dir = folder.in('ledger')
  mkdirSync(dir, { mode: 0o700 })
})
afterEach(() => folder[Symbol.dispose]())

let clock = 1_700_000_000_000
const heading = (more: Partial<ReportHeading> = {}): ReportHeading => ({
  schema: 'holdfast.kept/1',
  service: 'notes',
  run: newRunId((clock += 1000)),
  incident: null,
  mode: 'sweep',
  document: 'holdfast.report/1',
  startedAt: '2026-11-28T02:00:04.000Z',
  finishedAt: '2026-11-28T02:10:04.000Z',
  exitCode: 0,
  ...more,
})

const keep = async (more: Partial<ReportHeading> = {}, lines: Iterable<string> = ['{}']): Promise<string> => {
  const kept = heading(more)
  await keepReport(dir, kept, lines)
  return kept.run
}

const fileOf = (run: string): string => join(dir, 'reports', `${run}.json.zst`)

test('a report is read back as it was written, also one of many pieces', async () => {
  const lines = Array.from({ length: 30_000 }, (_, i) => JSON.stringify({ i, text: 'é'.repeat(50) }))
  const run = await keep({}, lines)
  const kept = findReport(dir, 'notes', run)
  expect([...linesOfReport(kept)]).toEqual(lines)
  expect(kept.heading).toMatchObject({ run, exitCode: 0, mode: 'sweep' })
  expect(statSync(kept.path).size).toBeLessThan(lines.join('\n').length / 5)
})

test.skipIf(spawnSync('zstd', ['--version']).error !== undefined)('zstd itself prints a report', async () => {
  const run = await keep({}, ['{"a":[', '1', ',2', ']}'])
  expect(JSON.parse(execFileSync('zstd', ['-dc', fileOf(run)], { encoding: 'utf8' }))).toEqual({ a: [1, 2] })
})

test('only the user of the ledger may read it', async () => {
  const run = await keep()
  expect(statSync(join(dir, 'reports')).mode & 0o777).toBe(0o700)
  expect(statSync(fileOf(run)).mode & 0o777).toBe(0o600)
})

test('the newest hundred of each service stay, and the newest with damage', async () => {
  const other = await keep({ service: 'other' })
  const [oldDamaged, newestDamaged] = [await keep({ exitCode: 2 }), await keep({ exitCode: 4 })]
  const runs: string[] = []
  for (let i = 0; i < 103; i++) runs.push(await keep())
  const left = keptReports(dir, 'notes').map((report) => report.heading.run)
  expect(left).toEqual([...runs.slice(-100).toReversed(), newestDamaged])
  expect(existsSync(fileOf(oldDamaged))).toBe(false)
  expect(findReport(dir, 'other', null).heading.run).toBe(other)
})

test('the newest report needs no name; a run that is not there, or of another service, is unknown', async () => {
  await expect(async () => findReport(dir, 'notes', null)).rejects.toMatchObject({ code: 'RUN_UNKNOWN' })
  const [first, second] = [await keep(), await keep()]
  expect(findReport(dir, 'notes', null).heading.run).toBe(second)
  expect(findReport(dir, 'notes', first).heading.run).toBe(first)
  for (const named of ['nope', '../../etc/passwd', newRunId(), ''])
    expect(() => findReport(dir, 'notes', named)).toThrow(expect.objectContaining({ code: 'RUN_UNKNOWN' }) as Error)
  expect(() => findReport(dir, 'other', first)).toThrow(expect.objectContaining({ code: 'RUN_UNKNOWN' }) as Error)
})

test('reports of a clock that was ahead are neither the newest, nor do they replace later ones', async () => {
  const ahead = Date.now() + 366 * 86_400_000
  for (let i = 0; i < 100; i++) await keep({ run: newRunId(ahead + i), exitCode: 2 })
  const [damaged, last] = [await keep({ exitCode: 2 }), await keep()]
  expect(findReport(dir, 'notes', null).heading.run).toBe(last)
  const left = keptReports(dir, 'notes').map(({ heading: { run } }) => run)
  expect([left.slice(0, 2), left.length]).toEqual([[last, damaged], 100])
})

test('an incident has all of its runs', async () => {
  const [first, , third] = [await keep({ incident: 'I1' }), await keep(), await keep({ incident: 'I1' })]
  const runsOf = (named: string): readonly string[] => findReports(dir, 'notes', named).map((one) => one.heading.run)
  expect(runsOf('I1')).toEqual([third, first])
  expect(runsOf(first)).toEqual([first, third])
})

test('a changed byte, a cut file and a file of another program are reported and not read', async () => {
  const run = await keep(
    {},
    Array.from({ length: 1000 }, (_, i) => `${i}`),
  )
  const whole = readFileSync(fileOf(run))
  const broken = expect.objectContaining({ code: 'REPORT_BROKEN' }) as Error
  for (let at = 0; at < whole.length; at += 41) {
    const changed = Buffer.from(whole)
    changed[at] = (changed[at] ?? 0) ^ 0xff
    writeFileSync(fileOf(run), changed)
    expect(() => [...linesOfReport(findReport(dir, 'notes', run))], `byte ${at}`).toThrow()
  }
  for (const length of [0, 7, 100, whole.length - 1]) {
    writeFileSync(fileOf(run), whole.subarray(0, length))
    expect(() => [...linesOfReport(findReport(dir, 'notes', run))], `${length} bytes`).toThrow(broken)
  }
  expect(keptReports(dir, 'notes').length).toBeLessThanOrEqual(1)
})

test('a link in the place of a report is not followed', async () => {
  const run = await keep()
  const [secret, linked] = [folder.in('secret'), newRunId()]
  writeFileSync(secret, readFileSync(fileOf(run)))
  symlinkSync(secret, fileOf(linked))
  expect(keptReports(dir, 'notes').map((report) => report.heading.run)).toEqual([run])
})

test('damaged pages go with their report', async () => {
  const page = { tenant: null, path: '/a', page: 1, pageSize: 512, why: ['header'], bytes: 'AAAA' }
  const old = heading()
  await keepReport(dir, old, ['{}'])
  keepPages(dir, old, [JSON.stringify(page)])
  expect([...keptPages(findReport(dir, 'notes', old.run))]).toEqual([page])
  for (let i = 0; i < 100; i++) await keep()
  expect(readdirSync(join(dir, 'reports')).filter((name) => name.startsWith(old.run))).toEqual([])
})

test('where the folder cannot be made, the failure names it, and nothing else is touched', async () => {
  writeFileSync(join(dir, 'reports'), 'a file')
  await expect(keep()).rejects.toMatchObject({ code: 'READ_FAILED', message: expect.stringContaining(dir) as string })
  expect(readFileSync(join(dir, 'reports'), 'utf8')).toBe('a file')
})
