/**
 * A tenant that was deleted while its hold was open: the hold ends with it, is reported by name, and stops no later
 * run.
 */
import { writeFileSync } from 'node:fs'
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeDatabase, makeFolder, type Folder } from '../../support/cli/folder.ts'
import {
  resultOf,
  holdfast,
  killWithGuardian,
  start,
  type RunningProgram,
  type ProgramResult,
} from '../../support/cli/program.ts'
import { openService } from '../../support/cli/service.ts'
import { eventually } from '../../support/processes.ts'

interface HookedTenants extends Disposable {
  readonly folder: Folder
  readonly run: (...args: readonly string[]) => Promise<ProgramResult>
  /** What the tenants command prints from now on. */
  readonly list: (...ids: readonly string[]) => void
  readonly failResume: (fails: boolean) => void
  /** The commands that it got, without the listings. */
  readonly actions: () => readonly string[]
}

/** A service of shell commands that reports no tenant's state. A sweep of it was killed while acme was paused. */
async function leftPaused(): Promise<HookedTenants> {
  const folder = makeFolder()
  for (const name of ['data', 'snapshots', 'ledger']) mkdirSync(folder.in(name), { mode: 0o700 })
  for (const id of ['acme', 'bolt']) makeDatabase(join(folder.in('data'), `${id}.db`))
  const list = (...ids: readonly string[]): void =>
    writeFileSync(
      folder.in('list.json'),
      JSON.stringify(ids.map((id) => ({ id, files: [join(folder.in('data'), `${id}.db`)] }))),
    )
  const failResume = (fails: boolean): void =>
    fails ? writeFileSync(folder.in('fails'), '') : rmSync(folder.in('fails'), { force: true })
  writeFileSync(
    folder.in('ctl'),
    `#!/bin/bash
cd ${folder.path}
case $1 in
  tenants) cat list.json ;;
  pause) echo "$@" >> actions; [ -e hangs ] && { touch paused; sleep 30; } ;;
  resume) echo "$@" >> actions; [ -e fails ] && { echo the pool is gone >&2; exit 1; } ;;
esac
exit 0
`,
  )
  chmodSync(folder.in('ctl'), 0o755)
  const config = folder.in('holdfast.yaml')
  const hooks = {
    tenants: [folder.in('ctl'), 'tenants'],
    quiesce: [folder.in('ctl'), 'pause', '{tenant}'],
    resume: [folder.in('ctl'), 'resume', '{tenant}'],
    timeout: '60s',
  }
  writeFileSync(
    config,
    JSON.stringify({
      service: { name: 'notes', hooks },
      tenants: { roots: [folder.in('data')] },
      snapshots: { dir: folder.in('snapshots') },
      ledger: { dir: folder.in('ledger') },
    }),
  )
  list('acme')
  writeFileSync(folder.in('hangs'), '')
  const sweeping: RunningProgram = start(['sweep', '--config', config])
  await eventually('acme stands still', () => existsSync(folder.in('paused')))
  killWithGuardian(sweeping)
  await resultOf(sweeping)
  rmSync(folder.in('hangs'))
  return {
    folder,
    list,
    failResume,
    run: (...args) => holdfast([...args, '--config', config]),
    actions: () => readFileSync(folder.in('actions'), 'utf8').trim().split('\n'),
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  }
}

const gone = /acme open; the service no longer lists this tenant, so the hold has ended with it/

test.concurrent('by hooks the resume command is run once more, and later runs go on', async () => {
  using left = await leftPaused()
  left.list('bolt')
  const swept = await left.run('sweep', '--quiet')
  expect([swept.code, swept.stderr]).toEqual([0, expect.stringMatching(gone)])
  expect(left.actions().filter((action) => action.endsWith('acme'))).toEqual(['pause acme', 'resume acme'])
  expect(await left.run('resume', '--all')).toMatchObject({
    code: 0,
    stdout: 'no tenant is known to be paused (no hold is open)\n',
    stderr: '',
  })
})

test.concurrent('if that command fails, the report names the command to type; the hold has ended', async () => {
  using left = await leftPaused()
  left.list('bolt')
  left.failResume(true)
  const resumed = await left.run('resume', '--all')
  expect([resumed.code, resumed.stderr]).toEqual([0, expect.stringMatching(gone)])
  expect(resumed.stderr).toMatch(/ITS RESUME COMMAND FAILED: [^]*ctl","…","acme"\][^]*the pool is gone/)
  left.failResume(false)
  expect(await left.run('sweep', '--quiet')).toMatchObject({ code: 0, stderr: '' })
})

test.concurrent('an empty list is believed where no other tenant is known', async () => {
  using left = await leftPaused()
  left.list()
  const resumed = await left.run('resume', '--all')
  expect([resumed.code, resumed.stderr]).toEqual([0, expect.stringMatching(gone)])
})

test.concurrent('a tenant that is still listed is resumed as usual', async () => {
  using left = await leftPaused()
  left.list('acme', 'bolt')
  const swept = await left.run('sweep', '--quiet')
  expect([swept.code, swept.stderr]).toEqual([0, expect.stringMatching(/acme open; it serves again/)])
})

test.concurrent('by the admin API: unknown there, and no lease of the holder', async () => {
  let sweeping: RunningProgram | null = null
  let isListed = true
  await using service = await openService({
    tenants: (data) => ({ acme: join(data, 'acme.db'), bolt: join(data, 'bolt.db') }),
    isListed: (id) => id !== 'acme' || isListed,
    settings: { hold: { ttl: '2s' } },
    onClose: () => killWithGuardian(sweeping),
  })
  sweeping = start(['check', '--tenant', 'acme', '--config', service.config])
  await resultOf(sweeping)
  sweeping = null
  isListed = false
  await eventually('the lease has ended', () => service.actions.includes('open acme'))
  const swept = await holdfast(['sweep', '--quiet', '--config', service.config])
  expect([swept.code, swept.stderr]).toEqual([0, expect.stringMatching(gone)])
  expect((await holdfast(['resume', '--all', '--config', service.config])).stdout).toBe(
    'no tenant is known to be paused (no hold is open)\n',
  )
})
