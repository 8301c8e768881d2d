/** Remedies in some states, as tests of their report use them. */
import { tenantId } from '../../src/model/brand.ts'
import type { RemedyOutcome, RemedyReport, RemedyResult, TableLoss } from '../../src/model/result/remedy.ts'
import { RemedyTally, type RemedyMode } from '../../src/report/remedy/remedy-summary.ts'
import { remedyText } from '../../src/report/remedy/remedy-text.ts'
import { damaged } from './report.ts'

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

const applied = {
  change,
  at: '2026-11-28T03:12:44.120Z',
  method: 'swap',
  pauseMs: 12,
  verdict: 'sound',
  healthy: true,
  original: `/var/lib/holdfast/quarantine/${change}/acme.db`,
} as const

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

export const remedySamples = { plain, change, plan, ready, events, outcome, frameOf, render, applied, restore }
