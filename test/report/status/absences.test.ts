/** Absences (I4.2): each has its own words, its own severity, and the command that helps. The clock is injected. */
import { expect, test } from 'vitest'
import { tenantId } from '../../../src/model/brand.ts'
import {
  absencesIn,
  absenceKinds,
  lastFullSweepAt,
  outdatedConfiguration,
  type SweepFacts,
} from '../../../src/report/status/absences.ts'
import { absenceTerms, facts, fullEnd, hour, now, recordedRun, render, tenant, view } from '../../support/status.ts'

const full = recordedRun('full')
const found = (given: SweepFacts, terms: Partial<typeof absenceTerms> = {}): readonly string[] =>
  absencesIn(given, { ...absenceTerms, ...terms }).map(({ kind, code, text }) => `${kind} ${code} ${text}`)
const atWork = { run: 'now', pid: 4711, since: now - hour, stopped: false }
const started = recordedRun('now', { finished: null })
const cached = { source: 'cached', since: now - 9 * hour, code: 'ADMIN_UNREACHABLE', why: 'no\u001banswer' } as const

test('I4.3: suspected harm is the gravest, and an open incident is a warning', () => {
  const harmed = tenant('acme', { verdict: 'damaged', damage: 'index', failure: 'HARM_SUSPECTED' })
  const given = render(view([tenant('bolt'), harmed]), 'nagios')
  expect(given.code).toBe(2)
  expect(given.text).toMatch(/^HOLDFAST CRITICAL - HARM SUSPECTED 1: acme; DAMAGED 1: acme/)
  // A later check finds the same damage: it does not say that the harm is over.
  const later = tenant('acme', { verdict: 'damaged', damage: 'index' })
  const harm = { code: 'HARM_SUSPECTED', run: '01H', at: now - 2 * hour }
  const still = render(view([tenant('bolt'), later], { harm }), 'nagios')
  expect(still.code).toBe(2)
  expect(still.text).toMatch(/^HOLDFAST CRITICAL - HARM SUSPECTED 2 h ago by run 01H \(HARM_SUSPECTED\): it ends with/)
  const incident = render(view([tenant('bolt')], { incident: { id: '01J', since: now - 2 * hour } }), 'nagios')
  expect(incident.code).toBe(1)
  expect(incident.text).toMatch(/^HOLDFAST WARNING - INCIDENT 01J, begun 2 h ago: it ends with a full sweep/)
})

test('a copy of the configuration says which line is wrong', () => {
  const absence = outdatedConfiguration(now - hour, '/etc/h.yaml:3:1: unknown key a: did you mean b?\nand more')
  expect(absence).toMatchObject({ kind: 'configuration-copy', code: 1, since: now - hour })
  const { text, code } = render(view([tenant('acme')], { absences: [absence] }), 'monit')
  expect(code).toBe(1)
  expect(text).toContain('STALE the configuration is not valid, a copy is used: /etc/h.yaml:3:1: unknown key a')
})

test('a sweep that reached no tenant covered too little, although it is no full sweep', () => {
  const finished = { ...fullEnd(now), covered: 0, whole: false }
  const lastSweep = {
    run: '1',
    at: now,
    since: now,
    depth: 'full',
    only: null,
    selected: 10,
    notDue: 0,
    finished,
  } as const
  const given = facts([recordedRun('1', { finished }), full], { lastSweep })
  expect(found(given)).toEqual(['covered-too-little 1 the last sweep covered 0 of 10 files (0 %)'])
  expect(found({ ...given, lastSweep: { ...lastSweep, only: ['a*'] } })).toEqual([])
})

test('a sweep that had nothing to check says why another one does not help; nothing is OK', () => {
  const finished = { ...fullEnd(now), selected: 0, covered: 0, whole: false }
  const base = { run: '1', at: now, since: now, depth: 'full', only: null, notDue: 0, finished } as const
  const given = facts([recordedRun('1', { finished })], { lastSweep: { ...base, selected: 0 } })
  const absences = absencesIn(given, absenceTerms)
  expect(absences).toMatchObject([{ kind: 'sweep-too-old', code: 1, command: 'holdfast doctor' }])
  const { code, text } = render(view([], { absences, lastFullSweepAt: null }), 'nagios')
  expect([code, text]).toEqual([
    3,
    expect.stringMatching(/^HOLDFAST UNKNOWN - STALE no full sweep yet: the last .* lists no file \|/) as string,
  ])
  const known = found({ ...given, lastSweep: { ...base, selected: 0, only: ['a*'] } })
  expect(known).toEqual(['sweep-too-old 1 no full sweep yet'])
})

test('files that were not due count as covered', () => {
  const end = { ...fullEnd(now), selected: 2, covered: 2, notDue: 8 }
  expect(found(facts([recordedRun('1', { finished: end })]))).toEqual([])
  expect(found(facts([recordedRun('1', { finished: { ...end, covered: 1 } }), full]))).toEqual([
    'covered-too-little 1 the last sweep covered 9 of 10 files (90 %)',
  ])
})

test('nothing is absent after a full sweep', () => {
  expect(found(facts([full]))).toEqual([])
  expect(lastFullSweepAt(facts([full]))).toBe(now - hour)
})

