/** From what a run sees to alarms (I4.2, I4.3): the severity, the tenants, the command, and no word too many. */
import { describe, expect, test } from 'vitest'
import type { Condition } from '../../src/alarm/condition.ts'
import { tenantId } from '../../src/model/brand.ts'
import { Failure, type FailureCode } from '../../src/model/failure.ts'
import type { RemedyResult } from '../../src/model/result/remedy.ts'
import type { Result } from '../../src/model/result/report.ts'
import { collect, fullEnding, AlarmHistory, nothingAbsent, seenBy, t0 } from '../support/alarm/samples.ts'
import { damaged, failed, paused, sound, unproven } from '../support/report.ts'

const titles = (conditions: readonly Condition[]): readonly string[] =>
  conditions.map(({ severity, headline }) => `${severity}: ${headline}`)
const withFailure = (result: Result, code: string): Result => ({
  ...result,
  failure: { code: code as FailureCode, message: 'm', hint: 'h', tenantState: 'active' },
})

test('a sound sweep raises nothing', () => {
  expect(seenBy([sound('acme'), sound('bolt')]).conditions).toEqual([])
})

test('I4.3: each result has its severity, and alarms name the tenants and the next command', () => {
  const { conditions } = seenBy([sound('a'), damaged('b'), unproven('c'), failed('d'), paused('e')])
  expect(titles(conditions).toSorted()).toEqual([
    'DAMAGED: b of notes',
    'INCONCLUSIVE: c, d of notes could not be checked',
    'PAUSED: e of notes may be paused',
  ])
  const find = (severity: string): Condition | undefined => conditions.find((one) => one.severity === severity)
  expect(find('DAMAGED')).toMatchObject({
    tenantsTotal: 1,
    command: expect.stringContaining('holdfast ') as string,
    tenants: [{ tenant: 'b', verdict: 'damaged', damage: 'index', remedy: { do: 'rebuild' } }],
  })
  expect(find('PAUSED')?.command).toBe('holdfast resume --all')
  expect(find('INCONCLUSIVE')?.tenantsTotal).toBe(2)
})

test('all commands of an alarm name the configuration, because another person types them elsewhere', () => {
  const command = 'holdfast repair --tenant acme --apply'
  const remedy = { do: 'rebuild', indexes: ['i'], rehearsed: true, why: `w: \`${command}\``, command } as const
  const [condition] = seenBy([damaged('acme', { remedy })], { config: '/etc/notes.yaml' }).conditions
  const named = 'holdfast repair --config /etc/notes.yaml --tenant acme --apply'
  expect([condition?.command, condition?.tenants[0]?.remedy]).toMatchObject([
    named,
    { command: named, why: `w: \`${named}\`` },
  ])
})

test('a sample in which nothing was found raises nothing; one with damage does', () => {
  const sample = { first: 1, last: 10, pages: 100, since: '2026-11-28T00:00:00.000Z', wholeSince: null }
  const { failure: _, ...quiet } = unproven('c')
  const sampled = (result: Result): Result => ({ ...result, depth: 'sample', sample })
  expect(seenBy([sound('a'), sampled(quiet)]).conditions).toEqual([])
  expect(titles(seenBy([sampled(damaged('b'))]).conditions)).toEqual(['DAMAGED: b of notes'])
})

test.each(['HARM_SUSPECTED', 'LOCK_NOT_HONOURED'])('%s is harm, and damage beside it is told too', (code) => {
  const { conditions } = seenBy([withFailure(damaged('acme'), code)])
  expect(titles(conditions)).toEqual([
    'HARM SUSPECTED: by holdfast itself, or locks do not hold: acme of notes',
    'DAMAGED: acme of notes',
  ])
})

