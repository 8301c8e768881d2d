/** What the facts of a fleet come to, and the commands that follow: first all is well, then one thing is wrong. */
import { expect, test } from 'vitest'
import { renderFleetStatus } from '../../../../src/report/fleet/status/fleet-status.ts'
import type { FleetView } from '../../../../src/report/fleet/status/fleet-view.ts'
import { fleetFile, fleetRun, fleetView, host, share } from '../../../support/fleet/status-facts.ts'
import { hour, now } from '../../../support/status.ts'

const plain = { width: Infinity, color: false, verbose: false }
const lineOf = (view: FleetView) => {
  const { text, code } = renderFleetStatus(view, { format: 'nagios', ...plain })
  return { code, line: [...text].join('') }
}
const textOf = (view: FleetView): string => [...renderFleetStatus(view, { format: 'text', ...plain }).text].join('')

const counts = { sound: 9, damaged: 0, inconclusive: 0, failed: 0, never: 0 }
const taken = { scope: 'fleet', slot: 1, holder: 'h1', takenAt: now - 1000, expiryMs: 90_000 }

test.each<[string, Partial<FleetView>, number, string]>([
  ['all is well', {}, 0, 'HOLDFAST OK - 2 hosts, 20 files sound, oldest check 3 h ago | hosts=2 hosts_missed=0;0 '],
  [
    'a damaged tenant',
    { shares: [share('h1', { counts: { ...counts, damaged: 1 } }), share('h2')], files: [fleetFile('acme')] },
    2,
    'HOLDFAST CRITICAL - DAMAGED 1: acme on h1 |',
  ],
  [
    'more damage than is listed',
    { shares: [share('h1', { counts: { ...counts, damaged: 5000 } })], files: [fleetFile('acme'), fleetFile('bolt')] },
    2,
    'HOLDFAST CRITICAL - DAMAGED 5,000: acme on h1, bolt on h1 and 4,998 more |',
  ],
  [
    'a tenant that was not seen serving again',
    {
      shares: [share('h1', { counts: { ...counts, failed: 1 } })],
      files: [fleetFile('acme', { verdict: 'failed', damage: 'none', failure: 'RESUME_FAILED' })],
    },
    2,
    'HOLDFAST CRITICAL - PAUSED? 1 hold never seen to end: acme on h1; holdfast resume --all there; ' +
      'FAILED 1: acme on h1 (RESUME_FAILED) |',
  ],
  [
    'locks that are not honoured',
    {
      shares: [share('h1', { counts: { ...counts, failed: 1 } })],
      files: [fleetFile('acme', { verdict: 'failed', damage: 'none', failure: 'LOCK_NOT_HONOURED' })],
    },
    2,
    'HOLDFAST CRITICAL - HARM SUSPECTED 1: acme on h1; ',
  ],
  [
    'a breaker that a sign of harm opened',
    { breakers: [{ scope: 'service:notes', reason: 'a lock did not hold on h1', since: now, by: 'coordinator' }] },
    2,
    'HOLDFAST CRITICAL - HARM SUSPECTED pauses in service notes are stopped: a lock did not hold on h1 |',
  ],
  [
    'a breaker that a result opened',
    { breakers: [{ scope: 'service:notes', reason: 'LEASE_LOST in 3 of 9', since: now, by: 'holdfast' }] },
    2,
    'HOLDFAST CRITICAL - HARM SUSPECTED pauses in service notes are stopped: LEASE_LOST in 3 of 9 |',
  ],
  [
    'a breaker that a person opened',
    { breakers: [{ scope: 'fleet', reason: 'move of the racks', since: now - hour, by: 'ada' }] },
    1,
    'HOLDFAST WARNING - STOPPED pauses in the fleet, 1 h ago, by ada: move of the racks |',
  ],
  [
    'an agent that does not report',
    { hosts: [host('h1', { seenAt: now - hour }), host('h2')] },
    1,
    'HOLDFAST WARNING - STALE 1 agent does not report: h1 (1 h) |',
  ],
  [
    'no agent reports',
    { hosts: [host('h1', { seenAt: now - 2 * hour }), host('h2', { seenAt: now - hour })] },
    2,
    'HOLDFAST CRITICAL - STALE no agent reports, and nothing is known since 1 h ago |',
  ],
  [
    'a database that was restored',
    { isResting: true },
    1,
    'HOLDFAST WARNING - STALE no tenant can be paused: the database was replaced or restored, and a coordinator',
  ],
  ['no coordinator', { coordinators: [] }, 1, 'HOLDFAST WARNING - STALE no coordinator works |'],
  [
    'a coordinator that was killed',
    { coordinators: [{ host: 'h1', version: '0.1.0', startedAt: now - 2 * hour, seenAt: now - hour }] },
    1,
    'HOLDFAST WARNING - STALE no coordinator works, the last one was seen 1 h ago |',
  ],
  ['a slot that was just taken', { slots: [taken] }, 0, 'HOLDFAST OK'],
  [
    'a slot whose host has a longer expiry',
    { slots: [{ ...taken, takenAt: now - 600_000, expiryMs: 600_000 }] },
    0,
    'HOLDFAST OK',
  ],
  [
    'a slot that no coordinator frees',
    { slots: [{ ...taken, takenAt: now - 600_000 }] },
    1,
    'HOLDFAST WARNING - STALE 1 slot is taken for 10 min, and no coordinator frees it: h1 |',
  ],
  ['nothing was ever run', { runs: [] }, 1, 'HOLDFAST WARNING - STALE never run: no run was ever recorded |'],
  [
    'sweeps of a part alone',
    { runs: [fleetRun({ isWhole: false })] },
    1,
    'HOLDFAST WARNING - STALE no full sweep yet |',
  ],
  [
    'an old sweep',
    { runs: [fleetRun({ endedAt: now - 30 * hour })] },
    1,
    'HOLDFAST WARNING - STALE last full sweep 1 d 6 h ago |',
  ],
  [
    'a sweep without all its results',
    { runs: [fleetRun({ done: 15 })] },
    1,
    'HOLDFAST WARNING - STALE the last full sweep has results of 15 of 20 files |',
  ],
  [
    'a sweep that does not end',
    { runs: [fleetRun({ state: 'fed', endedAt: null, begunAt: now - 30 * hour, done: 15 }), fleetRun()] },
    1,
    'HOLDFAST WARNING - STALE sweep 01KB0000000000000000000000 has worked for 1 d 6 h, and has 15 of 20 results |',
  ],
  [
    'results that wait',
    { hosts: [host('h1', { outboxRows: 5000, outboxBytes: 2_000_000 }), host('h2')] },
    1,
    'HOLDFAST WARNING - STALE 5,000 results (2.0 MB) not delivered yet: h1 |',
  ],
  [
    'a clock that is wrong',
    { hosts: [host('h1', { clockSkewMs: -hour }), host('h2')] },
    1,
    'HOLDFAST WARNING - STALE 1 clock wrong by more than a minute: h1 (1 h behind) |',
  ],
  [
    'an agent that says why it checks nothing',
    { hosts: [host('h1', { said: 'the outbox is full' }), host('h2')] },
    1,
    'HOLDFAST WARNING - STALE h1: the outbox is full |',
  ],
  [
    'files that nothing checked in time',
    {
      shares: [share('h1', { stale: 4, oldestSoundAt: null })],
      oldest: [fleetFile('zeta', { verdict: null, damage: 'none', checkedAt: null, soundAt: null })],
    },
    1,
    'HOLDFAST WARNING - STALE 4 files not found sound within 1 d 2 h: zeta on h1 and 3 more |',
  ],
  ['no agent at all', { hosts: [], shares: [], runs: [] }, 3, 'HOLDFAST UNKNOWN - STALE no agent has registered'],
  [
    'nothing was ever found sound or damaged',
    { shares: [share('h1', { counts: { ...counts, sound: 0, failed: 3 }, stale: 3, oldestSoundAt: null })] },
    3,
    'HOLDFAST UNKNOWN - STALE 3 files not found sound',
  ],
])('%s', (_, more, code, begins) => {
  const said = lineOf(fleetView(more))
  expect(said.line.slice(0, begins.length)).toBe(begins)
  expect(said.code).toBe(code)
  expect(Buffer.byteLength(said.line)).toBeLessThanOrEqual(512)
})

