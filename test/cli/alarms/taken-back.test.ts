/** A remedy that was applied and undone in a second pause is news, although the damage was told before. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeSinkCommand } from '../../support/alarm/sink-command.ts'
import { damageIndex, makeDatabase, makeFolder } from '../../support/cli/folder.ts'
import { holdfast, type ProgramResult } from '../../support/cli/program.ts'
import { openService } from '../../support/cli/service.ts'

test('a remedy that was taken back because the tenant was unwell is an alarm; its recovery is told once', async () => {
  using folder = makeFolder()
  const sink = makeSinkCommand(folder.path)
  let opened = 0
  let unwellAt: number | null = null
  await using service = await openService({
    tenants: (data) => {
      damageIndex(makeDatabase(join(data, 'acme.db'), { wal: true }))
      return { acme: join(data, 'acme.db') }
    },
    onOpen: () => opened++,
    healthy: () => opened !== unwellAt,
    settings: { alerts: [{ command: sink.command }] },
  })
  const run = (...args: readonly string[]): Promise<ProgramResult> => holdfast([...args, '--config', service.config])
  expect((await run('sweep')).code).toBe(2)
  expect(sink.titles()).toEqual(['DAMAGED: acme of test'])

  unwellAt = opened + 2 // The hold opens it once, the change a second time.
  const repaired = await run('repair', '--tenant', 'acme', '--apply')
  expect([repaired.code, repaired.stdout]).toEqual([2, expect.stringContaining('was taken back in a second pause')])
  expect(sink.titles()).toEqual(['DAMAGED: acme of test', 'DAMAGED: the remedy of acme of test was taken back'])
  expect(sink.alarms()[1]).toMatchObject({
    severity: 'DAMAGED',
    tenants: [{ tenant: 'acme', verdict: 'damaged', damage: 'index' }],
    command: `holdfast check --config ${service.config} --tenant acme`,
    text: expect.stringMatching(
      /^A remedy was applied and taken back [^]*\nacme has its original back: the change was taken back in a second /,
    ) as string,
  })

  expect((await run('sweep')).code).toBe(2)
  expect(sink.titles()).toHaveLength(2)
  unwellAt = null
  expect((await run('repair', '--tenant', 'acme', '--apply')).code).toBe(0)
  expect(sink.titles().slice(2)).toEqual(['RECOVERED: acme of test: sound again'])
})
