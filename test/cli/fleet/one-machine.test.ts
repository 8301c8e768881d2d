/** All of a fleet on one machine, as a person starts it: `agent --coordinator` on PGlite, and a real service. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeSinkCommand } from '../../support/alarm/sink-command.ts'
import { damageIndex, makeDatabase, makeFolder } from '../../support/cli/folder.ts'
import { resultOf, holdfast, start } from '../../support/cli/program.ts'
import { openService } from '../../support/cli/service.ts'
import { eventually } from '../../support/processes.ts'

const testMs = 600_000
/** A new folder of PGlite takes some seconds of a processor that others may want too. */
const startMsMax = 240_000

test(
  'agent --coordinator: a sweep finds the damaged tenant, and tells it once',
  async () => {
    using folder = makeFolder()
    const sink = makeSinkCommand(folder.path)
    await using service = await openService({
      tenants: (data) => {
        damageIndex(makeDatabase(join(data, 'bolt.db'), { wal: true }))
        return { acme: join(data, 'acme.db'), bolt: join(data, 'bolt.db') }
      },
      settings: {
        fleet: { database: `pglite:${folder.in('fleet')}`, host: 'web-1' },
        alerts: [{ command: sink.command }],
      },
    })
    const command = (...words: readonly string[]) => holdfast([...words, '--config', service.config])
    const agent = start(['agent', '--coordinator', '--config', service.config])
    const ended = resultOf(agent)
    try {
      const knows = async (): Promise<boolean> => {
        const { stdout } = await command('fleet', 'agents', '--json')
        return stdout.includes('"web-1"') && !stdout.includes('holdfast.failure')
      }
      await eventually('the agent has registered', knows, startMsMax)
      const place = async (): Promise<boolean> =>
        (await command('fleet', 'status', '--json')).stdout.includes('"never": 2')
      await eventually('its tenants are registered', place, startMsMax)
      const ran = await command('fleet', 'sweep', '--json')
      expect(ran.code, ran.stdout + ran.stderr).toBe(2)
      expect(JSON.parse(ran.stdout)).toMatchObject({
        run: { state: 'done' },
        counts: { total: 2, done: 2, sound: 1, damaged: 1 },
        problems: [{ host: 'web-1', tenant: 'bolt', damage: 'index' }],
      })
      const here = JSON.parse((await command('status', '--json')).stdout) as unknown
      expect(here, 'the status of the host does not ask for a sweep').toMatchObject({
        reasons: [expect.stringMatching(/^DAMAGED 1: bolt/)],
        lastFullSweepAt: expect.any(Number),
      })
      await eventually('the alarm', () => sink.titles().length > 0)
      expect(sink.titles()).toEqual(['DAMAGED: bolt of test'])
      expect(service.actions.filter((action) => action === 'open bolt').length).toBeGreaterThan(0)
    } finally {
      agent.kill('SIGTERM')
    }
    const { code, stderr } = await ended
    expect(code, stderr).toBe(143)
    expect(stderr).toContain('SIGTERM: ending the tenants that are under way, then stopping')
  },
  testMs,
)
