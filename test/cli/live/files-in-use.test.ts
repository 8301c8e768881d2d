/**
 * A service that is only files (`service.files`): a program has one of them open, and nothing can be asked to stop it.
 * Each refusal says what would help.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { makeDatabase, makeFolder, type Folder } from '../../support/cli/folder.ts'
import { generousLimits } from '../../support/cli/generous-limits.ts'
import { holdfast, reportOf } from '../../support/cli/program.ts'
import { startUnit } from '../../support/live-unit.ts'

/** @param hold the section `hold` */
function configure(folder: Folder, hold: string): string {
  const config = folder.in('holdfast.yaml')
  const own = ['snapshots', 'ledger'].map((name) => `${name}: { dir: ${folder.in(name)} }\n`).join('')
  writeFileSync(
    config,
    `service: { name: apps, files: ["${folder.in('data')}/*.db"] }\nhold: ${hold}\n${own}${generousLimits}`,
  )
  return config
}

test('at level sealed a sweep names hold.require: pinned, which then finds the file sound', async () => {
  using folder = makeFolder()
  mkdirSync(folder.in('data'))
  const path = makeDatabase(folder.in('data/app.db'), { wal: true })
  await using _unit = await startUnit(path)
  const refused = await reportOf(['sweep', '--config', configure(folder, '{ require: sealed }')])
  expect([refused.summary.exitCode, refused.results[0]?.failure?.hint]).toEqual([
    75,
    expect.stringMatching(/^with hold\.require: pinned holdfast checks it while its program has it open/),
  ])
  const pinned = await reportOf(['sweep', '--config', configure(folder, '{ require: pinned }')])
  expect(pinned.results.map(({ verdict, evidence }) => [verdict, evidence.level])).toEqual([['sound', 'pinned']])
})

test('a repair of a pinned file in use is refused (75), and the hint names hooks', async () => {
  using folder = makeFolder()
  mkdirSync(folder.in('data'))
  const path = makeDatabase(folder.in('data/app.db'), { wal: true })
  const config = configure(folder, '{ require: [{ level: pinned, tenants: ["*"] }] }')
  await using _unit = await startUnit(path)
  const { results } = await reportOf(['sweep', '--config', config])
  const [id = ''] = results.flatMap(({ tenant }) => tenant ?? [])
  const { code, stdout, stderr } = await holdfast(['repair', '--tenant', id, '--config', config])
  expect([code, stdout], stderr).toEqual([
    75,
    expect.stringMatching(
      /a remedy needs a file that no program has open: stop the program, [^]*hooks stop and start it/,
    ),
  ])
})
