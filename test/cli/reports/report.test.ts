/** Kept reports and their page, by the program itself: what `report` prints again, and what keeps none. */
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { damageIndex, makeDatabase } from '../../support/cli/folder.ts'
import { holdfast, reportIn, type ProgramOptions, type ProgramResult } from '../../support/cli/program.ts'
import { openService, type TestService } from '../../support/cli/service.ts'

let service: TestService
let swept: ProgramResult
const run = (args: readonly string[], options: ProgramOptions = {}): Promise<ProgramResult> =>
  holdfast([...args, '--config', service.config], options)
const reports = (): readonly string[] => readdirSync(join(service.ledger, 'reports'))

beforeAll(async () => {
  service = await openService({
    tenants: (data) => {
      const bolt = makeDatabase(join(data, 'bolt.db'))
      damageIndex(bolt)
      return { acme: join(data, 'acme.db'), bolt }
    },
  })
  swept = await run(['sweep', '--json'])
})
afterAll(() => service[Symbol.asyncDispose]())

test('a sweep is kept, and printed again as it was; the damaged file also has its map', async () => {
  const again = await run(['report', '--json'])
  expect(again).toMatchObject({ code: 0, stderr: '' })
  const [first, kept] = [reportIn(swept), reportIn({ ...again, code: 2 })]
  const bolt = kept.results.find(({ tenant }) => tenant === 'bolt') // In the order in which the checks ended.
  expect(bolt).toMatchObject({ map: { kind: 'drawn' } })
  expect({ ...kept, results: kept.results.map(({ map: _map, ...result }) => result) }).toEqual(first)
})

test('as text it says which run it was, and then the same as the run', async () => {
  const { id } = reportIn(swept).run
  const text = await run(['report', id])
  expect(text.code).toBe(0)
  expect(text.stdout).toMatch(new RegExp(`^Run ${id}: sweep, `))
  expect(text.stdout).toContain('holdfast repair --config')
  expect(text.stdout).toContain('2 tenants: 1 sound, 1 damaged, 0 inconclusive, 0 failed. Exit code 2: damage found.')
})

test('--redact-keys replaces keys when a report is printed again', async () => {
  const { results } = JSON.parse((await run(['report', '--json', '--redact-keys'])).stdout) as {
    readonly results: readonly { readonly findings: readonly { readonly rows?: readonly unknown[] }[] }[]
  }
  const keys = results.flatMap(({ findings }) => findings.flatMap(({ rows = [] }) => rows))
  expect(keys.length).toBeGreaterThan(0)
  expect(keys.filter((key) => typeof key === 'number')).toEqual([])
})

test('the page goes to stdout or to a private file, and has the history of the damaged tenant', async () => {
  const file = service.folder.in('run.html')
  const [shown, filed] = [await run(['report', '--html']), await run(['report', '--html', '--output', file])]
  expect([shown.code, filed]).toEqual([0, { code: 0, stdout: '', stderr: '' }])
  expect(shown.stdout).toMatch(/^<!doctype html>[^]*1 of 2 tenants is damaged[^]*<\/html>\n$/)
  expect(shown.stdout).toContain('History of <bdi>bolt</bdi>')
  expect(shown.stdout).toContain('What owns the pages')
  expect(readFileSync(file, 'utf8')).toBe(shown.stdout)
  expect(statSync(file).mode & 0o777).toBe(0o600)
})

test('sweep --html writes the page of this run, beside its report', async () => {
  const file = service.folder.in('sweep.html')
  const { code, stdout } = await run(['sweep', '--only', 'acme', '--html', file])
  expect([code, stdout.includes('1 tenant: 1 sound')]).toEqual([0, true])
  expect(readFileSync(file, 'utf8')).toContain('1 tenant is sound')
})

test('a page that cannot be written is an error of a sound run, and changes no other exit code', async () => {
  const nowhere = service.folder.in('no/such/folder/sweep.html')
  const [sound, damaged] = [
    await run(['sweep', '--only', 'acme', '--html', nowhere]),
    await run(['sweep', '--only', 'bolt', '--html', nowhere]),
  ]
  expect([sound.code, damaged.code]).toEqual([1, 2])
  for (const { stderr } of [sound, damaged]) expect(stderr).toContain(`cannot write ${nowhere}`)
  const { code, stdout } = await run(['sweep', '--only', 'acme', '--html', nowhere, '--json'])
  expect([code, JSON.parse(stdout)]).toMatchObject([1, { summary: { exitCode: 1 } }])
})

test.each([
  ['sweep', '--html'],
  ['report', '--html', '--output'],
  ['bundle', '--output'],
])('no file is written beside tenants: %s', async (...command) => {
  const file = join(service.data, 'page.html')
  const before = reports().length
  const { code, stderr } = await run([...command, file])
  expect([code, stderr]).toEqual([1, expect.stringContaining("is in a folder of tenants' databases") as string])
  expect([existsSync(file), reports().length]).toEqual([false, before]) // No tenant was paused for nothing.
})

