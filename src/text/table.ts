/** A table without borders: columns with two spaces between them. */

import { breakable, cutMiddle, displayWidth } from './layout.ts'

export interface Column {
  readonly head: string
  readonly align: 'left' | 'right'
}

export interface TableOptions {
  /** Columns of the terminal. */
  readonly width: number
  /** True on a terminal: names are cut to fit. Elsewhere the table is as wide as its names. */
  readonly cuts?: boolean
  /** Colours a cell after it was cut to its width. */
  readonly paint: (cell: string, column: number) => string
}

const gap = '  '
/** If a terminal leaves fewer columns than this for a name, the name has a line of its own. */
const nameWidthMin = 24
/** The longest path that Linux takes. */
const nameWidthMax = 4_096

/**
 * One text for each row, the head first; a row may have two lines. The first column holds names and is the one that is
 * cut. Cells are printable text.
 */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  { width, cuts = false, paint }: TableOptions,
): readonly string[] {
  const natural = columns.map(({ head }, column) =>
    rows.reduce((most, row) => Math.max(most, displayWidth(row[column] ?? '')), displayWidth(head)),
  )
  const [nameWidth = 0, ...others] = natural
  const available = cuts ? width - others.reduce((sum, columnWidth) => sum + gap.length + columnWidth, 0) : nameWidthMax
  const apart = nameWidth > available && available < nameWidthMin
  const widths = natural.with(0, Math.min(nameWidth, apart ? width : available))
  const cellOf = (text: string, column: number, paint: (cell: string, column: number) => string): string => {
    const columnWidth = widths[column] ?? 0
    const shown = column === 0 ? cutMiddle(text, columnWidth) : text
    const space = ' '.repeat(Math.max(0, columnWidth - displayWidth(shown)))
    const painted = paint(shown, column)
    return columns[column]?.align === 'right' ? `${space}${painted}` : `${painted}${space}`
  }
  const lineOf = (row: readonly string[], paint: (cell: string, column: number) => string): string => {
    const [name = '', ...rest] = row.map((text, column) => cellOf(text, column, paint))
    const line = apart ? `${name.trimEnd()}\n${gap}${rest.join(gap)}` : [name, ...rest].join(gap)
    return breakable(line.trimEnd())
  }
  return [
    lineOf(
      columns.map(({ head }) => head),
      (head) => head,
    ),
    ...rows.map((row) => lineOf(row, paint)),
  ]
}
