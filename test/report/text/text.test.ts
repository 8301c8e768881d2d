/**
 * The report for people: nothing wider than the terminal but commands, nothing of a hostile name reaches it, the
 * loudest thing is first and last.
 */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { tenantId } from '../../../src/model/brand.ts'
import { noEvidence } from '../../../src/model/result/evidence.ts'
import { renderReport } from '../../../src/report/text/text.ts'
import { pattern } from '../../support/pattern.ts'
import {
  damaged,
  failed,
  needlesslyWide,
  paused,
  quiesce,
  report,
  sealed,
  sound,
  summarize,
  unproven,
} from '../../support/report.ts'

const plain = { width: 80, color: false, verbose: false }
const render = (...results: readonly ReturnType<typeof sound>[]): string => renderReport(report(results), plain)
const commandsOf = (text: string): readonly string[] =>
  text.split('\n').filter((line) => line.startsWith('    holdfast '))

test('a tired person reads what, where, why, how well proven, and what to type', () => {
  expect(render(sound('alpha'), damaged('acme'))).toBe(`TENANT  VERDICT  DAMAGE  PAUSE  CHECK
acme    DAMAGED  index    9 ms  1.3 s
alpha   sound    -        9 ms  1.3 s

DAMAGED (index)  acme  /srv/notes/acme.db
  what    2 rows of events are missing from index events_kind
          (row-missing-from-index)
          in index events_kind of events, page 812, through pages 5 > 91 > 812,
          rows 17, 4242
  tables  notes: 3 rows counted, not read one by one
  why     the service runs SQLite 3.46.0 (wal-reset-bug)
  proof   sealed (exclusive lock, second process refused, kernel lease
          unbroken); snapshot of 560.6 MB; not serving for 9 ms, held 9 ms by
          the clock of the service
  remedy  rebuild (not rehearsed): the index can be built anew from its table
  next
    holdfast repair --tenant acme

2 tenants: 1 sound, 1 damaged, 0 inconclusive, 0 failed. Exit code 2: damage
found.
`)
})

test('while harm is suspected, nothing is offered that changes, pauses or checks a tenant', () => {
  const failure = { code: 'HARM_SUSPECTED', message: 'm', hint: 'h', tenantState: 'active' } as const
  const text = renderReport(report([damaged('acme'), damaged('bolt', { failure })], { mode: 'triage' }), plain)
  expect(text).toMatch(/^HARM SUSPECTED: /)
  expect(commandsOf(text)).toEqual(['    holdfast explain HARM_SUSPECTED'])
})

test('more than twenty sound tenants are counted, others never', () => {
  const text = render(...Array.from({ length: 30 }, (_, index) => sound(`t${index}`)), damaged('acme'))
  expect(text).toContain('and 30 tenants sound, longest pause 9 ms')
  expect(text).not.toContain('t17')
  expect(text.split('\n')[1]).toMatch(/^acme +DAMAGED/)
  expect(
    renderReport(report(Array.from({ length: 30 }, (_, index) => sound(`t${index}`))), { ...plain, verbose: true }),
  ).toContain('t17')
})

test('--verbose shows how each sound result was proven; what was not locked says so', () => {
  const text = renderReport(report([sound('alpha')]), { ...plain, verbose: true })
  expect(text.replaceAll('\n', ' ')).toMatch(
    /sound {2}alpha {2}\/srv\/notes\/alpha.db {3}proof {3}sealed .*; snapshot of .* {3}read by SQLite 3.54.1/,
  )
  const said = 'Not locked and not proven: you say that no program writes these files.\n'
  expect([text.includes(said), render(sound('a')).includes(said)]).toEqual([false, false])
  for (const copy of [
    sound('a', { tenant: null, evidence: noEvidence }),
    damaged('a', { tenant: null, evidence: noEvidence }),
  ])
    expect(render(copy)).toContain(said)
  expect(render(unproven('a'))).not.toContain(said)
})

test('many that failed for one reason are printed once, others one by one', () => {
  const outside = (id: string) =>
    failed(id, {
      failure: {
        code: 'PATH_OUTSIDE_ROOTS',
        message: `/srv/notes/${id}.db of ${id} lies outside`,
        hint: 'correct the roots',
        tenantState: 'untouched',
      },
    })
  const many = ['a', 'b', 'c', 'd', 'e'].map(outside)
  const text = render(...many, failed('x'), damaged('acme'))
  expect(text).toMatch(
    pattern(
      /^5 tenants FAILED for the same reason: a, b, c and 2 more\n/m,
      / {2}what {4}PATH_OUTSIDE_ROOTS: .*\n {10}somebody .*\n {2}state .*\n {2}hint {4}correct the roots\n/m,
      / {2}next\n {4}holdfast explain PATH_OUTSIDE_ROOTS$/m,
    ),
  )
  expect([
    text.split('correct the roots').length,
    text.includes('FAILED  x  '),
    text.includes('DAMAGED (index)  acme'),
  ]).toEqual([2, true, true])
  expect(render(...many.slice(0, 3)).split('correct the roots')).toHaveLength(4)
  expect(renderReport(report(many), { ...plain, verbose: true }).split('correct the roots')).toHaveLength(6)
})