describe('while harm is suspected, no command is offered that changes, pauses or checks anything', () => {
  const mendable = (id: string, more: Partial<Result> = {}): Result =>
    damaged(id, {
      remedy: {
        do: 'rebuild',
        indexes: ['i'],
        rehearsed: true,
        why: 'w',
        command: `holdfast repair --tenant ${id} --apply`,
      },
      ...more,
    })
  const absences = [{ kind: 'killed', code: 1, since: 5, text: 'killed', command: 'holdfast sweep' }] as const
  const offered = (conditions: readonly Condition[]): string =>
    conditions
      .flatMap(({ command, text, tenants }) => [command, text, ...tenants.map(({ remedy }) => remedy?.command ?? '')])
      .join('\n')

  test('by any alarm of the run that suspects it', () => {
    const harmed = withFailure(mendable('acme'), 'HARM_SUSPECTED')
    const { conditions } = seenBy([mendable('bolt'), harmed], {
      mode: 'triage',
      learned: { ...nothingAbsent, absences },
    })
    expect(conditions.map(({ severity, command }) => `${severity}: ${command}`).toSorted()).toEqual([
      'DAMAGED: holdfast status',
      'HARM SUSPECTED: holdfast explain HARM_SUSPECTED',
      'STALE: holdfast status',
    ])
    expect(offered(conditions)).not.toMatch(/holdfast (?:repair|restore|sweep|check|triage|doctor)/)
  })

  test('nor by a later run, until the harm is over', () => {
    const nights = new AlarmHistory()
    nights.run(t0, [withFailure(mendable('acme'), 'HARM_SUSPECTED')])
    const { outgoing } = nights.run(t0 + 1, [damaged('acme'), mendable('bolt')], {
      learned: { ...nothingAbsent, absences },
    })
    expect(outgoing.map(({ alarm }) => alarm.command)).toEqual(['holdfast status', 'holdfast status'])
    nights.run(t0 + 2, [sound('acme'), sound('bolt')])
    expect(nights.run(t0 + 3, [mendable('bolt')]).outgoing[0]?.alarm.command).toMatch(/^holdfast repair /)
  })

  test('nor by the change that is suspected', () => {
    const run = collect('repair')
    run.considerRemedy(change({ applied: applied && { ...applied, verdict: 'damaged' } }))
    const { conditions } = run.end({ ...fullEnding(1), whole: false }, nothingAbsent)
    expect(conditions.map(({ command }) => command)).toEqual(['holdfast explain HARM_SUSPECTED'])
  })
})

test('leases that ended under a run are harm, although each result is inconclusive', () => {
  const stopped = new Failure('LEASE_LOST', '4 leases ended before holdfast ended the pauses')
  const { conditions } = seenBy([unproven('a')], { ending: { ...fullEnding(9), stopped } })
  expect(titles(conditions)).toContain('HARM SUSPECTED: LEASE_LOST on notes')
})

test('what must not wait is told immediately: a tenant that may be paused, and the first culprit', () => {
  const run = collect('sweep')
  expect(run.consider(damaged('a'))).toBeNull()
  expect(run.consider(paused('b'))).toMatchObject({ severity: 'PAUSED', tenantsTotal: 1 })
  expect(run.culprit(damaged('c'))).toMatchObject({ severity: 'DAMAGED', headline: 'CULPRIT c of notes' })
})

test.each([
  ['ADMIN_UNREACHABLE', 'INCONCLUSIVE: the sweep of notes failed: ADMIN_UNREACHABLE'],
  ['LEDGER_UNUSABLE', 'INCONCLUSIVE: the sweep of notes failed: LEDGER_UNUSABLE'],
  ['BUG', 'INCONCLUSIVE: the sweep of notes failed: BUG'],
  ['RUN_ACTIVE', null],
  ['USAGE', null],
  ['INTERRUPTED', null],
] as const)('I4.2: a run that fails with %s is no run that found nothing', (code, expected) => {
  const failure = { code, message: 'm', hint: 'h', tenantState: 'untouched' } as const
  const { conditions } = seenBy([], { ending: { counts: null, whole: true, stopped: null, failure } })
  expect(titles(conditions)).toEqual(expected === null ? [] : [expected])
})

test('a run that leaves a tenant paused says so, whatever its code', () => {
  const failure = { code: 'GUARDIAN_LOST', message: 'm', hint: 'h', tenantState: 'maybe-paused' } as const
  const { conditions } = seenBy([], { ending: { counts: null, whole: true, stopped: null, failure } })
  expect(titles(conditions)).toEqual(['PAUSED: a tenant of notes may be paused'])
})

test('I4.2: what the ledger misses is STALE, one alarm each', () => {
  const absences = [
    { kind: 'killed', code: 1, since: 5, text: 'the last sweep was killed', command: 'holdfast sweep' },
    { kind: 'registry-cached', code: 1, since: 7, text: 'a copy is used', command: 'holdfast doctor' },
  ] as const
  const { conditions } = seenBy([sound('a')], { learned: { ...nothingAbsent, absences } })
  expect(titles(conditions)).toEqual(['STALE: notes: the last sweep was killed', 'STALE: notes: a copy is used'])
  expect(conditions.map(({ since, command, subject }) => [since, command, subject])).toEqual([
    [5, 'holdfast sweep', 'killed'],
    [7, 'holdfast doctor', 'registry-cached'],
  ])
})

