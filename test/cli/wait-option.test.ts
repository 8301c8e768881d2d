/** `--wait`: a run that waits for another one to end, instead of RUN_ACTIVE. */
import { mkdirSync, readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { bareFiles } from '../../src/ledger/folder.ts'
import { takeRunLock } from '../../src/ledger/run-lock/run-lock.ts'
import { makeDatabase, makeFolder } from '../support/cli/folder.ts'
import { resultOf, holdfast, reportIn, start, type RunningProgram, type ProgramResult } from '../support/cli/program.ts'
import { openService } from '../support/cli/service.ts'
import { eventually } from '../support/processes.ts'

/** What it has said on stderr so far, and its end. */
function watch(program: RunningProgram): { readonly said: () => string; readonly ended: Promise<ProgramResult> } {
  let text = ''
  program.stderr.on('data', (piece: Buffer) => {
    text += piece.toString()
  })
  return { said: () => text, ended: resultOf(program) }
}

test('every command that takes the run lock waits for the other run, names it, and then does its work', async () => {
  await using service = await openService()
  const given = ['--config', service.config]
  const commands = [
    ['sweep', '--json'],
    ['check', '--tenant', 'acme', '--json'],
    ['pull', 'acme', service.folder.in('pulled')],
    ['compare', 'acme', 'bolt'],
    ['resume', '--all'],
    ['doctor'],
  ]
  const lock = await takeRunLock(service.ledger, 'test')
  const waiting = commands.map((args) => watch(start([...args, '--wait', '5m', ...given])))
  for (const [at, { said }] of waiting.entries()) {
    await eventually(`${commands[at]?.[0]} waits`, () => said().includes('waiting for it to end, at most 5 min'))
    expect(said().replaceAll(/\s+/g, ' ')).toMatch(
      new RegExp(`another run works on this service: pid ${process.pid}, since 2\\S+, .holdfast`),
    )
  }
  expect(service.actions).toEqual([])
  await lock[Symbol.asyncDispose]()
  const codes = await Promise.all(waiting.map(async ({ ended }) => (await ended).code))
  expect(codes).toEqual([0, 0, 0, expect.toSatisfy((code: number) => code === 0 || code === 5), 0, 0])
})

test('at the end of the time it is RUN_ACTIVE, 75, with the run that is active: pid, command, since when', async () => {
  await using service = await openService()
  await using _lock = await takeRunLock(service.ledger, 'test')
  const began = performance.now()
  const quiet = holdfast(['sweep', '--quiet', '--wait', '1s', '--config', service.config])
  const ran = await holdfast(['sweep', '--json', '--wait', '1500ms', '--config', service.config])
  expect(performance.now() - began).toBeGreaterThan(1_500)
  expect([ran.code, reportIn(ran).failure]).toMatchObject([
    75,
    {
      code: 'RUN_ACTIVE',
      message: expect.stringMatching(new RegExp(`pid ${process.pid}, since 2\\S+, \`holdfast`)) as string,
    },
  ])
  expect(await quiet).toMatchObject({
    code: 75,
    stdout: '',
    stderr: expect.stringMatching(/^holdfast: RUN_ACTIVE/) as string,
  })
})

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s ends the waiting, and nothing is left', async (signal, code) => {
  await using service = await openService()
  await using _lock = await takeRunLock(service.ledger, 'test')
  const program = start(['sweep', '--wait', '10m', '--config', service.config])
  const { said, ended } = watch(program)
  await eventually('it waits', () => said().includes('waiting for it to end'))
  const began = performance.now()
  program.kill(signal)
  expect((await ended).code).toBe(code)
  expect(performance.now() - began).toBeLessThan(60_000) // It would wait for 10 min.
  expect([service.actions, readdirSync(service.snapshots)]).toEqual([[], []])
})

test('bare files wait with --ledger; without one no run waits, and the option is refused', async () => {
  using folder = makeFolder()
  const file = makeDatabase(folder.in('a.db'))
  mkdirSync(folder.in('ledger'), { mode: 0o700 })
  const lock = await takeRunLock(folder.in('ledger'), bareFiles)
  const { said, ended } = watch(start(['check', file, '--ledger', folder.in('ledger'), '--wait', '5m']))
  await eventually('it waits', () => said().includes('waiting for it to end'))
  await lock[Symbol.asyncDispose]()
  expect((await ended).code).toBe(0)
  const refused = [
    ['check', file, '--wait', '1m'],
    ['check', '--snapshot', file, '--wait', '1m'],
    ['compare', file, file, '--wait', '1m'],
    ['sweep', '--wait', '0s'],
  ]
  expect(await Promise.all(refused.map(async (args) => (await holdfast(args)).code))).toEqual([64, 64, 64, 64])
})
