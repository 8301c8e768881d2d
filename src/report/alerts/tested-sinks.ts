/** The table of `alerts test`: what each sink did with each alarm. */

import { createColors } from 'picocolors'
import { count } from '../../text/count.ts'
import { wrap } from '../../text/layout.ts'
import { printableSentence } from '../../text/printable.ts'
import { renderTable } from '../../text/table.ts'
import { humanMs } from '../../text/units.ts'
import { legibleName } from '../text/legible.ts'

/** One row. */
export interface TestedRow {
  readonly sink: string
  readonly severity: string
  readonly outcome: 'taken' | 'failed' | 'not-asked-for'
  readonly why: string | null
  readonly ms: number | null
}

export function renderTestedSinks(
  rows: readonly TestedRow[],
  options: { readonly width: number; readonly cuts?: boolean; readonly color: boolean },
): string {
  const colors = createColors(options.color)
  const columns = [
    { head: 'SINK', align: 'left' },
    { head: 'ALARM', align: 'left' },
    { head: 'TIME', align: 'right' },
    { head: 'RESULT', align: 'left' },
  ] as const
  const cells = rows.map(({ sink, severity, outcome, why, ms }) => [
    legibleName(sink),
    severity,
    humanMs(ms),
    outcome === 'failed' ? `FAILED: ${printableSentence(why ?? '')}` : words[outcome],
  ])
  const lines = renderTable(columns, cells, {
    ...options,
    paint: (cell, column) => (column === 3 && cell.startsWith('FAILED') ? colors.bold(colors.red(cell)) : cell),
  })
  return `${[...lines, '', ...wrap(sumOf(rows), options.width)].join('\n')}\n`
}

const words = { taken: 'taken', 'not-asked-for': 'not sent: `on` does not name it' } as const

function sumOf(rows: readonly TestedRow[]): string {
  const failed = new Set(rows.filter(({ outcome }) => outcome === 'failed').map(({ sink }) => sink))
  const all = new Set(rows.map(({ sink }) => sink))
  return failed.size === 0
    ? `${count(all.size, 'sink')} took what ${all.size === 1 ? 'it was' : 'they were'} sent`
    : `${failed.size} of ${count(all.size, 'sink')} FAILED`
}
