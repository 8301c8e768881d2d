/** PAUSED is told while the run goes on: a tenant stands still, and nobody may wait for a report. */
import { expect, test } from 'vitest'
import { makeSinkCommand } from '../../support/alarm/sink-command.ts'
import { makeFolder } from '../../support/cli/folder.ts'
import { holdfast } from '../../support/cli/program.ts'
import { openService } from '../../support/cli/service.ts'
import { eventually } from '../../support/processes.ts'

test('I4.2: PAUSED reaches a sink before the run has ended', async () => {
  using folder = makeFolder()
  const sink = makeSinkCommand(folder.path)
  const closed: string[] = []
  let toldMeanwhile = false
  await using service = await openService({
    // Two tenants are paused in parallel. The first one does not come back. The second one keeps the run from its end
    // until the alarm is there.
    healthy: (id) => id !== closed[0],
    onClose: async (id) => {
      closed.push(id)
      if (closed.length !== 2) return
      await eventually('the alarm is there', () => sink.titles().some((title) => title.startsWith('PAUSED')), 60_000)
      toldMeanwhile = true
    },
    limits: { closeMsMax: 90_000 },
    settings: {
      service: { requestTimeout: '90s' },
      hold: { ttl: '2s', maxPaused: 2, maxPause: '1h' },
      alerts: [{ command: sink.command }],
    },
  })
  const ran = await holdfast(['sweep', '--config', service.config])
  expect([ran.code, toldMeanwhile]).toEqual([4, true])
  const [alarm] = sink.alarms()
  expect(alarm).toMatchObject({
    severity: 'PAUSED',
    title: `PAUSED: ${closed[0]} of test may be paused`,
    tenants: [{ tenant: closed[0] }],
    command: `holdfast resume --config ${service.config} --all`,
  })
})
