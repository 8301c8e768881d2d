/**
 * Tenants whose files are no databases, or no files: each gets its own result, and the sweep goes on.
 */
import { mkdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { expect, test } from 'vitest'
import { fingerprintOf, makeDatabase, makeFolder, type Folder } from '../../support/cli/folder.ts'
import { shortVerdict, reportOf } from '../../support/cli/program.ts'
import { openService } from '../../support/cli/service.ts'

/** The service lists these, and opens none of them. */
function makeBroken(folder: Folder): Readonly<Record<string, { readonly path: string; readonly expected: string }>> {
  const empty = folder.in('empty.db')
  writeFileSync(empty, '')
  const foreign = folder.in('foreign.db')
  writeFileSync(foreign, Buffer.from('%PDF-1.7\n'.repeat(2_000)))
  const headless = makeDatabase(folder.in('headless.db'))
  const bytes = readFileSync(headless)
  bytes.fill(0xee, 0, 16)
  writeFileSync(headless, bytes)
  const cut = makeDatabase(folder.in('cut.db'))
  truncateSync(cut, 4096)
  const short = folder.in('short.db')
  writeFileSync(short, 'SQLite format 3\0')
  const pointer = folder.in('pointer.db')
  symlinkSync(makeDatabase(folder.in('pointed.db')), pointer)
  const directory = folder.in('directory.db')
  mkdirSync(directory)
  const good = makeDatabase(folder.in('good.db'))
  return {
    empty: { path: empty, expected: 'inconclusive EMPTY_FILE' },
    foreign: { path: foreign, expected: 'damaged file' },
    headless: { path: headless, expected: 'damaged file' },
    cut: { path: cut, expected: 'damaged file' },
    short: { path: short, expected: 'damaged file' },
    missing: { path: folder.in('missing.db'), expected: 'failed NOT_FOUND' },
    pointer: { path: pointer, expected: 'sound' },
    directory: { path: directory, expected: 'failed NOT_A_FILE' },
    root: { path: tmpdir(), expected: 'failed NOT_A_FILE' },
    outside: { path: '/etc/hostname', expected: 'failed PATH_OUTSIDE_ROOTS' },
    good: { path: good, expected: 'sound' },
  }
}

test('a sweep names each with its rule or its failure, checks the others, and resumes all', async () => {
  using folder = makeFolder()
  const broken = makeBroken(folder)
  const before = fingerprintOf(folder.path)
  await using service = await openService({
    tenants: (data) => ({
      acme: `${data}/acme.db`,
      ...Object.fromEntries(Object.entries(broken).map(([id, { path }]) => [id, path])),
    }),
    settings: { tenants: { roots: [tmpdir()] } },
  })
  const report = await reportOf(['sweep', '--config', service.config])
  expect(Object.fromEntries(report.results.map((result) => [result.tenant, shortVerdict(result)]))).toEqual({
    acme: 'sound',
    ...Object.fromEntries(Object.entries(broken).map(([id, { expected }]) => [id, expected])),
  })
  expect([report.summary.exitCode, report.summary.notCovered]).toEqual([2, 0])
  for (const { tenant, verdict, findings, failure, remedy } of report.results) {
    if (verdict === 'damaged') expect([tenant, findings.length > 0, remedy.do]).toEqual([tenant, true, 'ask'])
    if (failure) expect([tenant, failure.hint.length > 0]).toEqual([tenant, true])
    const stood = service.actions.includes(`close ${tenant}`)
    if (failure) expect([tenant, failure.tenantState]).toEqual([tenant, stood ? 'active' : 'untouched'])
  }
  const standing = service.actions.filter((action) => action.startsWith('close ')).map((action) => action.slice(6))
  expect(
    service.actions
      .filter((action) => action.startsWith('open '))
      .map((action) => action.slice(5))
      .toSorted(),
  ).toEqual(standing.toSorted())
  expect(fingerprintOf(folder.path)).toEqual(before)
})
