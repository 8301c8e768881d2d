/** Prints which processes have a file open, mapped or locked. */

import { holdingProcesses } from '../../model/holders.ts'
import type { Holder } from '../../model/result/evidence.ts'
import { cutEnd, wrap } from '../../text/layout.ts'
import { printable } from '../../text/printable.ts'
import { renderTable } from '../../text/table.ts'
import { legibleName, legibleSentence } from './legible.ts'

const commandWidthMax = 24

export interface HoldersOptions {
  readonly width: number
  readonly cuts?: boolean
}

/**
 * One row for each process. The text never says simply that no process has the file if something could not be checked.
 * @param unseen what could not be checked
 */
export function renderHolders(
  path: string,
  holders: readonly Holder[],
  unseen: readonly string[],
  options: HoldersOptions,
): string {
  const columns = [
    { head: 'FILE', align: 'left' },
    { head: 'COMMAND', align: 'left' },
    { head: 'PID', align: 'right' },
    { head: 'HOW', align: 'left' },
  ] as const
  const rows = holdingProcesses(holders).map(({ pid, command, modes, paths }) => [
    options.cuts === true ? partsOf(paths) : paths.map(legibleName).join(', '),
    options.cuts === true ? cutEnd(printable(command), commandWidthMax) : printable(command),
    String(pid),
    modes.join('+'),
  ])
  const noHolder =
    `No process ${unseen.length === 0 ? 'has' : 'was seen to have'} it open, mapped or locked: ` + legibleName(path)
  return `${[
    ...(holders.length === 0
      ? wrap(noHolder, options.width)
      : renderTable(columns, rows, { ...options, paint: (cell) => cell })),
    ...unseen.flatMap((one) => wrap(`not checked: ${legibleSentence(one)}`, options.width)),
  ].join('\n')}\n`
}

/** `/srv/app.db, -wal, -shm`, for a narrow terminal. */
function partsOf([first = '', ...others]: readonly string[]): string {
  return [
    legibleName(first),
    ...others.map((path) => (path.startsWith(`${first}-`) ? printable(path.slice(first.length)) : legibleName(path))),
  ].join(', ')
}
