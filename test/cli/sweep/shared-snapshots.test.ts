/** Several services on one machine, with the one folder for snapshots that is the default of the configuration. */
import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { holdfast, reportIn, type ProgramResult } from '../../support/cli/program.ts'
import { openService } from '../../support/cli/service.ts'

test('a sweep that begins while another one holds a tenant leaves what the other has in the folder alone', async () => {
  await using other = await openService()
  const beside: Promise<ProgramResult>[] = []
  await using service = await openService({
    settings: { snapshots: { dir: other.snapshots }, service: { requestTimeout: '40s' } },
    limits: { closeMsMax: 40_000 },
    // Its draft lies there by now.
    onClose: async () => {
      if (beside.length > 0) return
      beside.push(holdfast(['sweep', '--json', '--config', other.config]))
      await beside[0]
    },
  })
  const runs = [await holdfast(['sweep', '--json', '--config', service.config]), ...(await Promise.all(beside))].map(
    reportIn,
  )
  expect(runs).toHaveLength(2)
  for (const { summary, results } of runs)
    expect([summary.exitCode, results.map(({ verdict, failure }) => failure?.message ?? verdict)]).toEqual([
      0,
      ['sound', 'sound'],
    ])
  expect(readdirSync(other.snapshots)).toEqual([])
})
