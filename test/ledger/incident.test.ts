/** I1.8: which runs belong together. */

import { describe, expect, test } from 'vitest'
import { incidentOfRun, openIncident, standingHarm } from '../../src/ledger/incident.ts'
import type { RecordedRun } from '../../src/ledger/ledger.ts'
import type { IncidentId, RunId } from '../../src/model/brand.ts'

const now = 1_790_000_000_000
const minute = 60_000
const day = 24 * 60 * minute

const ran = (run: string, startedAt: number, more: Partial<RecordedRun> = {}): RecordedRun => ({
  run,
  mode: 'sweep',
  version: '0.1.0',
  startedAt,
  incident: null,
  finished: { at: startedAt + 1, exitCode: 0, selected: 3, covered: 3, whole: false, backups: null, notDue: 0 },
  ...more,
})
const within = (id: string): { readonly incident: IncidentId } => ({ incident: id as IncidentId })
const whole = (more: object = {}): Pick<RecordedRun, 'finished'> => ({
  finished: { at: now, exitCode: 0, selected: 3, covered: 3, whole: true, backups: null, notDue: 0, ...more },
})

const begun = ran('i', now - 30 * minute, { mode: 'triage', ...within('i') })
const joined = ran('j', now - 20 * minute, within('i'))

describe('I1.8: the open incident', () => {
  test('has the runs that named it, and begins with the oldest of them', () => {
    expect(openIncident([ran('k', now - minute), joined, begun], now)).toEqual({
      id: 'i',
      since: begun.startedAt,
      runs: new Set(['j', 'i']),
    })
  })

  test.each([
    ['no run named one', [ran('k', now)]],
    ['it began more than 24 hours ago', [{ ...begun, startedAt: now - 24 * 60 * minute - 1 }]],
    ['it began in the future', [{ ...begun, startedAt: now + 60 * minute }]],
    ['a full sweep found all tenants sound', [ran('k', now - minute, { ...within('i'), ...whole() }), joined, begun]],
  ])('is none if %s', (_, runs) => {
    expect(openIncident(runs, now)).toBeNull()
  })

  test.each([
    ['found damage', whole({ exitCode: 2 })],
    ['did not reach all tenants', whole({ covered: 2 })],
    ['had nothing to check', whole({ selected: 0, covered: 0 })],
    ['was not of all tenants', {}],
    ['goes on', { finished: null }],
  ])('is not ended by a sweep that %s', (_, more) => {
    expect(openIncident([ran('k', now - minute, { ...within('i'), ...more }), joined, begun], now)?.id).toBe('i')
  })

  test('is not ended by a full sweep that began before it', () => {
    expect(openIncident([joined, begun, ran('k', begun.startedAt - 1, whole())], now)?.id).toBe('i')
  })
})

describe('I1.8: a run', () => {
  const of = (runs: readonly RecordedRun[], more: { named?: string; begins?: boolean }) =>
    incidentOfRun(
      { lastRuns: () => Promise.resolve(runs) },
      { named: more.named ?? null, begins: more.begins ?? false, run: 'new' as RunId, now },
    )

  test('joins the open incident, also a triage', async () => {
    expect((await of([joined, begun], {}))?.id).toBe('i')
    expect((await of([joined, begun], { begins: true }))?.id).toBe('i')
  })

  test('without an open one belongs to none; a triage begins one with its own id', async () => {
    expect(await of([], {})).toBeNull()
    expect(await of([], { begins: true })).toEqual({ id: 'new', since: now, runs: new Set() })
  })

  test('belongs to the incident that is named, also to one that is over', async () => {
    const over = [ran('k', now - minute, { ...within('i'), ...whole() }), begun]
    expect((await of(over, { named: 'i' }))?.id).toBe('i')
    await expect(of(over, { named: 'x' })).rejects.toMatchObject({ code: 'USAGE' })
  })
})

test('harm that a run suspected stands until a later full sweep finds all tenants sound, however long', () => {
  const harmed = ran('h', now - 90 * day, {
    finished: {
      at: now - 90 * day,
      exitCode: 2,
      selected: 3,
      covered: 1,
      whole: true,
      backups: null,
      notDue: 0,
      harm: 'HARM_SUSPECTED',
    },
  })
  const expected = { code: 'HARM_SUSPECTED', run: 'h', at: now - 90 * day }
  expect(standingHarm([harmed])).toEqual(expected)
  expect(standingHarm([ran('check', now, {}), harmed])).toEqual(expected)
  expect(standingHarm([ran('damaged', now, whole({ exitCode: 2 })), harmed])).toEqual(expected)
  expect(standingHarm([ran('not due', now, whole({ notDue: 1 })), harmed])).toEqual(expected)
  expect(standingHarm([ran('sound', now, whole()), harmed])).toBeNull()
  expect(standingHarm([harmed, ran('before', now - 91 * day, whole())])).toEqual(expected)
})
