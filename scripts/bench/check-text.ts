/** Figures of checks, for a person. */
import type { CheckFigures, Contestant } from './check.ts'
import { bytesText, msText, spreadOf, tableText } from './units.ts'

export function describeChecks(figures: CheckFigures): string {
  const [census, ...rivals] = figures.contestants
  const fastest = ({ warmMs }: Contestant): number => Math.min(...warmMs)
  const ours = census ? fastest(census) : Number.NaN
  return [
    `A database of ${bytesText(figures.bytes)}, ${figures.rows} rows in its largest table, in turn`,
    tableText([
      ['', 'fastest', 'median', 'by the census', 'page cache dropped'],
      ...figures.contestants.map((one) => [
        one.name,
        msText(fastest(one)),
        msText(spreadOf(one.warmMs).p50),
        one === census ? '' : (fastest(one) / ours).toFixed(1),
        one.coldMs === null ? '-' : msText(one.coldMs),
      ]),
    ]),
    '',
    `Ten times the rows: ${(ours / figures.tenthMs).toFixed(1)} times the time (a ` +
      `tenth of them: ${msText(figures.tenthMs)}; at most 10.5 is the aim)`,
    `integrity_check takes at least ${Math.min(
      ...rivals
        .filter(({ name }) => name.startsWith('integrity_check'))
        .map(fastest)
        .map((ms) => ms / ours),
    ).toFixed(1)} times as long (10 is the aim, 20 the hope)`,
    '',
    `Memory of all ${figures.heaviest.processes} processes together at the heaviest: PSS ` +
      `${bytesText(figures.heaviest.pss)}, RSS ${bytesText(figures.heaviest.rss)} (the aim: below 300 MB)`,
    tableText([
      ['each, once', 'PSS', 'RSS'],
      ...figures.each.map(({ command, pss, rss }) => [command, bytesText(pss), bytesText(rss)]),
    ]),
  ].join('\n')
}
