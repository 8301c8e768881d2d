/** `holdfast compare` of tenants of a service. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { comparisonIn, comparisonOf, shortComparison, onlyFileIn, tableIn } from '../../support/cli/comparison.ts'
import { resultOf, holdfast, start, type RunningProgram } from '../../support/cli/program.ts'
import { openService } from '../../support/cli/service.ts'
import { until } from '../../support/service/gate.ts'

test(
  'a tenant against what was pulled of it: the same until the service ' +
    'writes; it is held, checked, remembered, and serves again',
  async () => {
    await using service = await openService()
    const config = ['--config', service.config]
    const pulled = service.folder.in('pulled')
    expect((await holdfast(['pull', 'acme', pulled, ...config])).code).toBe(0)
    const same = await comparisonOf(['acme', pulled, ...config])
    expect([shortComparison(same), same.sides.a.kind, same.sides.b.kind, same.run.registry]).toEqual([
      'equal sound / sound 0',
      'tenant',
      'file',
      'live',
    ])
    const inSame = onlyFileIn(same).results
    expect([inSame.a?.tenant, inSame.a?.evidence.quiesce?.continuous, inSame.b?.evidence.level]).toEqual([
      'acme',
      true,
      'sealed',
    ])

    const writer = new Database(join(service.data, 'acme.db'))
    writer.exec("UPDATE notes SET title = 'later' WHERE id = 3")
    writer.close()
    // A copy is recognised by its manifest, as by `check --snapshot`; and the sides keep their places.
    const differ = await comparisonOf(['--snapshot', join(pulled, 'acme.db'), 'tenant:acme', ...config])
    expect([
      shortComparison(differ),
      differ.sides.a.kind,
      onlyFileIn(differ).results.a?.tenant,
      onlyFileIn(differ).results.a?.evidence.level,
    ]).toEqual(['differ sound / sound 5', 'copy', 'acme', 'sealed'])
    expect(tableIn(differ, 'notes').differing).toMatchObject({ rows: 1, different: { total: 1, keys: [3] } })
    expect([service.gate.stateOf('acme'), service.actions, readdirSync(service.snapshots)]).toEqual([
      'active',
      ['close acme', 'open acme', 'close acme', 'open acme', 'close acme', 'open acme'],
      [],
    ])
    const history = JSON.parse((await holdfast(['history', 'acme', '--json', ...config])).stdout) as object
    expect(JSON.stringify(history).match(/"verdict":"sound"/g)).toHaveLength(3)
  },
)

test('killed in the middle, a comparison leaves no copy that the next run does not clear away', async () => {
  await using service = await openService()
  const pulled = service.folder.in('pulled')
  expect((await holdfast(['pull', 'acme', pulled, '--config', service.config])).code).toBe(0)
  const args = ['--snapshot', join(pulled, 'acme.db'), 'tenant:acme', '--config', service.config]
  const program = start(['compare', ...args])
  const isCopyThere = (): boolean =>
    readdirSync(service.snapshots).some((run) =>
      readdirSync(join(service.snapshots, run)).some((name) => name.includes('compared')),
    )
  await until(isCopyThere, 'the copy of the file is there')
  program.kill('SIGKILL')
  await resultOf(program)
  await until(() => service.gate.stateOf('acme') === 'active', 'acme serves', 60_000)
  expect(isCopyThere()).toBe(true)
  expect(shortComparison(await comparisonOf(args))).toBe('equal sound / sound 0')
  expect(readdirSync(service.snapshots)).toEqual([])
})

test('two tenants are held one after the other', async () => {
  await using service = await openService()
  expect(shortComparison(await comparisonOf(['acme', 'bolt', '--config', service.config]))).toBe(
    'equal sound / sound 0',
  )
  expect(service.actions).toEqual(['close acme', 'open acme', 'close bolt', 'open bolt'])
})

test('interrupted in a hold: the tenant serves again, nothing is left, and the document says so', async () => {
  let program: RunningProgram | null = null
  await using service = await openService({ onClose: () => void program?.kill('SIGTERM') })
  program = start(['compare', 'tenant:acme', 'tenant:bolt', '--json', '--config', service.config])
  const ran = await resultOf(program)
  const report = comparisonIn(ran)
  expect([ran.code, report.outcome, report.failure?.code], ran.stderr).toEqual([143, 'inconclusive', 'INTERRUPTED'])
  expect([service.gate.stateOf('acme'), service.actions, readdirSync(service.snapshots)]).toEqual([
    'active',
    ['close acme', 'open acme'],
    [],
  ])
})
