/** Verdicts, pauses and changes over time. */

import type { FailureCode } from '../../model/failure.ts'
import type { SealLevel } from '../../model/result/evidence.ts'
import type { DamageClass } from '../../model/result/finding.ts'
import type { CheckDepth } from '../../model/result/reading.ts'
import type { RemedyKind } from '../../model/result/remedy.ts'
import type { VerdictWord } from '../../model/result/verdict.ts'
import { jsonText } from '../../text/json-text.ts'
import { withoutBreaks, wrap } from '../../text/layout.ts'
import { renderTable } from '../../text/table.ts'
import { minuteUtc } from '../../text/units.ts'
import { whatPinnedProves } from '../describe-pinned.ts'
import type { OpenIncident } from '../status/status-view.ts'
import { legibleName } from './legible.ts'
import { pauseWords } from './result-words.ts'

/** One check of one file; `at` in ms since 1970. */
export interface HistoryEntry {
  readonly at: number
  readonly run: string
  /** The incident of the run; null without one. */
  readonly incident: string | null
  readonly tenant: string | null
  readonly path: string
  readonly verdict: VerdictWord
  readonly damage: DamageClass
  readonly level: SealLevel
  readonly depth: CheckDepth
  readonly pauseMs: number | null
  readonly failure: FailureCode | null
}

/** One change of one live file; `at` in ms since 1970. */
export interface HistoryChange {
  readonly at: number
  readonly run: string
  readonly tenant: string | null
  readonly path: string
  /** The id that `--undo` takes. */
  readonly change: string
  /** Null if the line that says it is older than the list. */
  readonly remedy: RemedyKind | null
  /** `begun`: no end is known. */
  readonly how: 'applied' | 'rolled-back' | 'undone' | 'begun'
}

export interface HistoryView {
  /** Newest first. */
  readonly entries: readonly HistoryEntry[]
  /** Newest first. */
  readonly changes: readonly HistoryChange[]
  /** The open incident; null for none. */
  readonly incident: OpenIncident | null
  /** How to see older checks that are left out; null if there are none. */
  readonly older: string | null
}

export interface HistoryOptions {
  readonly format: 'text' | 'json'
  readonly width: number
  readonly cuts?: boolean
  readonly color: boolean
}

export function renderHistory({ entries, changes, incident, older }: HistoryView, options: HistoryOptions): string {
  if (options.format === 'json')
    return `${jsonText({ schema: 'holdfast.history/1', entries, changes, incident, more: older !== null })}\n`
  if (entries.length + changes.length === 0 && older === null) return 'Nothing has been checked yet.\n'
  const columns = [
    { head: 'TENANT', align: 'left' },
    { head: 'WHEN (UTC)', align: 'left' },
    { head: 'VERDICT', align: 'left' },
    { head: 'WHAT', align: 'left' },
    { head: 'DEPTH', align: 'left' },
    { head: 'PAUSE', align: 'right' },
  ] as const
  const words = { sound: 'sound', damaged: 'DAMAGED', inconclusive: 'inconclusive', failed: 'FAILED' } as const
  const checks = entries.map((entry) => ({
    at: entry.at,
    row: [
      legibleName(entry.tenant ?? entry.path),
      minuteUtc(entry.at),
      words[entry.verdict],
      entry.failure ?? (entry.damage === 'none' ? '-' : entry.damage),
      entry.level === 'pinned' ? `${entry.depth}, pinned` : entry.depth,
      pauseWords(entry.level, entry.pauseMs),
    ],
  }))
  const changed = changes.map((change) => ({
    at: change.at,
    row: [
      legibleName(change.tenant ?? change.path),
      minuteUtc(change.at),
      'CHANGE',
      `${changeWords(change)} (${legibleName(change.change)})`,
      '-',
      '-',
    ],
  }))
  const rows = [...changed, ...checks].toSorted((a, b) => b.at - a.at).map(({ row }) => row)
  const table = renderTable(columns, rows, { ...options, paint: (cell) => cell })
  const left = older === null ? [] : wrap(`older checks are not shown: ${withoutBreaks(older)}`, options.width)
  const open =
    incident === null
      ? []
      : wrap(`INCIDENT ${legibleName(incident.id)}, begun ${minuteUtc(incident.since)} UTC, is open`, options.width)
  const pinned = entries.some(({ level }) => level === 'pinned') ? wrap(whatPinnedProves, options.width) : []
  return `${[...open, ...table, ...pinned, ...left].join('\n')}\n`
}

function changeWords({ how, remedy }: HistoryChange): string {
  switch (how) {
    case 'undone':
      return 'undone'
    case 'rolled-back':
      return 'rolled back'
    case 'begun':
      return 'begun, its end is not known'
    case 'applied':
      return remedy === null ? 'changed' : (appliedWords[remedy] ?? 'changed')
  }
}

const appliedWords: Readonly<Partial<Record<RemedyKind, string>>> = {
  rebuild: 'rebuilt',
  rewrite: 'rewritten',
  restore: 'restored',
}
