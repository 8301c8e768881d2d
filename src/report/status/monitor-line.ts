/** One line of at most 512 bytes for Nagios, Icinga and monit (monit keeps no more of the output of a program). */

import { breakable } from '../../text/layout.ts'
import { joinedLines, printableSentence } from '../../text/printable.ts'

const bytesMax = 512

export interface MonitorLine {
  readonly word: string
  /** Cut if the line would be too long. */
  readonly text: string
  /** Performance data, which is never cut. */
  readonly data: string
}

export function renderMonitorLine({ word, text, data }: MonitorLine): string {
  const sentence = withoutBars(`HOLDFAST ${word} - ${breakable(text)}`)
  return `${cutToBytes(sentence, bytesMax - byteLength(data) - ' | '.length - 1)} | ${data}\n`
}

/** The line if there is no status: a monitor could read an empty line as OK. */
export const renderNoStatus = (why: string): string =>
  `${cutToBytes(withoutBars(`HOLDFAST UNKNOWN - ${printableSentence(joinedLines(why))}`), bytesMax - 1)}\n`

/** The bar begins the performance data. It is written as a code, as controls are, so that names stay distinct. */
const withoutBars = (text: string): string => text.replaceAll('|', '\\x7c')

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
