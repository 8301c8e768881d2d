/** Verdicts and pauses over time. */

import type { FailureCode } from '../../model/failure.ts'
import type { SealLevel } from '../../model/result/evidence.ts'
import type { DamageClass } from '../../model/result/finding.ts'
import type { VerdictWord } from '../../model/result/verdict.ts'
import { jsonText } from '../../text/json-text.ts'
import { unbroken, wrap } from '../../text/layout.ts'
import { renderTable } from '../../text/table.ts'
import { humanMs } from '../../text/units.ts'
import { legibleName } from './legible.ts'

/** One check of one file; `at` in ms since 1970. */
export interface HistoryEntry {
  readonly at: number
  readonly run: string
  readonly tenant: string | null
  readonly path: string
  readonly verdict: VerdictWord
  readonly damage: DamageClass
  readonly level: SealLevel
  readonly depth: 'quick' | 'full'
  readonly pauseMs: number | null
  readonly failure: FailureCode | null
}

export interface HistoryView {
  /** Newest first. */
  readonly entries: readonly HistoryEntry[]
  /** How to see older checks that are left out; null if there are none. */
  readonly older: string | null
}

export interface HistoryOptions {
  readonly format: 'text' | 'json'
  readonly width: number
  readonly cuts?: boolean
  readonly color: boolean
}

export function renderHistory({ entries, older }: HistoryView, options: HistoryOptions): string {
  if (options.format === 'json') return `${jsonText({ schema: 'holdfast.history/1', entries, more: older !== null })}\n`
  if (entries.length === 0 && older === null) return 'Nothing has been checked yet.\n'
  const columns = [
    { head: 'TENANT', align: 'left' },
    { head: 'WHEN (UTC)', align: 'left' },
    { head: 'VERDICT', align: 'left' },
    { head: 'WHAT', align: 'left' },
    { head: 'DEPTH', align: 'left' },
    { head: 'PAUSE', align: 'right' },
  ] as const
  const words = { sound: 'sound', damaged: 'DAMAGED', inconclusive: 'inconclusive', failed: 'FAILED' } as const
  const rows = entries.map((entry) => [
    legibleName(entry.tenant ?? entry.path),
    when(entry.at),
    words[entry.verdict],
    entry.failure ?? (entry.damage === 'none' ? '-' : entry.damage),
    entry.depth,
    humanMs(entry.pauseMs),
  ])
  const table = renderTable(columns, rows, { ...options, paint: (cell) => cell })
  const left = older === null ? [] : wrap(`older checks are not shown: ${unbroken(older)}`, options.width)
  return `${[...table, ...left].join('\n')}\n`
}

/** `2026-11-21 03:04`; `-` for a time that no calendar has. */
const when = (at: number): string =>
  Number.isFinite(at) && Math.abs(at) < 8.64e15 ? new Date(at).toISOString().slice(0, 16).replace('T', ' ') : '-'
