/**
 * Prints a line for each table of a damaged file: how much of it can still be read. Many whole tables share one line.
 */

import type { Result } from '../../model/result/report.ts'
import type { ReportedTable } from '../../model/result/verdict.ts'
import { count, groupDigits } from '../../text/count.ts'
import { wrapLabelled } from '../../text/layout.ts'
import { printable } from '../../text/printable.ts'
import type { TextOptions } from './result-words.ts'

/** At most this many tables have their own line; with `--verbose` all have. */
const linesMax = 10
/** More whole tables than this are counted instead of listed. */
const wholeListedMax = 3

/** From the worst to the best. */
const states = ['uncounted', 'unknown', 'missing', 'unread', 'damaged', 'whole'] as const
type State = (typeof states)[number]

interface TableLine {
  readonly state: State
  readonly text: string
}

export function tableLines(result: Result, options: TextOptions): readonly string[] {
  const { verdict, depth, content } = result
  if (verdict !== 'damaged') return []
  const damaged = new Set(
    result.findings.flatMap(({ rule, severity, object }) =>
      (severity === 'damage' && object.kind === 'table') || rule === 'unique-violated'
        ? [object.table ?? object.name]
        : [],
    ),
  )
  const all: readonly TableLine[] = [
    ...(content.uncounted ?? []).map((name): TableLine => ({
      state: 'uncounted',
      text: `${name}: its rows cannot be counted`,
    })),
    ...content.tables.map((table) => lineOf(table, damaged.has(table.name))),
  ].toSorted((a, b) => states.indexOf(a.state) - states.indexOf(b.state))
  const notWhole = all.filter(({ state }) => state !== 'whole')
  const listed = all.length - notWhole.length > wholeListedMax ? notWhole : all
  const shown = options.verbose ? all : listed.slice(0, linesMax)
  const rest = all.slice(shown.length)
  const whole = rest.filter(({ state }) => state === 'whole').length
  const texts = [
    ...(all.length === 0 && depth === 'quick' ? ['a quick check counts no rows'] : []),
    ...shown.map(({ text }) => printable(text)),
    ...(rest.length > whole ? [`and ${count(rest.length - whole, 'more table')}; --verbose shows them`] : []),
    ...(whole > 0
      ? [shown.length === 0 ? `all ${count(whole, 'table')} are whole` : `and ${count(whole, 'more table')}, whole`]
      : []),
  ]
  return texts.flatMap((text, i) =>
    wrapLabelled(i === 0 ? 'tables' : '', text, { indent: 2, labelWidth: 8, width: options.width }),
  )
}

function lineOf({ name, rows, readable, unreadable }: ReportedTable, isDamaged: boolean): TableLine {
  const line = (state: State, text: string): TableLine => ({ state, text: `${name}: ${text}` })
  if (readable === undefined) return line('unread', `${rowsOf(rows)} counted, not read one by one`)
  if (unreadable === null || unreadable === undefined)
    return line('unknown', `${rowsOf(readable)} readable, the rest cannot be counted`)
  if (unreadable > 0) return line('missing', `${groupDigits(readable)} of ${rowsOf(readable + unreadable)} readable`)
  return isDamaged ? line('damaged', `all ${rowsOf(rows)} readable`) : line('whole', `whole, ${rowsOf(rows)}`)
}

const rowsOf = (value: number): string => count(value, 'row')
