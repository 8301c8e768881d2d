/** A table without borders: words in columns, two spaces between them. */
import { cutMiddle, displayWidth } from './layout.ts'

export interface Column {
  readonly head: string
  readonly align: 'left' | 'right'
}

const gap = '  '

/**
 * Lines of at most `width` columns: the first column gives way, the middle of its texts is cut. Cells are printable text; `paint` colours a cell
 * once it has its width. The padding is our own, because table packages measure wide letters in another way than `displayWidth`, and a name could
 * then push the verdict out of its column.
 */
export function renderTable(columns: readonly Column[], rows: readonly (readonly string[])[], options: { readonly width: number; readonly paint: (cell: string, column: number) => string }): readonly string[] {
  const natural = columns.map(({ head }, column) => rows.reduce((most, row) => Math.max(most, displayWidth(row[column] ?? '')), displayWidth(head)))
  const others = natural.slice(1).reduce((sum, columnWidth) => sum + gap.length + columnWidth, 0)
  const widths = natural.with(0, Math.max(4, Math.min(natural[0] ?? 0, options.width - others)))
  const cellOf = (text: string, column: number, paint: (cell: string, column: number) => string): string => {
    const width = widths[column] ?? 0
    const shown = cutMiddle(text, width)
    const space = ' '.repeat(Math.max(0, width - displayWidth(shown)))
    const painted = paint(shown, column)
    return columns[column]?.align === 'right' ? `${space}${painted}` : `${painted}${space}`
  }
  const lineOf = (row: readonly string[], paint: (cell: string, column: number) => string): string => row.map((text, column) => cellOf(text, column, paint)).join(gap).trimEnd()
  return [lineOf(columns.map(({ head }) => head), (head) => head), ...rows.map((row) => lineOf(row, options.paint))]
}