test.each([
  ['sweep', '--only', 'acme', '--html'],
  ['triage', '--html'],
  ['report', '--html', '--output'],
])('a page replaces no file that may be a database: %s', async (...command) => {
  const [broken, empty] = [service.folder.in('broken.db'), service.folder.in('empty.db')]
  writeFileSync(broken, 'x'.repeat(4096))
  writeFileSync(empty, '')
  const before = reports().length
  for (const file of [broken, empty])
    expect(await run([...command, file])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining(`${file} is no page of HTML, and is not replaced`) as string,
    })
  expect([readFileSync(broken, 'utf8'), readFileSync(empty, 'utf8')]).toEqual(['x'.repeat(4096), ''])
  expect(reports()).toHaveLength(before) // No tenant was paused for nothing.
})

test('a run that is not kept: unknown, of another service, over bare files', async () => {
  expect(await run(['report', 'NOPE'])).toMatchObject({
    code: 64,
    stderr: expect.stringContaining('RUN_UNKNOWN') as string,
  })
  const settings = JSON.parse(readFileSync(service.config, 'utf8')) as { readonly service: object }
  const other = service.folder.in('other.yaml')
  writeFileSync(other, JSON.stringify({ ...settings, service: { ...settings.service, name: 'other' } }), {
    mode: 0o600,
  })
  expect((await holdfast(['report', '--config', other])).code).toBe(64)
  const before = reports()
  await holdfast(['check', makeDatabase(service.folder.in('bare.db'))])
  expect(reports()).toEqual(before)
})

test('a repair is kept too, and printed again; it has no page, so the newest page is that of a check', async () => {
  const plan = await run(['repair', '--tenant', 'bolt', '--json'])
  const again = await run(['report', '--json'])
  expect(JSON.parse(again.stdout)).toEqual(JSON.parse(plan.stdout))
  const { id } = (JSON.parse(plan.stdout) as { readonly run: { readonly id: string } }).run
  const text = await run(['report'])
  expect([text.code, text.stdout]).toEqual([0, expect.stringMatching(/: repair, [^]*READY {2}bolt/) as string])
  expect(await run(['report', '--html', id])).toMatchObject({
    code: 64,
    stderr: expect.stringContaining('only runs that check have a page') as string,
  })
  expect((await run(['report', '--html'])).stdout).toContain('<h1>')
})

test('values of rows that a person asked for once are not kept', async () => {
  const asked = await run(['check', '--tenant', 'bolt', '--show-values', '--json'])
  const kept = await run(['report', '--json'])
  expect(JSON.parse(kept.stdout)).toMatchObject({ run: { id: reportIn(asked).run.id, mode: 'check' } })
  expect(kept.stdout).not.toContain('"values"')
})

test('a folder that cannot be used is said, and changes no verdict', async () => {
  await using broken = await openService({ tenants: (data) => ({ acme: join(data, 'acme.db') }) })
  writeFileSync(join(broken.ledger, 'reports'), 'not a folder')
  const { code, stderr, stdout } = await holdfast(['sweep', '--config', broken.config])
  expect([code, stdout.includes('1 sound')]).toEqual([0, true])
  expect(stderr).toContain('the report of this run is not kept')
  rmSync(join(broken.ledger, 'reports'))
  mkdirSync(join(broken.ledger, 'reports'), { mode: 0o700 })
  expect((await holdfast(['sweep', '--config', broken.config])).stderr).not.toContain('is not kept')
  const [name = ''] = readdirSync(join(broken.ledger, 'reports'))
  const path = join(broken.ledger, 'reports', name)
  const bytes = readFileSync(path)
  bytes[bytes.length - 20] = (bytes[bytes.length - 20] ?? 0) ^ 0xff
  writeFileSync(path, bytes)
  chmodSync(path, 0o600)
  const read = await holdfast(['report', '--config', broken.config])
  expect([read.code, read.stderr]).toEqual([1, expect.stringContaining('REPORT_BROKEN') as string])
})

test('a newer run that has no report is named by report and bundle, and by none if a run is named', async () => {
  let listed = true
  await using other = await openService({ isListed: () => listed })
  const ask = (...args: readonly string[]): Promise<ProgramResult> => holdfast([...args, '--config', other.config])
  expect((await ask('sweep')).code).toBe(0)
  const { id } = reportIn(await ask('report', '--json')).run
  listed = false
  rmSync(join(other.ledger, readdirSync(other.ledger).find((name) => name.startsWith('registry-')) ?? 'none'))
  expect((await ask('sweep')).code).toBe(1)
  const newer = new RegExp(`the report is of run ${id}, a sweep of .* A newer run has none: \\w{26}, a sweep .* code 1`)
  expect((await ask('report')).stderr).toMatch(newer)
  const bundle = await ask('bundle', '--output', other.folder.in('b.tar.gz'))
  expect([bundle.code, bundle.stderr, bundle.stdout]).toEqual([
    0,
    expect.stringMatching(newer),
    expect.stringMatching(/Missing:\n {2}A newer run: the report is of run/),
  ])
  expect((await ask('report', id)).stderr).toBe('')
})
