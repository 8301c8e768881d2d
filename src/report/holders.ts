/** Who has a file open, mapped or locked. */
import type { Holder } from '../model/evidence.ts'
import { cutEnd, wrap } from './layout.ts'
import { printable, printableSentence } from './printable.ts'
import { renderTable } from './table.ts'

const commandWidthMax = 24

/** The answer is never simply "nobody" where something could not be seen. `unseen`: what could not be looked at. */
export function renderHolders(path: string, holders: readonly Holder[], unseen: readonly string[], options: { readonly width: number; readonly color: boolean }): string {
  const columns = [{ head: 'FILE', align: 'left' }, { head: 'COMMAND', align: 'left' }, { head: 'PID', align: 'right' }, { head: 'HOW', align: 'left' }] as const
  const rows = holders.map((holder) => [printable(holder.path), cutEnd(printable(holder.command), commandWidthMax), String(holder.pid), holder.modes.join('+')])
  const nobody = `Nobody ${unseen.length === 0 ? 'has' : 'was seen to have'} it open, mapped or locked: ${printable(path)}`
  return `${[
    ...(holders.length === 0 ? wrap(nobody, options.width) : renderTable(columns, rows, { width: options.width, paint: (cell) => cell })),
    ...unseen.flatMap((one) => wrap(`not looked at: ${printableSentence(one)}`, options.width)),
  ].join('\n')}\n`
}