test('a bare file that another program has open is BUSY, as its exit code is, and not FAILED', () => {
  const inUse = {
    code: 'IN_USE',
    message: 'process 7 has the file open',
    hint: 'try later',
    tenantState: 'untouched',
  } as const
  expect(render(failed('a', { tenant: null, failure: inUse }))).toMatch(
    /db {2}BUSY [^]*^BUSY {2}.srv.*a\.db$[^]*Exit code 75/m,
  )
})

test('I4.3 a tenant that may still be paused comes first and last', () => {
  const lines = render(damaged('acme'), paused('stuck')).trimEnd().split('\n')
  expect(lines[0]).toBe('PAUSED: 1 tenant may still be paused.')
  expect(lines.at(-1)).toBe(`${lines[0]} Run holdfast resume --all now.`)
  expect(lines[1]).toMatch(/^It may still be paused/)
  expect(lines).toContain('    holdfast resume --all')
  expect(lines.join(' ')).toContain('Exit code 4: A TENANT MAY STILL BE PAUSED.')
})

test('a run that was stopped, tenants that it did not reach and a cached registry are reported', () => {
  const text = renderReport(
    report([sound('a')], { stopped: 'RESUME_FAILED: b', registry: 'cached since 2026-11-20T00:00:00Z' }, 7),
    plain,
  )
  expect(text).toMatch(/^STOPPED: RESUME_FAILED: b\n/)
  expect(text).toContain('7 NOT COVERED')
  expect(text).not.toContain('\n\n\n')
  expect(text).toContain('cached since')
  expect(text.replaceAll('\n', ' ')).toContain('Exit code 3')
})

test.each([
  [unproven('x'), 'holdfast holders /srv/notes/x.db'],
  [failed('x'), 'holdfast doctor'],
  [
    failed('x', { failure: { code: 'LEASE_LOST', message: 'm', hint: 'h', tenantState: 'active' } }),
    'holdfast check --tenant x',
  ],
  [
    failed('x', { failure: { code: 'NO_SPACE', message: 'm', hint: 'h', tenantState: 'untouched' } }),
    'holdfast explain NO_SPACE',
  ],
] as const)('every problem has a next command', (result, command) => {
  expect(commandsOf(render(result))).toEqual([`    ${command}`])
})

test('a pause by hooks is timed by us, a bare file is no tenant, and a message is printed once', () => {
  const byHooks = damaged('acme', { evidence: { ...sealed, quiesce: { ...quiesce, via: 'hooks' } } })
  expect(render(byHooks)).toMatch(/not serving for 9 ms, held 9 ms by\s+the clock of holdfast/)
  const untouched = { code: 'NOT_FOUND', message: 'there is no file', hint: 'h', tenantState: 'untouched' } as const
  expect(render(failed('x', { tenant: null, failure: untouched }))).toContain('the file was not touched')
  expect(render(failed('x', { failure: untouched }))).toContain('the tenant was not touched')
  const lines = render(failed('x', { failure: untouched, reason: 'the pause is not proven: there is no file' })).split(
    '\n',
  )
  expect([
    lines.filter((line) => line.includes('there is no file')).length,
    lines.filter((line) => line.endsWith('the pause is not proven')).length,
  ]).toEqual([1, 1])
})

test('the configuration that was named stands in the commands: another would ask another service or seal', () => {
  const text = (...results: readonly ReturnType<typeof sound>[]): string =>
    renderReport(report(results), { ...plain, config: '/srv/notes.yaml' })
  const commands = commandsOf(text(damaged('acme'), paused('stuck'), unproven('x'), failed('y')))
  expect(commands).toEqual([
    '    holdfast resume --config /srv/notes.yaml --all',
    '    holdfast resume --config /srv/notes.yaml --all',
    '    holdfast repair --config /srv/notes.yaml --tenant acme',
    '    holdfast doctor --config /srv/notes.yaml',
    '    holdfast holders /srv/notes/x.db',
  ])
  expect(text(paused('stuck'))).toMatch(/^PAUSED: 1 tenant may still be paused. Run the resume command now.$/m)
  const { remedy } = damaged('acme')
  const ofFile = { ...remedy, command: 'holdfast repair /srv/notes/acme.db' }
  expect(commandsOf(text(damaged('acme', { tenant: null, remedy: ofFile })))).toEqual([
    '    holdfast repair --config /srv/notes.yaml /srv/notes/acme.db',
  ])
})

