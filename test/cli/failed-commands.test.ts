/** What a failed command reports: to a program, to a monitor, and if its output is lost. */
import { spawnSync } from 'node:child_process'
import { openSync, closeSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeDatabase, makeFolder } from '../support/cli/folder.ts'
import { holdfast, launcher } from '../support/cli/program.ts'
import { openService } from '../support/cli/service.ts'

test('with --json a failed command prints exactly one document', async () => {
  using folder = makeFolder()
  const failures: readonly (readonly [string, readonly string[], number])[] = [
    ['USAGE', ['explain', 'no-such-word'], 64],
    ['USAGE', ['holders'], 64],
    ['USAGE', ['history', '--nonsense'], 64],
    ['NOT_FOUND', ['holders', folder.in('nothing.db')], 1],
    ['CONFIG_INVALID', ['status'], 78],
    ['CONFIG_INVALID', ['history'], 78],
    ['CONFIG_INVALID', ['doctor'], 78],
    ['CONFIG_INVALID', ['reconcile'], 78],
    ['CONFIG_INVALID', ['resume', '--all'], 78],
  ]
  await Promise.all(
    failures.map(async ([code, args, exitCode]) => {
      const ran = await holdfast([...args, '--json'], { cwd: folder.path })
      const document = JSON.parse(ran.stdout) as unknown
      expect([args, ran.code, document]).toEqual([
        args,
        exitCode,
        expect.objectContaining({
          schema: 'holdfast.failure/1',
          exitCode,
          failure: expect.objectContaining({ code }) as unknown,
        }),
      ])
      expect(ran.stderr).not.toBe('')
    }),
  )
})

test.each(['nagios', 'monit'])(
  'a monitor (%s) that asks and cannot be answered gets UNKNOWN in one line, with 3',
  async (format) => {
    using folder = makeFolder()
    for (const args of [['--format', format], [`--format=${format}`]]) {
      const { code, stdout } = await holdfast(['status', ...args], { cwd: folder.path })
      expect([code, stdout]).toEqual([3, expect.stringMatching(/^HOLDFAST UNKNOWN - CONFIG_INVALID: [^|\n]+\n$/)])
      expect(Buffer.byteLength(stdout)).toBeLessThanOrEqual(512)
    }
  },
)

test('lost output is no success: a full disk is reported, with 1; damage keeps its code', () => {
  using folder = makeFolder()
  const file = makeDatabase(folder.in('a.db'))
  const full = openSync('/dev/full', 'w')
  try {
    for (const args of [
      ['check', file],
      ['check', '--json', file],
      ['explain', '--json', 'sound'],
    ]) {
      const { status, stderr } = spawnSync(process.execPath, [launcher, ...args], {
        stdio: ['ignore', full, 'pipe'],
        encoding: 'utf8',
      })
      expect([args, status, stderr]).toEqual([args, 1, expect.stringMatching(/could not be written: .*ENOSPC/)])
    }
    expect(
      spawnSync(process.execPath, [launcher, 'check', '--json', folder.in('missing.db'), file], {
        stdio: ['ignore', full, 'ignore'],
      }).status,
    ).toBe(1)
  } finally {
    closeSync(full)
  }
})

test('every run reports a ledger that was set aside; `resume` then cannot say that no hold is open', async () => {
  await using service = await openService()
  const spoil = (): void => writeFileSync(join(service.ledger, 'ledger.db'), Buffer.alloc(9_000, 0xa5))
  for (const args of [
    ['sweep', '--quiet'],
    ['check', '--tenant', 'acme', '--quiet'],
  ]) {
    spoil()
    const { code, stderr } = await holdfast([...args, '--config', service.config])
    expect([args, code, stderr]).toEqual([
      args,
      0,
      expect.stringMatching(/^holdfast: ledger: .*holdfast renamed it to .* and began a new one/),
    ])
  }
  spoil()
  const resumed = await holdfast(['resume', '--all', '--config', service.config])
  expect([resumed.code, resumed.stdout, resumed.stderr]).toEqual([
    3,
    expect.stringMatching(/no hold is open in the ledger as it is now/),
    expect.stringMatching(/holds that a crash left open could not be read from it/),
  ])
  const again = await holdfast(['resume', '--all', '--config', service.config])
  expect([again.code, again.stderr]).toEqual([0, ''])
})

test('`resume ID` of a tenant that is known and serves is nothing due: 0; of an unknown one 64', async () => {
  await using service = await openService()
  const resume = (id: string): ReturnType<typeof holdfast> => holdfast(['resume', id, '--config', service.config])
  expect(await resume('acme')).toMatchObject({
    code: 0,
    stdout: 'acme is not known to be paused (no hold on it stands open)\n',
    stderr: '',
  })
  expect(await resume('nobody')).toMatchObject({
    code: 64,
    stdout: '',
    stderr: expect.stringMatching(/TENANT_UNKNOWN: .*nobody/) as string,
  })
})
