/** The word, the exit code and the document of each state of a remedy, with any names that a file may hold. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { tenantId } from '../../../src/model/brand.ts'
import { accountedKinds, type TableSummary } from '../../../src/model/result/account.ts'
import type { RemedyResult } from '../../../src/model/result/remedy.ts'
import { remedyJson, remedyRedactor } from '../../../src/report/remedy/remedy-json.ts'
import type { RemedyMode } from '../../../src/report/remedy/remedy-summary.ts'
import { remedyText } from '../../../src/report/remedy/remedy-text.ts'
import { problemsOfDocument } from '../../support/cli/json-documents.ts'
import { remedySamples } from '../../support/remedy-samples.ts'
import { needlesslyWide } from '../../support/report.ts'

const { plain, ready, outcome, frameOf, render, applied, restore, plan, events } = remedySamples

const states: readonly (readonly [string, RemedyMode, RemedyResult, number, string])[] = [
  ['ready', 'repair', ready, 0, 'READY'],
  ['applied and sound', 'repair', { ...ready, applied }, 0, 'APPLIED'],
  [
    'applied, and not known to be sound',
    'repair',
    { ...ready, applied: { ...applied, verdict: 'inconclusive' } },
    3,
    'APPLIED',
  ],
  ['only a restore helps', 'repair', { ...restore, rehearsal: null }, 2, 'TO DECIDE'],
  ['a person decides', 'restore', { ...ready, rehearsal: null, plan: { ...plan, do: 'ask' } }, 2, 'TO DECIDE'],
  [
    'undone, whatever stands there now',
    'repair',
    { ...ready, plan: { ...plan, do: 'undo' }, rehearsal: null, applied: { ...applied, verdict: 'damaged' } },
    0,
    'UNDONE',
  ],
  [
    'refused by its rehearsal',
    'repair',
    { ...ready, failure: { code: 'REMEDY_REFUSED', message: 'm', hint: 'h', tenantState: 'active' } },
    2,
    'FAILED',
  ],
  [
    'written meanwhile',
    'repair',
    { ...ready, failure: { code: 'REMEDY_STALE', message: 'm', hint: 'h', tenantState: 'active' } },
    3,
    'FAILED',
  ],
  [
    'in use',
    'repair',
    {
      ...ready,
      before: { verdict: 'failed', damage: 'none', findingsTotal: 0 },
      failure: { code: 'IN_USE', message: 'm', hint: 'h', tenantState: 'untouched' },
    },
    75,
    'FAILED',
  ],
  [
    'maybe paused',
    'repair',
    { ...ready, applied, failure: { code: 'RESUME_FAILED', message: 'm', hint: 'h', tenantState: 'maybe-paused' } },
    4,
    'PAUSED?',
  ],
  [
    'inconclusive',
    'repair',
    {
      ...ready,
      before: { verdict: 'inconclusive', damage: 'none', findingsTotal: 0 },
      rehearsal: null,
      plan: { ...plan, do: 'nothing' },
    },
    3,
    'FAILED',
  ],
]

test.each(states)('%s', (_, mode, result, code, word) => {
  expect(frameOf(mode, [result]).summary.exitCode).toBe(code)
  expect(
    render(mode, result)
      .split('\n')
      .some((line) => line.startsWith(`${word}  acme`)),
  ).toBe(true)
  expect(render(mode, result).replaceAll(/\s+/g, ' ')).toContain(`Exit code ${code}:`)
})

test('files that a run did not reach are counted, and make it inconclusive', () => {
  const frame = frameOf('repair', [ready], 3)
  expect(frame.summary).toMatchObject({ selected: 3, ready: 1, exitCode: 3 })
  expect(remedyText(frame, [outcome(ready)], plain).replaceAll(/\s+/g, ' ')).toContain('2 NOT REACHED')
})

const hostile = fc.string({ unit: 'binary', minLength: 1, maxLength: 30 })

describe('whatever names a file holds', () => {
  test('no line is wider than the terminal without need, and no letter reaches it that it would obey', () => {
    fc.assert(
      fc.property(hostile, hostile, fc.integer({ min: 40, max: 120 }), (name, table, width) => {
        const result = {
          ...restore,
          tenant: tenantId(name),
          path: `/srv/${name}`,
          plan: { ...restore.plan, losses: [{ ...events, table }], objects: [table] },
        }
        const text = remedyText(frameOf('restore', [result]), [outcome(result)], { ...plain, width })
        // oxlint-disable-next-line no-control-regex
        expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/)
        expect(needlesslyWide(text, width)).toEqual([])
      }),
      { numRuns: 60 },
    )
  })
})

test('the document fits its schema in every state, and keys can be redacted', () => {
  for (const [, mode, result] of states) {
    const { results: _, ...frame } = frameOf(mode, [result])
    const document: unknown = JSON.parse([...remedyJson(frame, [outcome(result)])].join(''))
    expect(problemsOfDocument(document)).toEqual([])
    expect(document).toMatchObject({ results: [result] })
  }
  const redacted = remedyRedactor()(outcome(restore)).result.plan.losses[0]
  expect(redacted?.keys).toHaveLength(6)
  for (const key of redacted?.keys ?? []) expect(key).toMatch(/^hmac:[0-9a-f]{16}$/)
})

test('the bounds of lost ranges are keys too, and hidden as such', () => {
  const none = { total: 0, keys: [] }
  const rows = Object.fromEntries(accountedKinds.map((kind) => [kind, none])) as unknown as TableSummary['rows']
  const lostRanges = { total: 1, first: [{ after: ['alice', 1], before: null, pages: [7] }] }
  const account = { tables: [{ table: 'notes', kept: 1, rows, pages: 1, lostRanges }], dropped: 0 }
  const [table] = remedyRedactor()({ ...outcome(restore), account }).account?.tables ?? []
  expect(table?.lostRanges).toEqual({
    total: 1,
    first: [{ after: expect.stringMatching(/^hmac:[0-9a-f]{16}$/) as string, before: null, pages: [7] }],
  })
})
