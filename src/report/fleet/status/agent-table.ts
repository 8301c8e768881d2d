/** The hosts of a fleet: one line each. */

import { createColors } from 'picocolors'
import { agentMissedMs, type HostFacts } from '../../../fleet/status/fleet-facts.ts'
import { ageOf } from '../../../model/age.ts'
import { groupDigits } from '../../../text/count.ts'
import { wrapIndented } from '../../../text/layout.ts'
import { renderTable } from '../../../text/table.ts'
import { humanMs } from '../../../text/units.ts'
import { legibleName, legibleSentence } from '../../text/legible.ts'
import type { TextOptions } from '../../text/result-words.ts'
import { countsOf, totalOf, type FleetView } from './fleet-view.ts'

export function agentTable(
  hosts: readonly HostFacts[],
  { at, shares }: Pick<FleetView, 'at' | 'shares'>,
  options: TextOptions,
): readonly string[] {
  const { bold, red } = createColors(options.color)
  const columns = [
    { head: 'HOST', align: 'left' },
    { head: 'DOMAIN', align: 'left' },
    { head: 'SEEN', align: 'right' },
    { head: 'FILES', align: 'right' },
    { head: 'SOUND', align: 'right' },
    { head: 'DAMAGED', align: 'right' },
    { head: 'STALE', align: 'right' },
    { head: 'OUTBOX', align: 'right' },
    { head: 'VERSION', align: 'left' },
  ] as const
  const byHost = Map.groupBy(shares, ({ host }) => host)
  const rows = hosts.map(({ name, domain, seenAt, outboxRows, version }) => {
    const own = byHost.get(name) ?? []
    const counts = countsOf({ shares: own })
    const age = ageOf(seenAt, at)
    return [
      legibleName(name),
      domain === null ? '-' : legibleName(domain),
      age === null ? 'in the future' : age > agentMissedMs ? `MISSED ${humanMs(age)}` : `${humanMs(age)} ago`,
      groupDigits(totalOf(counts)),
      groupDigits(counts.sound),
      groupDigits(counts.damaged),
      groupDigits(own.reduce((sum, { stale }) => sum + stale, 0)),
      groupDigits(outboxRows),
      legibleName(version),
    ]
  })
  const [head = '', ...lines] = renderTable(columns, rows, {
    ...options,
    paint: (cell, column) =>
      (column === 2 && cell.startsWith('MISSED')) || (column === 5 && cell !== '0' && cell !== 'DAMAGED')
        ? bold(red(cell))
        : cell,
  })
  return [
    head,
    ...hosts.flatMap(({ said }, row) => [
      lines[row] ?? '',
      ...(said === null ? [] : wrapIndented(legibleSentence(said.replaceAll('\n', ' ')), options)),
    ]),
  ]
}
