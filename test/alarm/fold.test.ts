/** An alarm is repeated after a day, or if it has grown; a recovery goes out once. The clock is injected. */
import { describe, expect, test } from 'vitest'
import { fullEnding, AlarmHistory, nothingAbsent, t0 } from '../support/alarm/samples.ts'
import { damaged, paused, sound, unproven } from '../support/report.ts'
import { hour } from '../support/status.ts'

const servedAt = (at: number) => new Map([['acme', at]])

test('a repeat is folded for 24 h, and then sent again', () => {
  const nights = new AlarmHistory()
  expect(nights.titles(t0, [damaged('acme')])).toEqual(['DAMAGED: acme of notes'])
  expect(nights.titles(t0 + hour, [damaged('acme')])).toEqual([])
  expect(nights.titles(t0 + 24 * hour - 1, [damaged('acme')])).toEqual([])
  expect(nights.titles(t0 + 24 * hour, [damaged('acme')])).toEqual(['DAMAGED: acme of notes'])
  expect(nights.titles(t0 + 25 * hour, [damaged('acme')])).toEqual([])
})

test('an alarm that has grown is sent immediately: another tenant, or worse damage', () => {
  const nights = new AlarmHistory()
  nights.run(t0, [damaged('acme')])
  expect(nights.titles(t0 + 1, [damaged('acme'), damaged('bolt')])).toEqual(['DAMAGED: acme, bolt of notes'])
  expect(nights.titles(t0 + 2, [damaged('acme'), damaged('bolt')])).toEqual([])
  const worse = damaged('bolt', { damage: 'table' })
  expect(nights.titles(t0 + 3, [damaged('acme'), worse])).toEqual(['DAMAGED: acme, bolt of notes'])
  const check = { mode: 'check', ending: { ...fullEnding(1), whole: false } }
  expect(nights.titles(t0 + 4, [damaged('acme')], check)).toEqual([])
})

test('the culprit of a triage is told although its damage was told before, once for each incident', () => {
  const nights = new AlarmHistory()
  nights.run(t0, [damaged('acme'), damaged('bolt')])
  expect(nights.culprit(t0 + 1, damaged('acme'), 'i1')).toEqual(['i1 DAMAGED: CULPRIT acme of notes'])
  expect(nights.titles(t0 + 2, [damaged('acme'), damaged('bolt')], { mode: 'triage' })).toEqual([])
  expect(nights.culprit(t0 + 3, damaged('acme'), 'i1')).toEqual([])
  expect(nights.culprit(t0 + 4, damaged('bolt'), 'i1')).toEqual(['i1 DAMAGED: CULPRIT bolt of notes'])
  expect(nights.culprit(t0 + 5, damaged('bolt'), 'i2')).toEqual(['i2 DAMAGED: CULPRIT bolt of notes'])
})

test('RECOVERED goes out once, when a full check finds the tenant sound, and since when it held is kept', () => {
  const nights = new AlarmHistory()
  nights.run(t0, [damaged('acme'), damaged('bolt')])
  const { outgoing } = nights.run(t0 + 2 * hour, [sound('acme'), damaged('bolt')])
  expect(outgoing.map(({ alarm }) => alarm)).toMatchObject([
    {
      severity: 'RECOVERED',
      title: 'RECOVERED: acme of notes: sound again',
      since: '2026-11-28T03:00:00.000Z',
      tenants: [{ tenant: 'acme', verdict: 'sound' }],
      tenantsTotal: 1,
      text: 'DAMAGED is over after 2 h: acme of notes: sound again.\n1 other file of this alarm is as before.',
    },
  ])
  expect(nights.titles(t0 + 3 * hour, [sound('acme'), damaged('bolt')])).toEqual([])
  expect(nights.titles(t0 + 4 * hour, [sound('acme'), sound('bolt')])).toEqual([
    'RECOVERED: bolt of notes: sound again',
  ])
  expect(nights.standing).toEqual([])
})

