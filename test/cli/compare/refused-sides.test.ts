/** `holdfast compare` of names that are refused before anything is read. */
import { copyFileSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { comparisonIn, comparisonOf, shortComparison } from '../../support/cli/comparison.ts'
import { makePair } from '../../support/cli/comparison.ts'
import { makeDatabase, makeFolder } from '../../support/cli/folder.ts'
import { holdfast } from '../../support/cli/program.ts'
import { openService } from '../../support/cli/service.ts'

test('a folder stands for its one database; one without any, and one file given twice, are 64', async () => {
  using folder = makeFolder()
  const [a, b] = makePair(folder)
  mkdirSync(folder.in('one'))
  copyFileSync(b, folder.in('one/copy.db'))
  mkdirSync(folder.in('none'))
  symlinkSync('a.db', folder.in('link.db'))
  expect(shortComparison(await comparisonOf(['a.db', 'one'], { cwd: folder.path }))).toBe('equal sound / sound 0')
  const refused = [
    [a, folder.path],
    [a, folder.in('none')],
    [a, a],
    [a, folder.in('link.db')],
    [a, ''],
    ['a.db', 'nowhere'],
  ] as const
  for (const args of refused) {
    const ran = await holdfast(['compare', ...args, '--json'], { cwd: folder.path })
    const report = comparisonIn(ran)
    expect([ran.code, report.failure?.code, report.outcome, report.sides.a.given], args.join(' ')).toEqual([
      64,
      'USAGE',
      'inconclusive',
      args[0],
    ])
    expect(ran.stderr).toMatch(/USAGE[^]*next: \w/)
  }
})

test('a failure before anything was compared is one document too', async () => {
  using folder = makeFolder()
  const [a, b] = makePair(folder)
  const cases: readonly (readonly [readonly string[], string, number])[] = [
    [[a], 'USAGE', 64],
    [[a, b, '--nonsense'], 'USAGE', 64],
    [[a, b, '--config', '/nonexistent.yaml'], 'CONFIG_INVALID', 78],
    [['tenant:x', b, '--config', '/nonexistent.yaml'], 'CONFIG_INVALID', 78],
    [['tenant:x', b], 'CONFIG_INVALID', 78],
    [['nobody', b, '--config', '/nonexistent.yaml'], 'CONFIG_INVALID', 78],
    [[a, b, '--snapshots', '/etc'], 'SNAPSHOT_UNSAFE', 1],
  ]
  for (const [args, code, exitCode] of cases) {
    const ran = await holdfast(['compare', ...args, '--json'], { cwd: '/' })
    expect([comparisonIn(ran).failure?.code, ran.code], args.join(' ')).toEqual([code, exitCode])
  }
})

test('names that are none, or could be two things, are refused before a tenant is paused: 64', async () => {
  await using service = await openService()
  const config = ['--config', service.config]
  const actions = service.actions.length
  const here = service.folder.in('here')
  mkdirSync(here)
  makeDatabase(join(here, 'acme'))
  const refused: readonly (readonly [string, string, RegExp, string])[] = [
    ['acme', 'tenant:bolt', /acme is a file here and a tenant of the service/, 'USAGE'],
    ['tenant:acme', 'tenant:acme', /same tenant/, 'USAGE'],
    [
      'tenant:acme',
      'nobody',
      /there is no file nobody here, and the service does not list a tenant "nobody"/,
      'TENANT_UNKNOWN',
    ],
    ['tenant:acme', join(service.data, 'acme.db'), /one and the same file/, 'USAGE'],
  ]
  for (const [a, b, said, code] of refused) {
    const ran = await holdfast(['compare', a, b, '--json', ...config], { cwd: here })
    expect([ran.code, comparisonIn(ran).failure?.code, ran.stderr]).toEqual([64, code, expect.stringMatching(said)])
  }
  expect(service.actions.length).toBe(actions)
})

test('written with a slash it is the file; and no tenant is paused for a file that is not there', async () => {
  await using service = await openService()
  const config = ['--config', service.config]
  const here = service.folder.in('here')
  mkdirSync(here)
  makeDatabase(join(here, 'acme'))
  expect(shortComparison(await comparisonOf(['./acme', 'tenant:acme', ...config], { cwd: here }))).toBe(
    'equal sound / sound 0',
  )
  const before = service.actions.length
  expect(shortComparison(await comparisonOf(['tenant:acme', './missing', ...config], { cwd: here }))).toBe(
    'inconclusive none / failed NOT_FOUND 1',
  )
  expect(service.actions.length).toBe(before)
})
