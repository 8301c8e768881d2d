/** Files that are no longer listed: `status` names them until another full sweep, and for ever if nothing is left. */
import { expect, test } from 'vitest'
import { filesGone } from '../../../src/report/status/files-gone.ts'
import { fullEnd, hour, now, recordedRun, render, tenant, view } from '../../support/status.ts'

const swept = (hoursAgo: number): ReturnType<typeof recordedRun> =>
  recordedRun(`${hoursAgo}`, { startedAt: now - hoursAgo * hour, finished: fullEnd(now - hoursAgo * hour + 1) })
const gone = [
  { name: 'bolt', at: now - 5 * hour + 1 },
  { name: 'cube', at: now - 5 * hour + 1 },
]

test('they keep the status from being OK until the next full sweep', () => {
  const absences = filesGone(gone, 1, [swept(5), swept(29)])
  expect(absences).toMatchObject([{ kind: 'tenants-gone', code: 1, since: now - 5 * hour + 1 }])
  const { code, text } = render(view([tenant('acme')], { absences }), 'monit')
  expect([code, text]).toEqual([
    1,
    expect.stringContaining('STALE the service no longer lists 2 files that it listed before: bolt, cube'),
  ])
  expect(filesGone(gone, 1, [swept(1), swept(5)])).toEqual([])
  expect(filesGone([], 1, [swept(1)])).toEqual([])
})

test('if no file is left, no number of sweeps makes it OK', () => {
  const absences = filesGone(gone, 0, [swept(1), swept(5)])
  expect(render(view([], { absences }), 'monit').code).toBe(1)
})
