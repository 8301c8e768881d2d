/** Tables in the text of a comparison: which are listed, and their colours. Also for the copies of a fleet. */
import { createColors } from 'picocolors'
import type { TextOptions } from '../text/result-words.ts'

/** More equal files or tables are counted, not listed. */
export const equalListedMax = 20

/** @returns the tables to list, and the number of equal ones that are not among them */
export function foldEqualTables<Table extends { readonly comparison: string }>(
  tables: readonly Table[],
  { verbose }: Pick<TextOptions, 'verbose'>,
): { readonly listed: readonly Table[]; readonly folded: number } {
  const others = tables.filter(({ comparison }) => comparison !== 'equal')
  const equal = tables.length - others.length
  return equal > equalListedMax && !verbose ? { listed: others, folded: equal } : { listed: tables, folded: 0 }
}

/** Paints the second column, which says how a table compares. */
export function paintComparison({ color }: Pick<TextOptions, 'color'>): (cell: string, column: number) => string {
  const colors = createColors(color)
  return (cell, column) => {
    if (column !== 1) return cell
    if (cell === 'equal') return colors.green(cell)
    return cell === 'not compared' ? colors.yellow(cell) : colors.bold(cell)
  }
}
