import { expect, test } from 'vitest'
import { renderHistory } from '../../../src/report/text/history.ts'

test('history as text', () => {
  const entry = {
    at: Date.UTC(2026, 10, 21, 3, 4),
    run: 'r',
    incident: null,
    tenant: 'acme',
    path: '/x',
    verdict: 'damaged',
    damage: 'index',
    level: 'sealed',
    depth: 'full',
    pauseMs: 9,
    failure: null,
  } as const
  const entries = [entry, { ...entry, verdict: 'failed', damage: 'none', failure: 'IN_USE', pauseMs: null }] as const
  expect(
    renderHistory(
      { entries, changes: [], incident: null, older: 'holdfast history --limit 20' },
      { format: 'text', width: 80, color: false },
    ),
  ).toBe(`TENANT  WHEN (UTC)        VERDICT  WHAT    DEPTH  PAUSE
acme    2026-11-21 03:04  DAMAGED  index   full    9 ms
acme    2026-11-21 03:04  FAILED   IN_USE  full       -
older checks are not shown: holdfast history --limit 20
`)
  const json = (older: string | null): unknown =>
    JSON.parse(
      renderHistory({ entries, changes: [], incident: null, older }, { format: 'json', width: 80, color: false }),
    )
  expect([json('holdfast history --limit 20'), json(null)]).toMatchObject([
    { entries, more: true },
    { entries, more: false },
  ])
  expect(
    renderHistory(
      { entries: [], changes: [], incident: null, older: null },
      { format: 'text', width: 80, color: false },
    ),
  ).toBe('Nothing has been checked yet.\n')
})

test('a change has a row of its own, with the id that undoes it', () => {
  const at = Date.UTC(2026, 10, 21, 3, 4)
  const of = { run: 'r', incident: null, tenant: 'acme', path: '/x' } as const
  const check = {
    ...of,
    at,
    verdict: 'sound',
    damage: 'none',
    level: 'sealed',
    depth: 'full',
    pauseMs: 9,
    failure: null,
  }
  const change = (minute: number, remedy: 'rebuild' | 'restore' | null, how: 'applied' | 'undone' | 'begun') =>
    ({ ...of, at: at + minute * 60_000, change: `01KB${minute}`, remedy, how }) as const
  const changes = [change(4, null, 'begun'), change(3, 'restore', 'applied'), change(2, 'rebuild', 'undone')]
  const view = { entries: [{ ...check, verdict: 'sound', damage: 'none', level: 'sealed', depth: 'full' } as const] }
  expect(
    renderHistory(
      { ...view, changes: [...changes, change(-1, 'rebuild', 'applied')], incident: null, older: null },
      { format: 'text', width: 80, color: false },
    ),
  ).toBe(`TENANT  WHEN (UTC)        VERDICT  WHAT                                 DEPTH  PAUSE
acme    2026-11-21 03:08  CHANGE   begun, its end is not known (01KB4)  -          -
acme    2026-11-21 03:07  CHANGE   restored (01KB3)                     -          -
acme    2026-11-21 03:06  CHANGE   undone (01KB2)                       -          -
acme    2026-11-21 03:04  sound    -                                    full    9 ms
acme    2026-11-21 03:03  CHANGE   rebuilt (01KB-1)                     -          -
`)
})
