/** An alarm is repeated after a day, or if it has grown; a recovery goes out once. The clock is injected. */
import { expect, test } from 'vitest'
import { fullEnding, Nights, nothingAbsent, t0 } from '../support/alarm/samples.ts'
import { damaged, paused, sound, unproven } from '../support/report.ts'
import { hour } from '../support/status.ts'

test('a repeat is folded for 24 h, and then sent again', () => {
  const nights = new Nights()
  expect(nights.titles(t0, [damaged('acme')])).toEqual(['DAMAGED: acme of notes'])
  expect(nights.titles(t0 + hour, [damaged('acme')])).toEqual([])
  expect(nights.titles(t0 + 24 * hour - 1, [damaged('acme')])).toEqual([])
  expect(nights.titles(t0 + 24 * hour, [damaged('acme')])).toEqual(['DAMAGED: acme of notes'])
  expect(nights.titles(t0 + 25 * hour, [damaged('acme')])).toEqual([])
})

test('an alarm that has grown is sent immediately: another tenant, or worse damage', () => {
  const nights = new Nights()
  nights.run(t0, [damaged('acme')])
  expect(nights.titles(t0 + 1, [damaged('acme'), damaged('bolt')])).toEqual(['DAMAGED: acme, bolt of notes'])
  expect(nights.titles(t0 + 2, [damaged('acme'), damaged('bolt')])).toEqual([])
  const worse = damaged('bolt', { damage: 'table' })
  expect(nights.titles(t0 + 3, [damaged('acme'), worse])).toEqual(['DAMAGED: acme, bolt of notes'])
  expect(nights.titles(t0 + 4, [damaged('acme')])).toEqual([])
})