test('the gravest reason comes first, and each command has its host', () => {
  const text = textOf(
    fleetView({
      configNamed: '/etc/f.yaml',
      hosts: [host('h1', { seenAt: now - hour }), host('h2')],
      shares: [share('h1', { counts: { ...counts, damaged: 1, failed: 1 }, stale: 2 })],
      files: [
        fleetFile('acme'),
        fleetFile('bolt', { host: 'h2', verdict: 'failed', damage: 'none', failure: 'RESUME_FAILED' }),
      ],
      oldest: [fleetFile('bolt', { host: 'h2' })],
    }),
  )
  const reasons = text.split('\n').filter((line) => /^ {2}[A-Z]/.test(line))
  expect(reasons.map((line) => line.trim().split(' ')[0])).toEqual(['PAUSED?', 'DAMAGED', 'STALE', 'STALE', 'FAILED'])
  expect(text).toContain(
    `
next
  on h2
    holdfast resume --all
    holdfast check --tenant bolt
  on h1
    holdfast repair --tenant acme
  here
    holdfast fleet agents --config /etc/f.yaml
    holdfast fleet sweep --config /etc/f.yaml
`,
  )
})

test('if harm is suspected, the explanation comes first, and no check or remedy is offered', () => {
  const text = textOf(
    fleetView({
      files: [fleetFile('acme'), fleetFile('bolt', { failure: 'HARM_SUSPECTED' })],
      breakers: [{ scope: 'service:notes', reason: 'LEASE_LOST in 3 of 9', since: now, by: 'holdfast' }],
    }),
  )
  expect(text).toContain('\nnext\n    holdfast explain HARM_SUSPECTED\n    holdfast fleet resume --service notes\n')
})

