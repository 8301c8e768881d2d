/** The status as one line for monitors. */

import { ageOf } from '../../model/age.ts'
import { count, groupDigits } from '../../text/count.ts'
import { humanMs } from '../../text/units.ts'
import { renderMonitorLine } from './monitor-line.ts'
import type { StatusJudgement } from './status-judgement.ts'
import { filesIn, type StatusView } from './status-view.ts'

export function renderStatusLine(view: StatusView, judgement: StatusJudgement): string {
  const { counts, reasons, word, oldestCheckAgeMs, pinned } = judgement
  const good =
    `${count(counts.sound, 'tenant')} ` +
    `sound${oldestCheckAgeMs === null ? '' : `, oldest check ${humanMs(oldestCheckAgeMs)} ago`}` +
    (pinned === 0 ? '' : `, ${groupDigits(pinned)} pinned`)
  const text = reasons.length === 0 ? good : reasons.join('; ')
  return renderMonitorLine({ word, text, data: performanceData(view, judgement) })
}

function performanceData(view: StatusView, judgement: StatusJudgement): string {
  const { counts, oldestCheckAgeMs, overdueHolds, pinned } = judgement
  const sweepAge =
    view.lastFullSweepAt === null || view.selection !== null ? null : ageOf(view.lastFullSweepAt, view.generatedAt)
  const seconds = (ms: number): number => Math.round(ms / 1000)
  return [
    `tenants=${filesIn(view)}`,
    `sound=${counts.sound}`,
    `damaged=${counts.damaged};;0`,
    `inconclusive=${counts.inconclusive};0`,
    `failed=${counts.failed};0`,
    `never=${counts.never};0`,
    `holds_overdue=${overdueHolds};;0`,
    ...(oldestCheckAgeMs === null ? [] : [`oldest_check=${seconds(oldestCheckAgeMs)}s;${seconds(view.maxAgeMs)}`]),
    ...(sweepAge === null ? [] : [`last_sweep=${seconds(sweepAge)}s;${seconds(view.maxAgeMs)}`]),
    ...(pinned === 0 ? [] : [`pinned=${pinned}`]),
  ].join(' ')
}
