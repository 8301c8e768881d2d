/**
 * Absences of real runs (I4.2): one that was killed, one that hangs, one that reached half, and a list of tenants that
 * is missing. `status` has a word and an exit code for each, and the next run raises the alarm.
 */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeSinkCommand } from '../../support/alarm/sink-command.ts'
import { makeFolder } from '../../support/cli/folder.ts'
import {
  resultOf,
  holdfast,
  killWithGuardian,
  start,
  type ProgramResult,
  type RunningProgram,
} from '../../support/cli/program.ts'
import { openService, type TestService } from '../../support/cli/service.ts'

const nagios = (service: TestService): Promise<ProgramResult> =>
  holdfast(['status', '--format', 'nagios', '--config', service.config])
const run = (service: TestService, ...args: readonly string[]): Promise<ProgramResult> =>
  holdfast([...args, '--config', service.config])

test('never run, killed, hung, half, and well again', async () => {
  using folder = makeFolder()
  const sink = makeSinkCommand(folder.path)
  let sweeping: RunningProgram | null = null
  let onClose: (id: string) => void = () => undefined
  await using service = await openService({
    tenants: (data) => Object.fromEntries(['acme', 'bolt', 'cube'].map((id) => [id, join(data, `${id}.db`)])),
    onClose: (id) => onClose(id),
    settings: { alerts: [{ command: sink.command, on: ['stale', 'recovered'] }] },
  })
  const never = await nagios(service)
  expect([never.code, never.stdout]).toEqual([3, expect.stringMatching(/^HOLDFAST UNKNOWN - STALE never run: /)])

  onClose = () => killWithGuardian(sweeping)
  sweeping = start(['sweep', '--config', service.config])
  await resultOf(sweeping)
  const killed = await nagios(service)
  expect(killed.code).toBe(2) // A hold stands open.
  expect(killed.stdout).toContain('STALE the last sweep was killed: it began, and recorded no end')
  onClose = () => undefined
  expect((await run(service, 'resume', '--all')).code).toBe(0)
  expect((await nagios(service)).code).toBe(3) // No tenant was checked yet.
  expect(sink.titles()).toEqual(['STALE: test: the last sweep was killed: it began, and recorded no end'])

  onClose = (id) => {
    if (id === 'bolt') sweeping?.kill('SIGTERM')
  }
  sweeping = start(['sweep', '--config', service.config])
  await resultOf(sweeping)
  onClose = () => undefined
  const half = await nagios(service)
  expect(half.code).not.toBe(0)
  expect(half.stdout).toMatch(/STALE the last sweep covered \d of 3 files \(\d+ %\)/)
  expect(sink.titles().at(-1)).toMatch(/the last sweep covered \d of 3 files/)

  onClose = (id) => {
    if (id === 'bolt') sweeping?.kill('SIGSTOP')
  }
  sweeping = start(['sweep', '--config', service.config])
  const ended = resultOf(sweeping)
  await expect.poll(async () => (await nagios(service)).stdout).toContain('is stopped and does')
  const hung = await nagios(service)
  expect(hung.code).toBe(2)
  expect(hung.stdout).toContain(`STALE the run hangs: its process ${sweeping.pid} is stopped and does nothing`)
  const busy = await run(service, 'sweep')
  expect(busy.code).toBe(75)
  expect(sink.titles().at(-1)).toMatch(/the run hangs: its process \d+ is stopped and does nothing/)
  sweeping.kill('SIGCONT')
  await ended

  expect((await run(service, 'sweep')).code).toBe(0)
  const well = await nagios(service)
  expect([well.code, well.stdout]).toEqual([0, expect.stringMatching(/^HOLDFAST OK - 3 tenants sound/)])
  const recovered = sink.titles().filter((title) => title.startsWith('RECOVERED'))
  expect(recovered.toSorted()).toEqual([
    'RECOVERED: test: no longer stale (covered-too-little)',
    'RECOVERED: test: no longer stale (hung)',
  ])
})

test('I5.1: a list of tenants from the copy is an alarm, and its end is one', async () => {
  using folder = makeFolder()
  const sink = makeSinkCommand(folder.path)
  let lists = true
  await using service = await openService({
    isListed: () => lists,
    settings: { alerts: [{ command: sink.command, on: ['stale', 'recovered'] }] },
  })
  expect((await run(service, 'sweep')).code).toBe(0)
  lists = false
  await run(service, 'sweep')
  const stale = await nagios(service)
  expect(stale.stdout).toContain('STALE the service gives no list of tenants, a copy is used')
  expect(stale.code).not.toBe(0)
  expect(sink.titles()).toEqual([
    expect.stringMatching(/^STALE: test: the service gives no list of tenants, a copy is/),
  ])
  lists = true
  expect((await run(service, 'sweep')).code).toBe(0)
  expect((await nagios(service)).code).toBe(0)
  expect(sink.titles().at(-1)).toBe('RECOVERED: test: no longer stale (registry-cached)')
})