test('RECOVERED goes out once, when a full check finds the tenant sound, and since when it held is kept', () => {
  const nights = new Nights()
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

test('a quick check, an inconclusive one, and a check of others clear no damage', () => {
  const nights = new Nights()
  nights.run(t0, [damaged('acme')])
  expect(nights.titles(t0 + 1, [sound('acme', { depth: 'quick' })])).toEqual([])
  expect(nights.titles(t0 + 2, [unproven('acme')])).toEqual(['INCONCLUSIVE: acme of notes could not be checked'])
  expect(nights.titles(t0 + 3, [sound('bolt')], { mode: 'check', ending: { ...fullEnding(1), whole: false } })).toEqual(
    [],
  )
  expect(nights.standing.map(({ severity }) => severity)).toEqual(['DAMAGED', 'INCONCLUSIVE'])
})

test('a tenant that was inconclusive and is damaged now has not recovered', () => {
  const nights = new Nights()
  nights.run(t0, [unproven('acme')])
  expect(nights.titles(t0 + 1, [damaged('acme')])).toEqual(['DAMAGED: acme of notes'])
  expect(nights.titles(t0 + 2, [sound('acme')])).toEqual(['RECOVERED: acme of notes: sound again'])
})

test('a tenant that stood still recovers when its hold is seen to have ended, and not before', () => {
  const nights = new Nights()
  expect(nights.titles(t0, [paused('acme')], { learned: { absences: [], held: ['acme'], othersWork: false } })).toEqual(
    ['PAUSED: acme of notes may be paused'],
  )
  const check = { mode: 'check', ending: { ...fullEnding(1), whole: false } }
  expect(nights.titles(t0 + 1, [], { ...check, learned: { absences: [], held: ['acme'], othersWork: false } })).toEqual(
    [],
  )
  expect(nights.titles(t0 + 2, [], { ...check, learned: null })).toEqual([])
  expect(nights.titles(t0 + 3, [], check)).toEqual(['RECOVERED: acme of notes: serving again'])
  expect(nights.titles(t0 + 4, [], check)).toEqual([])
})

test('STALE recovers when a run that looked no longer finds it', () => {
  const nights = new Nights()
  const absences = [{ kind: 'killed', code: 1, since: t0 - hour, text: 'killed', command: 'holdfast sweep' }] as const
  expect(nights.titles(t0, [], { learned: { absences, held: [], othersWork: false } })).toEqual([
    'STALE: notes: killed',
  ])
  expect(nights.titles(t0 + 1, [], { learned: { absences, held: [], othersWork: false } })).toEqual([])
  expect(nights.titles(t0 + 2, [], { learned: null })).toEqual([])
  expect(nights.titles(t0 + 3, [sound('a')])).toEqual(['RECOVERED: notes: no longer stale (killed)'])
})

test('a sweep that reached half is no recovery from one that was killed', () => {
  const nights = new Nights()
  const since = t0 - hour
  const killed = { kind: 'killed', code: 1, since, text: 'killed', command: 'holdfast sweep' } as const
  const half = { kind: 'covered-too-little', code: 1, since, text: 'half', command: 'holdfast sweep' } as const
  nights.run(t0, [], { learned: { absences: [killed], held: [], othersWork: false } })
  expect(nights.titles(t0 + 1, [], { learned: { absences: [half], held: [], othersWork: false } })).toEqual([
    'STALE: notes: half',
  ])
  expect(nights.titles(t0 + 2, [sound('a')])).toEqual(['RECOVERED: notes: no longer stale (covered-too-little)'])
})

test('while another run works, a missing sweep is not over', () => {
  const nights = new Nights()
  const absences = [{ kind: 'killed', code: 1, since: t0, text: 'killed', command: 'holdfast sweep' }] as const
  nights.run(t0, [], { learned: { absences, held: [], othersWork: false } })
  expect(nights.titles(t0 + 1, [], { learned: { absences: [], held: [], othersWork: true } })).toEqual([])
  expect(nights.standing).toHaveLength(1)
})

test('suspected harm ends only with a sweep that finds all tenants sound', () => {
  const nights = new Nights()
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

test('a run that failed recovers when one of its kind comes to its end', () => {
  const nights = new Nights()
  const failure = { code: 'ADMIN_UNREACHABLE', message: 'm', hint: 'h', tenantState: 'untouched' } as const
  nights.run(t0, [], { ending: { counts: null, whole: true, stopped: null, failure } })
  const check = { mode: 'check', ending: { ...fullEnding(1), whole: false } }
  expect(nights.titles(t0 + 1, [sound('a')], check)).toEqual([])
  expect(nights.titles(t0 + 2, [sound('a')])).toEqual(['RECOVERED: notes: the sweep came to its end'])
})

test('a tenant that is no longer listed is forgotten after the sweep that said so', () => {
  const nights = new Nights()
  nights.run(t0, [damaged('acme'), sound('bolt')])
  expect(nights.titles(t0 + 1, [sound('bolt')])).toEqual([])
  expect(nights.standing).toEqual([])
})

test('a recovery goes only to sinks that get the alarm too', () => {
  const nights = new Nights()
  nights.run(t0, [damaged('acme')])
  expect(nights.run(t0 + 1, [sound('acme')]).outgoing.map(({ severities }) => severities)).toEqual([
    ['DAMAGED', 'RECOVERED'],
  ])
})

test('a clock that was ahead sends again instead of never', () => {
  const nights = new Nights()
  nights.run(t0 + 1000 * hour, [damaged('acme')])
  expect(nights.titles(t0, [damaged('acme')])).toEqual(['DAMAGED: acme of notes'])
  expect(nights.titles(t0 + 1, [damaged('acme')], { learned: nothingAbsent })).toEqual([])
})

test('I4.3: the gravest alarm goes first, and each title begins with its severity', () => {
  const titles = new Nights().titles(t0, [unproven('a'), damaged('b'), paused('c')])
  expect(titles.map((title) => title.split(':')[0])).toEqual(['PAUSED', 'DAMAGED', 'INCONCLUSIVE'])
})