test('colour adds nothing that the words do not say', () => {
  const results = [damaged('acme'), sound('b'), unproven('c'), paused('d')]
  // oxlint-disable-next-line no-control-regex
  const bare = renderReport(report(results), { ...plain, color: true }).replaceAll(/\u001b\[\d+m/g, '')
  expect(bare).toBe(renderReport(report(results), plain))
})

describe('for any names', () => {
  /** Names keep their spaces together: what has none shows where lines are broken. */
  const oneWord = (text: string): string => text.replaceAll(' ', '_')
  const confusingText = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.string({ unit: 'grapheme', maxLength: 120 }),
    fc.constantFrom(
      '\u001b[2J\u001b[31mSOUND',
      'a\nholdfast resume --all\n',
      '\u202egnp.exe',
      'x'.repeat(500),
      '日本語'.repeat(60),
      '\u0007\u009b31m',
      'a\u200db',
      '👩‍👩‍👧'.repeat(30),
      '\ud800',
    ),
  )
  const result = fc
    .tuple(confusingText, confusingText, confusingText, fc.constantFrom(sound, damaged, unproven, failed))
    .map(([id, path, said, make]) => {
      const made = make('x')
      const name = oneWord(said)
      return {
        ...made,
        tenant: tenantId(oneWord(id)),
        path: oneWord(path),
        ...(made.reason === undefined ? {} : { reason: said }),
        ...(made.failure ? { failure: { ...made.failure, message: said, hint: said } } : {}),
        findings: made.findings.map((finding) => ({
          ...finding,
          text: said,
          object: { ...finding.object, name },
          rows: [said, [said, 1, null, { blob: '00' }]],
        })),
        causes: made.causes.map((cause) => ({ ...cause, why: said })),
        evidence: {
          ...made.evidence,
          unseen: [said],
          holders: [{ pid: 1, command: said, modes: ['read' as const], path: name }],
        },
      }
    })

  test('no line but a command, a path or a name is wider than the terminal', () => {
    fc.assert(
      fc.property(
        fc.array(result, { maxLength: 5 }),
        fc.integer({ min: 60, max: 120 }),
        fc.boolean(),
        (results, width, verbose) => {
          const text = renderReport(report(results), { width, cuts: true, color: false, verbose })
          expect(needlesslyWide(text, width)).toEqual([])
        },
      ),
    )
  })

  test('nothing that steers a terminal gets out, and no line is forged', () => {
    fc.assert(
      fc.property(fc.array(result, { maxLength: 5 }), (results) => {
        const text = renderReport(report(results), plain)
        // Lone surrogates would come out as replacement characters.
        expect(text.replaceAll('\n', '')).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]|\p{Default_Ignorable_Code_Point}/u)
        const problems = results.filter(({ verdict }) => verdict !== 'sound').length
        expect(commandsOf(text).length).toBeLessThanOrEqual(problems)
      }),
    )
  })
})

describe('the summary', () => {
  test("the gravest result is the run's exit code", () => {
    const code = (...results: readonly ReturnType<typeof sound>[]): number => summarize(results, 0).exitCode
    expect(code()).toBe(0)
    expect(code(sound('a'))).toBe(0)
    expect(code(sound('a'), unproven('b'))).toBe(3)
    expect(code(failed('a'), unproven('b'))).toBe(1)
    expect(code(failed('a'), damaged('b'))).toBe(2)
    expect(code(damaged('b'), paused('c'))).toBe(4)
    expect(code(failed('a', { failure: { code: 'IN_USE', message: '', hint: 'h', tenantState: 'untouched' } }))).toBe(
      75,
    )
  })

  test('files not reached are never 0, an interruption is reported, and neither hides a paused tenant', () => {
    expect(summarize([sound('a')], 2)).toMatchObject({ selected: 3, sound: 1, notCovered: 2, exitCode: 3 })
    expect(summarize([damaged('a')], 2, { signal: 130 }).exitCode).toBe(130)
    expect(summarize([paused('a')], 2, { signal: 143 }).exitCode).toBe(4)
    expect(summarize([sound('a')], 0, { stopped: 70 }).exitCode).toBe(70)
  })
})
