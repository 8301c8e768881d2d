/** Verdicts and pauses over time. */
import type { SealLevel } from '../model/evidence.ts'
import type { FailureCode } from '../model/failure.ts'
import type { DamageClass } from '../model/finding.ts'
import type { VerdictWord } from '../model/verdict.ts'
import { printable } from './printable.ts'
import { renderTable } from './table.ts'
import { humanMs } from './units.ts'

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

export interface HistoryOptions {
  readonly format: 'text' | 'json'
  readonly width: number
  readonly color: boolean
}

/** In the order given. */
export function renderHistory(entries: readonly HistoryEntry[], options: HistoryOptions): string {
  if (options.format === 'json') return `${JSON.stringify({ schema: 'holdfast.history/1', entries }, null, 2)}\n`
  if (entries.length === 0) return 'Nothing was checked yet.\n'
  const columns = [
    { head: 'TENANT', align: 'left' }, { head: 'WHEN (UTC)', align: 'left' }, { head: 'VERDICT', align: 'left' }, { head: 'WHAT', align: 'left' }, { head: 'DEPTH', align: 'left' }, { head: 'PAUSE', align: 'right' },
  ] as const
  const words = { sound: 'sound', damaged: 'DAMAGED', inconclusive: 'inconclusive', failed: 'FAILED' } as const
  const rows = entries.map((entry) => [
    printable(entry.tenant ?? entry.path), when(entry.at), words[entry.verdict], entry.failure ?? (entry.damage === 'none' ? '-' : entry.damage), entry.depth, humanMs(entry.pauseMs),
  ])
  return `${renderTable(columns, rows, { width: options.width, paint: (cell) => cell }).join('\n')}\n`
}

/** `2026-11-21 03:04`; a time that no calendar has is `-`. */
const when = (at: number): string => (Number.isFinite(at) && Math.abs(at) < 8.64e15 ? new Date(at).toISOString().slice(0, 16).replace('T', ' ') : '-')