const chunk = recordedRun('chunk', { mode: 'check', finished: { ...fullEnd(now), whole: false } })
const half = recordedRun('half', { startedAt: now - 9 * hour, finished: { ...fullEnd(now - 8 * hour), covered: 5 } })
const cut = recordedRun('cut', { startedAt: now - 9 * hour, finished: null })
const inFleet = (at: number | null, reached = 10) => ({ fleet: { files: 10, reached, at } })

test.each<[string, SweepFacts, readonly string[]]>([
  ['checked by its runs', facts([chunk], inFleet(now - hour)), []],
  [
    'with one file that none of them reached',
    facts([chunk], inFleet(null, 9)),
    ['the fleet has not checked 1 of 10 files at full depth yet'],
  ],
  [
    'whose oldest check is too old',
    facts([chunk], inFleet(now - 30 * hour)),
    ['last full check of all files 1 d 6 h ago'],
  ],
  ['without any file', facts([chunk], { fleet: { files: 0, reached: 0, at: null } }), ['no full sweep yet']],
  ['with a sweep of its own', facts([full], inFleet(null, 9)), []],
  ['with an old sweep of its own that did not reach all', facts([chunk, half], inFleet(now - hour)), []],
  [
    'with such a sweep after those checks',
    facts([chunk, half], inFleet(now - 9 * hour)),
    ['the last sweep covered 5 of 10 files (50 %)'],
  ],
  ['with a sweep that was killed before', facts([chunk, cut], { ...inFleet(now - hour), gone: new Set(['cut']) }), []],
])('a host of a fleet, %s', (_, given, expected) => {
  const absences = absencesIn(given, absenceTerms)
  expect(absences.map(({ text }) => text)).toEqual(expected)
  for (const { kind, command } of absences) if (kind === 'sweep-too-old') expect(command).toBe('holdfast fleet status')
})

test('the last full sweep of a host of a fleet is what was later: a sweep, or the checks of its runs', () => {
  const atOf = (given: SweepFacts): number | null => lastFullSweepAt(given)
  expect(atOf(facts([full], inFleet(now - 9 * hour)))).toBe(now - hour)
  expect(atOf(facts([full], inFleet(now)))).toBe(now)
  expect(atOf(facts([chunk], inFleet(now)))).toBe(now)
  expect(atOf(facts([chunk], inFleet(null)))).toBeNull()
})

test.each([
  ['never run', facts([]), 'never-run 1 never run: no run was ever recorded'],
  [
    'no sweep of all tenants',
    facts([recordedRun('1', { mode: 'check', finished: { ...fullEnd(now), whole: false } })]),
    'sweep-too-old 1 no full sweep yet',
  ],
  [
    'an old sweep',
    facts([recordedRun('1', { finished: fullEnd(now - 30 * hour) })]),
    'sweep-too-old 1 last full sweep 1 d 6 h ago',
  ],
  [
    'a sweep in the future',
    facts([recordedRun('1', { finished: fullEnd(now + hour) })]),
    'sweep-too-old 1 the time of the last full sweep is in the future: a clock was wrong',
  ],
  [
    'a killed sweep',
    facts([started, recordedRun('full', { startedAt: now - 2 * hour })], { gone: new Set(['now']) }),
    'killed 1 the last sweep was killed: it began, and recorded no end',
  ],
  [
    'a sweep over half of the tenants',
    facts([recordedRun('1', { finished: { ...fullEnd(now), covered: 5 } }), full]),
    'covered-too-little 1 the last sweep covered 5 of 10 files (50 %)',
  ],
  [
    'a list of tenants from the cache',
    facts([full], { registry: { ...cached, at: now, run: '1' } }),
    'registry-cached 1 the service gives no list of tenants, a copy is used; the last one is 9 h old ' +
      '(ADMIN_UNREACHABLE: no\\eanswer)',
  ],
  [
    'a list that leaves out a folder',
    facts([full], {
      registry: { source: 'live', since: now, at: now, run: '1', unsearched: { places: 2, first: 'no\u001baccess' } },
    }),
    'registry-partly 1 2 places of service.files could not be searched: no\\eaccess',
  ],
  [
    'a list of tenants that is too old',
    facts([full], { registry: { ...cached, source: 'refused', at: now, run: '1' } }),
    'registry-down 2 the service gives no list of tenants, and nothing is checked; the last one is 9 h old ' +
      '(ADMIN_UNREACHABLE: no\\eanswer)',
  ],
  [
    'no list of tenants, and a copy from the future',
    facts([full], { registry: { ...cached, source: 'refused', since: now + hour, at: now, run: '1' } }),
    'registry-down 2 the service gives no list of tenants, and nothing is checked; ' +
      'the time of the last one is in the future: a clock was wrong (ADMIN_UNREACHABLE: no\\eanswer)',
  ],
  [
    'no list of tenants, and a copy that is missing or was altered',
    facts([full], { registry: { ...cached, source: 'refused', since: null, at: now, run: '1' } }),
    'registry-down 2 the service gives no list of tenants, and nothing is checked; ' +
      'no copy of an earlier one can be used (ADMIN_UNREACHABLE: no\\eanswer)',
  ],
  [
    'an old backup',
    facts([
      recordedRun('1', {
        finished: { ...fullEnd(now), backups: { oldestAt: now - 200 * hour, tenant: tenantId('acme'), missing: 0 } },
      }),
    ]),
    'backups-too-old 1 the newest backup of acme is 8 d 8 h old; backups.maxAge is 7 d',
  ],
  [
    'a sound file without a backup',
    facts([recordedRun('1', { finished: { ...fullEnd(now), backups: { oldestAt: now, tenant: null, missing: 2 } } })]),
    'backups-too-old 1 2 sound files have no backup',
  ],
  [
    'a run that was stopped by a signal',
    facts([full], { atWork: { ...atWork, stopped: true } }),
    'hung 2 the run hangs: its process 4711 is stopped and does nothing',
  ],
  [
    'a run that works too long',
    facts([full], { atWork: { ...atWork, since: now - 27 * hour } }),
    'hung 2 the run hangs: process 4711 has worked for 1 d 3 h, longer than 1 d 2 h',
  ],
  [
    'a run that writes nothing any more',
    facts([full], { atWork: { ...atWork, since: now - 3 * hour }, newestLineAt: now - 2 * hour }),
    'hung 2 the run hangs: process 4711 has done nothing for 2 h',
  ],
])('%s has words of its own', (_, given, expected) => {
  expect(found(given)).toEqual([expected])
})

