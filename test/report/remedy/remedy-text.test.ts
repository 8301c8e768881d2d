/** Remedies for people: what is wrong, what is done, what it costs, what is lost, how to undo it, and what to type. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { tenantId } from '../../../src/model/brand.ts'
import type { RemedyOutcome, RemedyReport, RemedyResult, TableLoss } from '../../../src/model/result/remedy.ts'
import { RemedyTally, type RemedyMode } from '../../../src/report/remedy/remedy-summary.ts'
import { remedyJson, remedyRedactor } from '../../../src/report/remedy/remedy-json.ts'
import { remedyText } from '../../../src/report/remedy/remedy-text.ts'
import { problemsOfDocument } from '../../support/cli/json-documents.ts'
import { damaged, needlesslyWide } from '../../support/report.ts'

const plain = { width: 80, color: false, verbose: false }
const change = '01JC5Z9K7Q4W8X2V3B6N0M1T5R'

const plan: RemedyResult['plan'] = {
  do: 'rebuild',
  objects: ['events_kind'],
  backup: null,
  method: 'swap',
  predictedPauseMs: 14,
  needsBytes: 1_121_198_080,
  losses: [],
  undo: 'holdfast repair --tenant acme --undo',
  why: 'an index can be built anew from its table',
  command: 'holdfast repair --tenant acme --apply',
}
const ready: RemedyResult = {
  tenant: tenantId('acme'),
  path: '/srv/notes/acme.db',
  before: { verdict: 'damaged', damage: 'index', findingsTotal: 1 },
  plan,
  rehearsal: { verdict: 'sound', contentSame: true, ms: 812 },
  applied: null,
  account: null,
  failure: null,
}
const events: TableLoss = {
  table: 'events',
  inBoth: 2_989_993,
  lost: 10_000,
  changed: 0,
  recovered: 7,
  unreadable: 7,
  keys: [949, 950, 3_000_001, 3_000_002, 3_000_003, 3_000_004],
  keysTotal: 10_007,
}
const backup = {
  id: '01JBBACKUP',
  takenAt: '2026-11-27T02:00:00.000Z',
  sha256: 'ab'.repeat(32),
  verifiedAt: '2026-11-28T02:10:00.000Z',
}
const check = damaged('acme')
const outcome = (result: RemedyResult): RemedyOutcome => ({ result, check })

function frameOf(mode: RemedyMode, results: readonly RemedyResult[], selected = results.length): RemedyReport {
  const tally = new RemedyTally(mode)
  for (const result of results) tally.add(result)
  return {
    schema: 'holdfast.remedy/1',
    tool: { version: '0.1.0', sqlite: '3.54.1' },
    run: {
      id: 'r1',
      mode,
      startedAt: '2026-11-28T03:12:00.000Z',
      finishedAt: '2026-11-28T03:13:00.000Z',
      registry: 'live',
    },
    results,
    summary: tally.summary(selected, tally.exitCode(selected, null, null)),
  }
}
const render = (mode: RemedyMode, ...results: readonly RemedyResult[]): string =>
  remedyText(frameOf(mode, results), results.map(outcome), plain)

test('a plan says what is wrong, what will be done, what it costs, and the command', () => {
  expect(render('repair', ready)).toBe(`READY  acme  /srv/notes/acme.db
  wrong    DAMAGED (index)
           2 rows of events are missing from index events_kind
           (row-missing-from-index)
  tables  notes: 3 rows counted, not read one by one
  plan     rebuild events_kind; an index can be built anew from its table
  tried    on a copy in this run, in 812 ms: sound, and every table holds what
           it held before
  lost     nothing
  costs    a pause of about 14 ms; at most 1.1 GB of disk space
  undo afterwards
    holdfast repair --tenant acme --undo
  next
    holdfast repair --tenant acme --apply

1 tenant file: 1 ready, 0 changed, 0 sound already, 0 to decide, 0 failed. No
file was changed. Exit code 0: every plan was tried on a copy and came out
sound.
`)
})