test('an alarm that began while a clock was wrong is over after no known time', () => {
  const nights = new AlarmHistory()
  nights.run(t0 + 2 * hour, [damaged('acme')])
  const [over] = nights.run(t0, [sound('acme')]).outgoing
  expect(over?.alarm.text).toBe('DAMAGED is over: acme of notes: sound again.')
})

test('a quick check, an inconclusive one, and a check of others clear no damage', () => {
  const nights = new AlarmHistory()
  nights.run(t0, [damaged('acme')])
  expect(nights.titles(t0 + 1, [sound('acme', { depth: 'quick' })])).toEqual([])
  expect(nights.titles(t0 + 2, [unproven('acme')])).toEqual(['INCONCLUSIVE: acme of notes could not be checked'])
  expect(nights.titles(t0 + 3, [sound('bolt')], { mode: 'check', ending: { ...fullEnding(1), whole: false } })).toEqual(
    [],
  )
  expect(nights.standing.map(({ severity }) => severity)).toEqual(['DAMAGED', 'INCONCLUSIVE'])
})

test('a tenant that was inconclusive and is damaged now has not recovered', () => {
  const nights = new AlarmHistory()
  nights.run(t0, [unproven('acme')])
  expect(nights.titles(t0 + 1, [damaged('acme')])).toEqual(['DAMAGED: acme of notes'])
  expect(nights.titles(t0 + 2, [sound('acme')])).toEqual(['RECOVERED: acme of notes: sound again'])
})

test('a tenant that stood still recovers when its hold is seen to have ended, and not before', () => {
  const nights = new AlarmHistory()
  expect(nights.titles(t0, [paused('acme')], { learned: { ...nothingAbsent, held: ['acme'] } })).toEqual([
    'PAUSED: acme of notes may be paused',
  ])
  const check = { mode: 'check', ending: { ...fullEnding(1), whole: false } }
  expect(nights.titles(t0 + 1, [], { ...check, learned: { ...nothingAbsent, held: ['acme'] } })).toEqual([])
  expect(nights.titles(t0 + 2, [], { ...check, learned: null })).toEqual([])
  const ended = { ...check, learned: { ...nothingAbsent, served: servedAt(t0 + 2) } }
  expect(nights.titles(t0 + 3, [], ended)).toEqual(['RECOVERED: acme of notes: serving again'])
  expect(nights.titles(t0 + 4, [], ended)).toEqual([])
})

describe('a ledger that was lost, and with it the record of open holds', () => {
  const check = { mode: 'check', ending: { ...fullEnding(1), whole: false } }
  const begunAnew = (at: number) => ({ ...nothingAbsent, recordedSince: at })

  test('shows of no tenant that it serves: the end of a later hold does', () => {
    const nights = new AlarmHistory()
    nights.run(t0, [paused('acme')], { learned: { ...nothingAbsent, held: ['acme'] } })
    const lost = { ...begunAnew(t0 + 1), holdsLost: true }
    expect(nights.titles(t0 + 1, [], { ...check, learned: lost })).toEqual([
      'INCONCLUSIVE: the ledger of notes was lost',
    ])
    expect(nights.titles(t0 + 2, [], { ...check, learned: begunAnew(t0 + 1) })).toEqual([])
    expect(
      nights.titles(t0 + 4, [sound('acme')], { ...check, learned: { ...begunAnew(t0 + 1), served: servedAt(t0 + 3) } }),
    ).toEqual(['RECOVERED: acme of notes: serving again'])
    expect(nights.titles(t0 + 5, [sound('acme'), sound('bolt')], { learned: begunAnew(t0 + 1) })).toEqual([
      'RECOVERED: notes: all tenants were seen serving',
    ])
    expect(nights.standing).toEqual([])
  })

  test('an end from before the alarm does not count, as in a copy of an older ledger', () => {
    const nights = new AlarmHistory()
    nights.run(t0, [paused('acme')], { learned: { ...nothingAbsent, held: ['acme'] } })
    const older = { ...begunAnew(t0 + 1), served: servedAt(t0 - hour) }
    expect(nights.titles(t0 + 2, [], { ...check, learned: older })).toEqual([])
  })

  test('shows nothing of a tenant that an alarm could not name: a sweep that sees all of them serving does', () => {
    const nights = new AlarmHistory()
    const failure = { code: 'GUARDIAN_LOST', message: 'm', hint: 'h', tenantState: 'maybe-paused' } as const
    const failed = { counts: null, whole: true, stopped: null, failure }
    nights.run(t0, [], { ending: failed })
    const learned = begunAnew(t0 + 1)
    expect(nights.titles(t0 + 2, [sound('acme')], { ...check, learned })).toEqual([])
    const { failure: left } = paused('acme')
    const busy = unproven('acme', left === undefined ? {} : { failure: { ...left, tenantState: 'untouched' } })
    nights.run(t0 + 3, [busy], { learned })
    expect(nights.standing.map(({ severity }) => severity)).toContain('PAUSED')
    nights.run(t0 + 4, [sound('acme')], { learned })
    expect(nights.standing).toEqual([])
  })
})

