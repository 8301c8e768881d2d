/** The status of a fleet as one line for monitors. */

import { ageOf } from '../../../model/age.ts'
import { count } from '../../../text/count.ts'
import { humanMs } from '../../../text/units.ts'
import { renderMonitorLine } from '../../status/monitor-line.ts'
import type { FleetJudgement } from './fleet-judgement.ts'
import { lastFullSweep, totalOf, type FleetView } from './fleet-view.ts'

export function renderFleetLine(view: FleetView, judgement: FleetJudgement): string {
  const { counts, reasons, word, oldestSoundAgeMs } = judgement
  const good =
    `${count(view.hosts.length, 'host')}, ${count(counts.sound, 'file')} sound` +
    (oldestSoundAgeMs === null ? '' : `, oldest check ${humanMs(oldestSoundAgeMs)} ago`)
  return renderMonitorLine({
    word,
    text: reasons.length === 0 ? good : reasons.join('; '),
    data: performanceData(view, judgement),
  })
}

function performanceData(
  view: FleetView,
  { counts, stale, missed, stuck, paused, oldestSoundAgeMs }: FleetJudgement,
): string {
  const seconds = (ms: number): number => Math.round(ms / 1000)
  const endedAt = lastFullSweep(view)?.endedAt ?? null
  const sweepAge = endedAt === null ? null : ageOf(endedAt, view.at)
  const age = (name: string, ms: number | null): readonly string[] =>
    ms === null ? [] : [`${name}=${seconds(ms)}s;${seconds(view.maxAgeMs)}`]
  return [
    `hosts=${view.hosts.length}`,
    `hosts_missed=${missed.length};0`,
    `tenants=${totalOf(counts)}`,
    `sound=${counts.sound}`,
    `damaged=${counts.damaged};;0`,
    `inconclusive=${counts.inconclusive};0`,
    `failed=${counts.failed};0`,
    `never=${counts.never};0`,
    `stale=${stale};0`,
    `holds_overdue=${paused.length};;0`,
    `slots_stuck=${stuck.length};0`,
    ...age('oldest_check', oldestSoundAgeMs),
    ...age('last_sweep', sweepAge),
  ].join(' ')
}
