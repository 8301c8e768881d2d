/** The figures of checks as text. */
import type { CheckFigures, ComparedProgram } from '../check.ts'
import { formatBytes, formatMs, spreadOf, formatTable } from '../units.ts'

export function describeChecks(figures: CheckFigures): string {
  const [census, ...others] = figures.competitors
  const fastest = ({ warmMs }: ComparedProgram): number => Math.min(...warmMs)
  const ours = census ? fastest(census) : Number.NaN
  return [
    `A database of ${formatBytes(figures.bytes)}, ${figures.rows} rows in its largest table, in turn`,
    formatTable([
      ['', 'fastest', 'median', 'by the census', 'page cache dropped'],
      ...figures.competitors.map((one) => [
        one.name,
        formatMs(fastest(one)),
        formatMs(spreadOf(one.warmMs).p50),
        one === census ? '' : (fastest(one) / ours).toFixed(1),
        one.coldMs === null ? '-' : formatMs(one.coldMs),
      ]),
    ]),
    '',
    `Ten times the rows: ${(ours / figures.tenthMs).toFixed(1)} times the time (a ` +
      `tenth of them: ${formatMs(figures.tenthMs)}; at most 10.5 is the aim)`,
    `integrity_check takes at least ${Math.min(
      ...others
        .filter(({ name }) => name.startsWith('integrity_check'))
        .map(fastest)
        .map((ms) => ms / ours),
    ).toFixed(1)} times as long (10 is the aim, 20 the hope)`,
    '',
    `Memory of all ${figures.mostMemory.processes} processes together at its highest: PSS ` +
      `${formatBytes(figures.mostMemory.pss)}, RSS ${formatBytes(figures.mostMemory.rss)} (the aim: below 300 MB)`,
    formatTable([
      ['each, once', 'PSS', 'RSS'],
      ...figures.each.map(({ command, pss, rss }) => [command, formatBytes(pss), formatBytes(rss)]),
    ]),
  ].join('\n')
}