test('STALE recovers when a run that looked no longer finds it', () => {
  const nights = new AlarmHistory()
  const absences = [{ kind: 'killed', code: 1, since: t0 - hour, text: 'killed', command: 'holdfast sweep' }] as const
  expect(nights.titles(t0, [], { learned: { ...nothingAbsent, absences } })).toEqual(['STALE: notes: killed'])
  expect(nights.titles(t0 + 1, [], { learned: { ...nothingAbsent, absences } })).toEqual([])
  expect(nights.titles(t0 + 2, [], { learned: null })).toEqual([])
  expect(nights.titles(t0 + 3, [sound('a')])).toEqual(['RECOVERED: notes: no longer stale (killed)'])
})

test('a sweep that reached half is no recovery from one that was killed', () => {
  const nights = new AlarmHistory()
  const since = t0 - hour
  const killed = { kind: 'killed', code: 1, since, text: 'killed', command: 'holdfast sweep' } as const
  const half = { kind: 'covered-too-little', code: 1, since, text: 'half', command: 'holdfast sweep' } as const
  nights.run(t0, [], { learned: { ...nothingAbsent, absences: [killed] } })
  expect(nights.titles(t0 + 1, [], { learned: { ...nothingAbsent, absences: [half] } })).toEqual(['STALE: notes: half'])
  expect(nights.titles(t0 + 2, [sound('a')])).toEqual(['RECOVERED: notes: no longer stale (covered-too-little)'])
})

test('a copy of the list of tenants that has become too old is no recovery from its use', () => {
  const nights = new AlarmHistory()
  const cached = { kind: 'registry-cached', code: 1, since: t0, text: 'a copy', command: 'holdfast doctor' } as const
  const down = { kind: 'registry-down', code: 2, since: t0, text: 'no list', command: 'holdfast doctor' } as const
  nights.run(t0, [], { learned: { ...nothingAbsent, absences: [cached] } })
  expect(nights.titles(t0 + 1, [], { learned: { ...nothingAbsent, absences: [down] } })).toEqual([
    'STALE: notes: no list',
  ])
  expect(nights.titles(t0 + 2, [], { learned: { ...nothingAbsent, absences: [cached] } })).toEqual([
    'STALE: notes: a copy',
  ])
  expect(nights.titles(t0 + 3, [sound('a')])).toEqual(['RECOVERED: notes: no longer stale (registry-cached)'])
})

test('while another run works, a missing sweep is not over', () => {
  const nights = new AlarmHistory()
  const absences = [{ kind: 'killed', code: 1, since: t0, text: 'killed', command: 'holdfast sweep' }] as const
  nights.run(t0, [], { learned: { ...nothingAbsent, absences } })
  expect(nights.titles(t0 + 1, [], { learned: { ...nothingAbsent, othersWork: true } })).toEqual([])
  expect(nights.standing).toHaveLength(1)
})