test('a run at work is neither killed nor hung, and a new one not quiet because of old lines', () => {
  const given = facts([started, full], { atWork, newestLineAt: now - 5 * hour })
  expect(found(given)).toEqual([])
})

test('a sweep hangs after twice its budget', () => {
  const given = facts([full], { atWork: { ...atWork, since: now - 7 * hour } })
  expect(found(given, { budgetMs: 3 * hour })).toEqual([
    'hung 2 the run hangs: process 4711 has worked for 7 h, longer than 6 h',
  ])
  expect(found(given, { budgetMs: 4 * hour })).toEqual([])
})

test('a later full sweep makes up for one that was killed, and for one that covered half', () => {
  const killed = recordedRun('killed', { finished: null, startedAt: now - 3 * hour })
  const half = recordedRun('half', { startedAt: now - 4 * hour, finished: { ...fullEnd(now - 3 * hour), covered: 5 } })
  expect(found(facts([full, killed, half], { gone: new Set(['killed']) }))).toEqual([])
})

test('a later sweep over some tenants does not make up for one that was killed', () => {
  const killed = recordedRun('killed', { finished: null, startedAt: now - 3 * hour })
  const before = recordedRun('before', { startedAt: now - 9 * hour, finished: fullEnd(now - 8 * hour) })
  const some = recordedRun('some', { finished: { ...fullEnd(now - hour), whole: false } })
  const unknown = recordedRun('none', {
    finished: { ...fullEnd(now), exitCode: 64, selected: 0, covered: 0, whole: false },
  })
  expect(found(facts([unknown, some, killed, before], { gone: new Set(['killed']) }))).toEqual([
    'killed 1 the last sweep was killed: it began, and recorded no end',
  ])
})

test('backups have no limit where none are kept', () => {
  const backups = { oldestAt: 1, tenant: null, missing: 0 }
  const given = facts([recordedRun('1', { finished: { ...fullEnd(now), backups } })])
  expect(found(given, { backupMaxAgeMs: null })).toEqual([])
})

test('I4.3: the status names each absence, the critical ones first, with its command', () => {
  const all = absencesIn(
    facts([started, recordedRun('1', { finished: { ...fullEnd(now - 40 * hour), covered: 5 } })], {
      gone: new Set(['now']),
      atWork: { ...atWork, stopped: true },
      registry: { ...cached, source: 'refused', at: now, run: '1' },
    }),
    absenceTerms,
  )
  expect(all.map(({ kind }) => kind)).toEqual(
    absenceKinds.filter((kind) =>
      ['registry-down', 'hung', 'sweep-too-old', 'killed', 'covered-too-little'].includes(kind),
    ),
  )
  const given = view([], { absences: all })
  const { text, code } = render(given, 'nagios')
  expect(code).toBe(2)
  expect(text).toMatch(/^HOLDFAST CRITICAL - STALE the service gives no list of tenants, .*STALE the run hangs: /)
  expect(render(given, 'text').text).toMatch(/next\n {4}holdfast doctor\n {4}kill -CONT 4711\n {4}holdfast sweep\n/)
})

test.each([
  [[], 0],
  [['killed'], 1],
  [['covered-too-little'], 1],
  [['hung'], 2],
  [['registry-down'], 2],
] as const)('I4.3: %j has an exit code of its own for monitors', (kinds, code) => {
  const absences = kinds.map((kind) => ({
    kind,
    code: kind === 'hung' || kind === 'registry-down' ? (2 as const) : (1 as const),
    since: null,
    text: kind,
    command: 'holdfast sweep',
  }))
  expect(render(view([], { absences }), 'monit').code).toBe(code)
})
