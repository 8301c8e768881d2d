import { expect, test } from 'vitest'
import { renderHistory } from '../../../src/report/text/history.ts'

test('history as text', () => {
  const entry = {
    at: Date.UTC(2026, 10, 21, 3, 4),
    run: 'r',
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
  expect(renderHistory({ entries, older: 'holdfast history --limit 20' }, { format: 'text', width: 80, color: false }))
    .toBe(`TENANT  WHEN (UTC)        VERDICT  WHAT    DEPTH  PAUSE
acme    2026-11-21 03:04  DAMAGED  index   full    9 ms
acme    2026-11-21 03:04  FAILED   IN_USE  full       -
older checks are not shown: holdfast history --limit 20
`)
  const json = (older: string | null): unknown =>
    JSON.parse(renderHistory({ entries, older }, { format: 'json', width: 80, color: false }))
  expect([json('holdfast history --limit 20'), json(null)]).toMatchObject([
    { entries, more: true },
    { entries, more: false },
  ])
  expect(renderHistory({ entries: [], older: null }, { format: 'text', width: 80, color: false })).toBe(
    'Nothing has been checked yet.\n',
  )
})
