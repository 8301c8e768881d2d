/** The runs of a fleet, or the results of one tenant on all hosts, the newest first. */

import type { FleetRun } from '../../fleet/status/fleet-facts.ts'
import type { FleetHistoryEntry } from '../../fleet/status/read-history.ts'
import { groupDigits } from '../../text/count.ts'
import { jsonText } from '../../text/json-text.ts'
import { withoutBreaks, wrap } from '../../text/layout.ts'
import { renderTable } from '../../text/table.ts'
import { humanMs, minuteUtc } from '../../text/units.ts'
import { legibleName, legibleSentence } from '../text/legible.ts'
import type { TextOptions } from '../text/result-words.ts'

export interface FleetHistory {
  /** Whose results these are; null for the runs of the fleet. */
  readonly tenant: string | null
  /** Empty for a tenant. */
  readonly runs: readonly FleetRun[]
  /** Empty for the runs. */
  readonly results: readonly FleetHistoryEntry[]
  /** How to see older ones; null if there are none. */
  readonly older: string | null
}

export function fleetHistoryDocument({ tenant, runs, results, older }: FleetHistory): string {
  return `${jsonText({ schema: 'holdfast.fleethistory/1', tenant, runs, results, more: older !== null })}\n`
}

export function fleetHistoryText(history: FleetHistory, options: TextOptions): string {
  const { tenant, older, runs, results } = history
  if (runs.length + results.length === 0)
    return tenant === null ? 'The fleet has run nothing yet.\n' : 'The fleet keeps no result of this tenant.\n'
  const table = tenant === null ? runTable(runs, options) : resultTable(results, options)
  const said = runs.flatMap(({ id, said }) =>
    said === null ? [] : wrap(`${legibleName(id)}: ${legibleSentence(said)}`, options.width),
  )
  const left = older === null ? [] : wrap(`older ones are not shown: ${withoutBreaks(older)}`, options.width)
  return `${[...table, ...said, ...left].join('\n')}\n`
}

function runTable(runs: readonly FleetRun[], options: TextOptions): readonly string[] {
  const columns = [
    { head: 'RUN', align: 'left' },
    { head: 'KIND', align: 'left' },
    { head: 'BEGUN (UTC)', align: 'left' },
    { head: 'TOOK', align: 'right' },
    { head: 'STATE', align: 'left' },
    { head: 'RESULTS', align: 'right' },
    { head: 'SOUND', align: 'right' },
    { head: 'DAMAGED', align: 'right' },
    { head: 'OTHER', align: 'right' },
  ] as const
  const rows = runs.map(({ id, kind, begunAt, endedAt, state, done, total, sound, damaged, inconclusive, failed }) => [
    legibleName(id),
    legibleName(kind),
    minuteUtc(begunAt),
    endedAt === null ? '-' : humanMs(Math.max(0, endedAt - begunAt)),
    state === 'feeding' || state === 'fed' ? 'under way' : state,
    done === total ? groupDigits(done) : `${groupDigits(done)} of ${groupDigits(total)}`,
    groupDigits(sound),
    groupDigits(damaged),
    groupDigits(inconclusive + failed),
  ])
  return renderTable(columns, rows, { ...options, paint: (cell) => cell })
}

const words = { sound: 'sound', damaged: 'DAMAGED', inconclusive: 'inconclusive', failed: 'FAILED' } as const

function resultTable(results: readonly FleetHistoryEntry[], options: TextOptions): readonly string[] {
  const columns = [
    { head: 'HOST', align: 'left' },
    { head: 'WHEN (UTC)', align: 'left' },
    { head: 'VERDICT', align: 'left' },
    { head: 'WHAT', align: 'left' },
    { head: 'RUN', align: 'left' },
    { head: 'FILE', align: 'left' },
  ] as const
  const rows = results.map(({ host, checkedAt, verdict, failure, damage, run, path }) => [
    legibleName(host),
    minuteUtc(checkedAt),
    words[verdict] ?? legibleName(verdict),
    legibleName(failure ?? (damage === 'none' ? '-' : damage)),
    legibleName(run),
    legibleName(path),
  ])
  return renderTable(columns, rows, { ...options, paint: (cell) => cell })
}
