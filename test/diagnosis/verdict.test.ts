/** When a file is sound, and when that cannot be known. */

import { describe, expect, test } from 'vitest'
import { diagnose } from '../../src/diagnosis/diagnose.ts'
import { context, message, messages, reading, thrown } from '../support/diagnosis.ts'

const say = (...texts: readonly string[]) => diagnose(reading(messages(...texts)), context)

describe('sound and inconclusive', () => {
  test('nothing found and everything read is sound', () => {
    expect(say()).toMatchObject({
      verdict: { kind: 'sound' },
      damage: 'none',
      findings: [],
      remedy: { do: 'nothing', command: null },
      causes: [],
    })
  })

  test('a quick check that finds nothing is sound and does not claim what it did not check', () => {
    expect(diagnose(reading([], { depth: 'quick' }), context).remedy.why).toContain(
      'does not compare rows with index entries',
    )
  })

  test('notices alone stay sound and are listed with exact totals', () => {
    const diagnosis = diagnose(
      reading([
        ...messages('CHECK constraint failed in users', 'CHECK constraint failed in users'),
        { kind: 'orphans', table: 'events', parent: 'users', rows: [3, 9], total: 700 },
      ]),
      context,
    )
    expect(diagnosis.verdict.kind).toBe('sound')
    expect(diagnosis.findings.map(({ rule, severity, total, rows }) => ({ rule, severity, total, rows }))).toEqual([
      { rule: 'check-failed', severity: 'notice', total: 2, rows: undefined },
      { rule: 'foreign-key-violated', severity: 'notice', total: 700, rows: [3, 9] },
    ])
    expect(diagnosis.findings[1]?.text).toBe('700 rows of events refer to rows that do not exist in users')
  })

  test.each([
    ['crashed', 'checker-crashed'],
    ['memory', 'checker-crashed'],
    ['timeout', 'check-timeout'],
  ] as const)('a child that ended (%s) makes the verdict inconclusive, not damaged', (how, rule) => {
    const diagnosis = diagnose(
      reading([{ kind: 'child-ended', how, during: 'integrity_check', detail: 'SIGSEGV' }], { complete: false }),
      context,
    )
    expect(diagnosis).toMatchObject({
      verdict: { kind: 'inconclusive' },
      damage: 'none',
      findings: [{ rule, severity: 'notice' }],
      remedy: { do: 'nothing', command: `holdfast explain ${rule}` },
    })
    expect(diagnosis.remedy.why).toContain('SIGSEGV')
  })

  test('a child that ended beside real damage leaves it damaged, and says that not everything was read', () => {
    const diagnosis = diagnose(
      reading(
        [
          message('wrong # of entries in index users_mail'),
          { kind: 'child-ended', how: 'timeout', during: 'integrity_check', detail: '' },
        ],
        { complete: false },
      ),
      context,
    )
    expect(diagnosis).toMatchObject({ verdict: { kind: 'damaged' }, damage: 'index', remedy: { do: 'ask' } })
    expect(diagnosis.remedy.why).toContain('not everything was read')
  })

  test('a reading that broke off without a word is inconclusive', () => {
    expect(diagnose(reading([], { complete: false }), context).verdict).toEqual({
      kind: 'inconclusive',
      reason: 'not everything was read: the check stopped before its end',
    })
  })

  test.each([
    'no such collation sequence: swedish',
    'no such function: geo',
    'no such module: spellfix1',
    'unknown tokenizer: icu',
  ])('what the application brings and we lack is not damage: %s', (text) => {
    expect(
      diagnose(reading([thrown('SQLITE_ERROR', text, 'events_kind')], { complete: false }), context),
    ).toMatchObject({ verdict: { kind: 'inconclusive' }, damage: 'none', findings: [] })
  })

  test('an accepted limit does not keep a file from being sound, and another one does', () => {
    const accept = [{ limit: 'unknown-collation', tenants: null, objects: null }] as const
    const accepting = { ...context, accept }
    const skipped = (why: string) => ({
      complete: false,
      coverage: { pages: 9, pagesRead: 9, objects: 1, skipped: [{ object: 'events_kind', why }] },
    })
    expect(diagnose(reading([], skipped('no such collation sequence: swedish')), accepting).verdict.kind).toBe('sound')
    expect(
      diagnose(
        reading([thrown('SQLITE_ERROR', 'no such collation sequence: swedish', 'events_kind')], { complete: false }),
        accepting,
      ).verdict.kind,
    ).toBe('sound')
    expect(diagnose(reading([], skipped('no such function: geo')), accepting).verdict.kind).toBe('inconclusive')
    expect(diagnose(reading([], skipped('no such collation sequence: swedish')), context).verdict.kind).toBe(
      'inconclusive',
    )
  })

  test.each([
    'SQLITE_IOERR',
    'SQLITE_IOERR_READ',
    'SQLITE_IOERR_SHORT_READ',
    'SQLITE_NOMEM',
    'SQLITE_FULL',
    'SQLITE_BUSY',
    'SQLITE_CANTOPEN',
    'SQLITE_INTERRUPT',
  ])('%s is never damage', (code) => {
    expect(diagnose(reading([thrown(code, 'disk I/O error')], { complete: false }), context)).toMatchObject({
      verdict: { kind: 'inconclusive' },
      damage: 'none',
    })
  })
})
