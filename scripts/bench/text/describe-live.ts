/** The figures of live copies as text. */
import type { LiveFigures, SubjectFigures, WayFigures } from '../live/measure-live.ts'
import { formatBytes, formatMs, formatTable } from '../units.ts'

export function describeLive({ bytes, subjects, notMeasured }: LiveFigures): string {
  return [
    `Copies of a file of ${formatBytes(bytes)} while a program writes to it. In brackets: its transactions in phases`,
    'of the same length without copies, each right after one with copies.',
    formatTable([
      ['way', 'copies', 'takes', 'locks stand', 'bytes', 'transactions', 'p50', 'p99', 'longest'],
      ...subjects.flatMap((subject) => [[titleOf(subject)], ...subject.ways.map(rowOf)]),
    ]),
    ...notMeasured.map((what) => `not measured: ${what}`),
  ].join('\n')
}

const titleOf = ({ name, perSecond, tooSlow }: SubjectFigures): string =>
  `${name}, ${perSecond} a second${tooSlow ? ': this machine is too slow for so many' : ''}`

function rowOf({ name, copies, ms, heldMs, bytes, beside, idle, failures }: WayFigures): string[] {
  const both = (key: 'p50' | 'p99' | 'max'): string => `${formatMs(beside[key])} (${formatMs(idle[key])})`
  return [
    `  ${name}`,
    copies === 0 ? (failures[0] ?? '0') : `${copies}${failures.length > 0 ? ` (${failures.join('; ')})` : ''}`,
    formatMs(ms.p50),
    formatMs(heldMs.p50),
    Number.isNaN(bytes.p50) ? '-' : formatBytes(bytes.p50),
    `${beside.count} (${idle.count})`,
    both('p50'),
    both('p99'),
    both('max'),
  ]
}