test('suspected harm ends only with a sweep that finds all tenants sound', () => {
  const nights = new AlarmHistory()
  const harmed = damaged('acme', {
    failure: { code: 'LOCK_NOT_HONOURED', message: 'm', hint: 'h', tenantState: 'active' },
  })
  expect(nights.titles(t0, [harmed])).toHaveLength(2)
  const check = { mode: 'check', ending: { ...fullEnding(1), whole: false } }
  expect(nights.titles(t0 + 1, [sound('acme')], check)).toEqual(['RECOVERED: acme of notes: sound again'])
  expect(nights.titles(t0 + 2, [sound('acme'), unproven('bolt')])).toEqual([
    'INCONCLUSIVE: bolt of notes could not be checked',
  ])
  expect(nights.titles(t0 + 3, [sound('acme'), sound('bolt')])).toEqual([
    'RECOVERED: acme of notes: a sweep found all tenants sound',
    'RECOVERED: bolt of notes: checked again and sound',
  ])
})

test('suspected harm does not end with a sweep that left tenants out because they were not due', () => {
  const nights = new AlarmHistory()
  const failure = { code: 'LOCK_NOT_HONOURED', message: 'm', hint: 'h', tenantState: 'active' } as const
  nights.run(t0, [unproven('acme', { failure })])
  const ending = { ...fullEnding(1), counts: { selected: 1, covered: 1, notDue: 9 } }
  nights.run(t0 + 1, [sound('acme')], { ending })
  expect(nights.standing.map(({ severity }) => severity)).toEqual(['HARM SUSPECTED'])
  nights.run(t0 + 2, [sound('acme')])
  expect(nights.standing).toEqual([])
})

test('a run that failed recovers when one of its kind comes to its end', () => {
  const nights = new AlarmHistory()
  const failure = { code: 'ADMIN_UNREACHABLE', message: 'm', hint: 'h', tenantState: 'untouched' } as const
  nights.run(t0, [], { ending: { counts: null, whole: true, stopped: null, failure } })
  const check = { mode: 'check', ending: { ...fullEnding(1), whole: false } }
  expect(nights.titles(t0 + 1, [sound('a')], check)).toEqual([])
  expect(nights.titles(t0 + 2, [sound('a')])).toEqual(['RECOVERED: notes: the sweep came to its end'])
})

test('an alarm of a tenant that the service no longer lists ends with words of its own: it was not found sound', () => {
  const nights = new AlarmHistory()
  nights.run(t0, [damaged('acme'), sound('bolt'), damaged('cube')])
  const { outgoing } = nights.run(t0 + hour, [sound('bolt'), sound('cube')])
  expect(outgoing.map(({ alarm }) => alarm)).toMatchObject([
    { title: 'RECOVERED: cube of notes: sound again', tenants: [{ tenant: 'cube', verdict: 'sound' }] },
    {
      title: 'RECOVERED: acme of notes: no longer listed by the service',
      tenants: [{ tenant: 'acme', verdict: null, damage: null }],
      text: 'DAMAGED is over after 1 h: acme of notes: no longer listed by the service.',
    },
  ])
  expect(nights.standing).toEqual([])
})

test('a recovery goes only to sinks that get the alarm too', () => {
  const nights = new AlarmHistory()
  nights.run(t0, [damaged('acme')])
  expect(nights.run(t0 + 1, [sound('acme')]).outgoing.map(({ severities }) => severities)).toEqual([
    ['DAMAGED', 'RECOVERED'],
  ])
})

test('a clock that was ahead sends again instead of never', () => {
  const nights = new AlarmHistory()
  nights.run(t0 + 1000 * hour, [damaged('acme')])
  expect(nights.titles(t0, [damaged('acme')])).toEqual(['DAMAGED: acme of notes'])
  expect(nights.titles(t0 + 1, [damaged('acme')], { learned: nothingAbsent })).toEqual([])
})

test('I4.3: the gravest alarm goes first, and each title begins with its severity', () => {
  const titles = new AlarmHistory().titles(t0, [unproven('a'), damaged('b'), paused('c')])
  expect(titles.map((title) => title.split(':')[0])).toEqual(['PAUSED', 'DAMAGED', 'INCONCLUSIVE'])
})
