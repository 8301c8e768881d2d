/** Remedies for people: what is wrong, what is done, what it costs, what is lost, how to undo it, and what to type. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { tenantId } from '../../../src/model/brand.ts'
import type { RemedyOutcome, RemedyReport, RemedyResult, TableLoss } from '../../../src/model/result/remedy.ts'
import { remedyJson, remedyRedactor } from '../../../src/report/remedy/remedy-json.ts'
import { RemedyTally, type RemedyMode } from '../../../src/report/remedy/remedy-summary.ts'
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
const outcome = (result: RemedyResult): RemedyOutcome => ({ result, check, account: null })

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
  wrong   DAMAGED (index)
          2 rows of events are missing from index events_kind
          (row-missing-from-index)
  tables  notes: 3 rows counted, not read one by one
  plan    rebuild events_kind; an index can be built anew from its table
  tried   on a copy in this run, in 812 ms: sound, and every table holds what it
          held before
  lost    nothing
  costs   a pause of about 14 ms; at most 1.1 GB of disk space
  undo afterwards
    holdfast repair --tenant acme --undo
  next
    holdfast repair --tenant acme --apply

1 tenant file: 1 ready, 0 changed, 0 sound already, 0 to decide, 0 failed. No
file was changed. Exit code 0: every plan was tried on a copy and came out
sound.
`)
})

const applied = {
  change,
  at: '2026-11-28T03:12:44.120Z',
  method: 'swap',
  pauseMs: 12,
  verdict: 'sound',
  healthy: true,
  original: `/var/lib/holdfast/quarantine/${change}/acme.db`,
} as const

test('a change says what was done, how long the tenant stood still, where the original is, and how to undo it', () => {
  const undo = `holdfast repair --tenant acme --undo ${change}`
  const account = `/var/lib/holdfast/accounts/${change}.json`
  expect(render('repair', { ...ready, applied, account, plan: { ...plan, undo } }))
    .toBe(`APPLIED  acme  /srv/notes/acme.db
  was     DAMAGED (index)
          2 rows of events are missing from index events_kind
          (row-missing-from-index)
  tables  notes: 3 rows counted, not read one by one
  done    rebuilt events_kind by a new file of the same name, 2026-11-28
          03:12:44 UTC, change 01JC5Z9K7Q4W8X2V3B6N0M1T5R
  pause   the tenant did not serve for 12 ms; it serves again and is healthy
  now     sound: a fresh snapshot was checked after the change
  lost    nothing
  account ${account} lists every
          row and entry
  kept    the original stays as
          ${applied.original};
          holdfast never deletes it
  undo
    ${undo}

1 tenant file: 0 ready, 1 changed, 0 sound already, 0 to decide, 0 failed. Exit
code 0: every change was made as asked, and checked afterwards.
`)
})

const restore: RemedyResult = {
  ...ready,
  before: { verdict: 'damaged', damage: 'table', findingsTotal: 4 },
  plan: {
    ...plan,
    do: 'restore',
    objects: [],
    backup,
    losses: [events],
    why: 'rows are damaged, and a rebuild cannot restore them',
    undo: 'holdfast restore --tenant acme --undo',
    command: 'holdfast restore --tenant acme --apply',
  },
  rehearsal: { verdict: 'sound', contentSame: false, ms: 3100 },
}

test('a restore says for each table what is lost, and how to keep what is newer', () => {
  const text = render('restore', restore)
  expect(text.replaceAll(/the backup is .* old/g, 'the backup is N old'))
    .toContain(`  lost    events: 10,000 rows LOST, 7 rows cannot be read now, 7 rows come back,
          2,989,993 rows stay; keys 949, 950, 3000001, 3000002, 3000003 and
          10,002 more
`)
  expect(text).toContain(`  to keep newer rows that are readable
    holdfast restore --tenant acme --merge-newer
`)
  expect(text).toContain('and 3 more findings; `holdfast check` shows them')
  const merging = {
    ...restore,
    plan: { ...restore.plan, command: 'holdfast restore --tenant acme --merge-newer --apply' },
  }
  expect(render('restore', merging)).not.toContain('to keep newer')
})

test('a table whose losses are not known says so', () => {
  const unknown = {
    ...events,
    inBoth: null,
    lost: null,
    changed: null,
    recovered: null,
    unreadable: null,
    keys: [],
    keysTotal: null,
  }
  expect(render('restore', { ...restore, plan: { ...restore.plan, losses: [unknown] } })).toContain(
    '  lost    events: it is not known how many rows are lost\n',
  )
})

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

test('a sound file has one line, and nothing to type', () => {
  const sound: RemedyResult = {
    ...ready,
    before: { verdict: 'sound', damage: 'none', findingsTotal: 0 },
    plan: { ...plan, do: 'nothing', undo: null, command: null, why: 'nothing was found' },
    rehearsal: null,
  }
  const text = remedyText(frameOf('repair', [sound]), [{ result: sound, check: null, account: null }], plain)
  expect(text).toBe(`TENANT  REMEDY  STATE  DAMAGE  PAUSE  LOST
acme    -       sound  -           -     -

1 tenant file: 0 ready, 0 changed, 1 sound already, 0 to decide, 0 failed. No
file was changed. Exit code 0: there is nothing to mend.
`)
})

test('a tenant that may be paused is the first thing and the last', () => {
  const failure = { code: 'RESUME_FAILED', message: 'm', hint: 'h', tenantState: 'maybe-paused' } as const
  const lines = render('repair', ready, { ...ready, failure })
    .trimEnd()
    .split('\n')
  const alarm = 'PAUSED: 1 tenant may still be paused: acme'
  expect([lines[0], lines[1], lines.at(-1)]).toEqual([alarm, '    holdfast resume --all', alarm])
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