const change = (more: Partial<RemedyResult>): RemedyResult => ({
  tenant: tenantId('acme'),
  path: '/srv/notes/acme.db',
  before: { verdict: 'damaged', damage: 'index', findingsTotal: 1 },
  plan: {
    do: 'rebuild',
    objects: [],
    backup: null,
    method: 'swap',
    predictedPauseMs: 1,
    needsBytes: 1,
    losses: [],
    undo: 'holdfast repair --tenant acme --undo 01J',
    why: 'w',
    command: null,
  },
  rehearsal: null,
  applied: {
    change: '01J',
    at: '2026-11-28T03:00:00Z',
    method: 'swap',
    pauseMs: 1,
    verdict: 'sound',
    healthy: true,
    original: '/q',
  },
  account: null,
  failure: null,
  ...more,
})
const applied = change({}).applied
const failure = { code: 'READ_FAILED', message: 'm', hint: 'h', tenantState: 'active' } as const

test.each([
  ['sound and well', {}, []],
  ['only planned', { applied: null }, []],
  ['refused', { applied: null, failure }, []],
  ['damaged', { applied: applied && { ...applied, verdict: 'damaged' } }, ['HARM SUSPECTED']],
  ['unwell', { applied: applied && { ...applied, healthy: false } }, ['HARM SUSPECTED']],
  ['not checked', { applied: applied && { ...applied, verdict: 'failed' }, failure }, ['INCONCLUSIVE']],
  ['not resumed', { failure: { ...failure, tenantState: 'maybe-paused' } }, ['PAUSED']],
  ['unwell, and taken back', { applied: null, failure, takenBack: { change: '01J', verdict: 'sound' } }, ['DAMAGED']],
  [
    'damaged, and taken back',
    { applied: null, failure, takenBack: { change: '01J', verdict: 'damaged' } },
    ['HARM SUSPECTED'],
  ],
  [
    'unwell, and taken back, of a file that was sound before',
    {
      applied: null,
      failure,
      takenBack: { change: '01J', verdict: null },
      before: { verdict: 'sound', damage: 'none', findingsTotal: 0 },
    },
    ['INCONCLUSIVE'],
  ],
] as const)('a change that came out %s', (_, more, expected) => {
  const run = collect('repair')
  run.considerRemedy(change(more as Partial<RemedyResult>))
  const { conditions } = run.end({ ...fullEnding(1), whole: false }, nothingAbsent)
  expect(conditions.map(({ severity }) => severity)).toEqual(expected)
})

test('a triage says what to do if the service crashes before the file is mended; a sweep has no need to', () => {
  const mendable = damaged('acme', {
    remedy: {
      do: 'rebuild',
      indexes: ['i'],
      rehearsed: true,
      why: 'w',
      command: 'holdfast repair --tenant acme --apply',
    },
  })
  const [told] = seenBy([mendable], { mode: 'triage' }).conditions
  expect(told?.text).toMatch(/crashes before it is mended: stop it, then run `holdfast repair \/\S+acme.db --apply`\.$/)
  expect(seenBy([mendable]).conditions[0]?.text).not.toContain('stop it')
  const lost = damaged('acme', {
    remedy: { do: 'restore', indexes: [], rehearsed: false, why: 'w', command: 'holdfast restore --tenant acme' },
  })
  expect(seenBy([lost], { mode: 'triage' }).conditions[0]?.text).not.toContain('stop it')
})

test('text of a database is printable, and keys of rows and values are in no alarm', () => {
  const evil = 'ac\u001b[2Jme\n\u202e'
  const { conditions } = seenBy([
    damaged(evil, {
      path: `/srv/${evil}.db`,
      findings: [
        {
          rule: 'row-missing-from-index',
          severity: 'damage',
          source: 'census',
          object: { kind: 'index', name: 'i', table: 't' },
          rows: ['SECRET-KEY'],
          total: 1,
          text: 'row SECRET-KEY is missing',
        } as unknown as Result['findings'][number],
      ],
    }),
  ])
  const text = JSON.stringify(conditions.map((one) => ({ ...one, keys: [] })))
  expect(text).not.toContain('SECRET-KEY')
  // oxlint-disable-next-line no-control-regex
  expect(text).not.toMatch(/\\u001b|\\u202e|[\u0000-\u001f\u202e]/)
})

test('memory and alarms are bounded, whatever the number of tenants', () => {
  const results = Array.from({ length: 5_000 }, (_, at) => damaged(`t${at}`))
  const [condition] = seenBy(results).conditions
  expect(condition).toMatchObject({ tenantsTotal: 5_000, headline: 't0, t1, t2 and 4997 more of notes' })
  expect(condition?.tenants).toHaveLength(50)
  expect(condition?.keys).toHaveLength(1_000)
  expect(condition?.text.split('\n')).toHaveLength(7)
})
