/** A backup that is older than promised (I4.2): `status` says so, and the next run raises the alarm. */
import { writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { makeSinkCommand } from '../../support/alarm/sink-command.ts'
import { makeFolder } from '../../support/cli/folder.ts'
import { holdfast, type ProgramResult } from '../../support/cli/program.ts'
import { openService } from '../../support/cli/service.ts'

const day = 86_400_000

test('a newest backup older than backups.maxAge is a warning and an alarm, and ends with the next sweep', async () => {
  using folder = makeFolder()
  const sink = makeSinkCommand(folder.path)
  await using service = await openService({
    settings: {
      alerts: [{ command: sink.command, on: ['stale', 'recovered'] }],
      backups: { dir: folder.in('backups'), maxAge: '7d' },
      sweep: { maxAge: '30d' },
    },
  })
  /** The program with a clock that is ahead. */
  const after = (ms: number, ...args: readonly string[]): Promise<ProgramResult> => {
    const clock = folder.in(`ahead-${ms}.mjs`)
    writeFileSync(clock, `const now = Date.now; Date.now = () => now() + ${ms}`)
    return holdfast([...args, '--config', service.config], { env: { NODE_OPTIONS: `--import=${clock}` } })
  }
  const nagios = (ms: number): Promise<ProgramResult> => after(ms, 'status', '--format', 'nagios', '--max-age', '30d')
  expect((await after(0, 'sweep')).code).toBe(0)
  const young = await nagios(6 * day)
  expect([young.code, young.stdout]).toEqual([0, expect.stringMatching(/^HOLDFAST OK/)])

  const old = await nagios(8 * day)
  expect([old.code, old.stdout]).toEqual([
    1,
    expect.stringMatching(/STALE the newest backup of (?:acme|bolt) is 8 d(?: \d+ h)? old; backups\.maxAge is 7 d/),
  ])
  expect((await after(8 * day, 'status', '--max-age', '30d')).stdout).toContain(
    `    holdfast backups --config ${service.config} list`,
  )
  expect(sink.titles()).toEqual([])
  expect((await after(8 * day, 'check', '--tenant', 'acme')).code).toBe(0)
  expect(sink.titles()).toEqual([expect.stringMatching(/^STALE: test: the newest backup of \w+ is 8 d/)])

  expect((await after(8 * day + 60_000, 'sweep', '--max-age', '1s')).code).toBe(0)
  expect((await nagios(8 * day + 120_000)).stdout).not.toContain('the newest backup')
  expect(sink.titles().at(-1)).toBe('RECOVERED: test: no longer stale (backups-too-old)')
})