test('a run that works says how far it is and how long it will take', () => {
  const run = fleetRun({ state: 'feeding', endedAt: null, begunAt: now - hour, total: 1_000_000, done: 250_000 })
  expect(textOf(fleetView({ runs: [run, fleetRun()] }))).toContain(
    'sweep 01KB0000000000000000000000 has 250,000 of 1,000,000 results (25 %); begun 1 h ago, ' +
      'not all of it is queued yet, about 3 h more\n',
  )
})

test('hostile names neither break a line nor reach the terminal as they are', () => {
  const hostile = 'a\u001b[31m|b\nc\u202e'
  const view = fleetView({
    hosts: [host(hostile, { said: hostile, domain: hostile, version: hostile })],
    shares: [share(hostile, { service: hostile, counts: { ...counts, damaged: 1 } })],
    files: [fleetFile(hostile, { host: hostile, failure: hostile })],
    runs: [fleetRun({ id: hostile, kind: hostile, endedAt: null, said: hostile })],
    slots: [{ scope: hostile, slot: 1, holder: hostile, takenAt: now - hour, expiryMs: 90_000 }],
    breakers: [{ scope: hostile, reason: hostile, since: now, by: hostile }],
  })
  for (const format of ['text', 'nagios', 'prometheus'] as const) {
    const text = [...renderFleetStatus(view, { format, ...plain, verbose: true }).text].join('')
    for (const wrong of ['\u001b', '\u202e', '\nc']) expect(text).not.toContain(wrong)
  }
  expect(lineOf(view).line.split('\n')).toHaveLength(2)
  expect(lineOf(view).line.split('|')).toHaveLength(2)
})
