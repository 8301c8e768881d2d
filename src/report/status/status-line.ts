/** One line of at most 512 bytes for Nagios, Icinga and monit (monit keeps no more of the output of a program). */

import { ageOf } from '../../model/age.ts'
import { count } from '../../text/count.ts'
import { breakable } from '../../text/layout.ts'
import { joinedLines, printableSentence } from '../../text/printable.ts'
import { humanMs } from '../../text/units.ts'
import type { StatusJudgement } from './status-judgement.ts'
import { filesIn, type StatusView } from './status-view.ts'

const bytesMax = 512

export function renderStatusLine(view: StatusView, judgement: StatusJudgement): string {
  const { counts, reasons, word, oldestCheckAgeMs } = judgement
  const good =
    `${count(counts.sound, 'tenant')} ` +
    `sound${oldestCheckAgeMs === null ? '' : `, oldest check ${humanMs(oldestCheckAgeMs)} ago`}`
  // The bar begins the performance data, so a name must not contain one. It is written as a code, as controls are, so
  // that names stay distinct.
  const sentence = `HOLDFAST ${word} - ${reasons.length === 0 ? good : breakable(reasons.join('; '))}`.replaceAll(
    '|',
    '\\x7c',
  )
  const data = performanceData(view, judgement)
  return `${cutToBytes(sentence, bytesMax - byteLength(data) - ' | '.length - 1)} | ${data}\n`
}

/** The line if there is no status: a monitor could read an empty line as OK. */
export const renderNoStatus = (why: string): string =>
  `${cutToBytes(`HOLDFAST UNKNOWN - ${printableSentence(joinedLines(why))}`.replaceAll('|', '\\x7c'), bytesMax - 1)}\n`

function performanceData(view: StatusView, { counts, oldestCheckAgeMs, overdueHolds }: StatusJudgement): string {
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
  ].join(' ')
}

const byteLength = (text: string): number => Buffer.byteLength(text, 'utf8')

function cutToBytes(text: string, bytes: number): string {
  if (byteLength(text) <= bytes) return text
  let kept = ''
  let used = byteLength('...')
  for (const letter of text) {
    used += byteLength(letter)
    if (used > bytes) break
    kept += letter
  }
  return `${kept}...`
}
