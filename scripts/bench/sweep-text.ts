/** Figures of sweeps, for a person. */
import type { Weight } from './processes.ts'
import type { SweepFigures, Timed } from './sweep.ts'
import { bytesText, tableText } from './units.ts'

export function describeSweep(figures: SweepFigures): string {
  const { tenants, bytes, rounds, sweepByLoop, checkByLoop, first, last, heaviest, each } = figures
  const kinds = [...new Set(rounds.map(({ what }) => what))]
  return [
    `${tenants} tenants of ${bytesText(bytes)}, each measured ` +
      `${rounds.filter(({ what }) => what === 'holdfast sweep').length} times, in turn`,
    tableText([
      ['', 'seconds', 'of processor time', 'tenants a second'],
      ...kinds.map((what) => [
        what,
        secondsOf(rounds, what, 'ms'),
        secondsOf(rounds, what, 'processorMs'),
        rateOf(rounds, what, tenants),
      ]),
    ]),
    '',
    ...(sweepByLoop === null ? [] : [`sweep by shell loop: ${sweepByLoop.toFixed(2)} (at most 1 is the aim)`]),
    ...(checkByLoop === null ? [] : [`check DIR by shell loop: ${checkByLoop.toFixed(2)}`]),
    '',
    'Memory of all processes of holdfast together. PSS is what the machine gives for ' +
      'them: a page that several share counts once (the aim: below 250 MB).',
    tableText([
      ['', 'processes', 'PSS', 'RSS', 'open descriptors of the main process'],
      ...weightRow('first tenants', first),
      ...weightRow('last tenants', last),
      ...weightRow('heaviest', heaviest),
    ]),
    tableText([
      ['each, once', 'PSS', 'RSS'],
      ...each.map(({ command, pss, rss }) => [command, bytesText(pss), bytesText(rss)]),
    ]),
  ].join('\n')
}

const secondsOf = (rounds: readonly Timed[], what: Timed['what'], which: 'ms' | 'processorMs'): string =>
  rounds
    .filter((round) => round.what === what)
    .map((round) => (round[which] / 1000).toFixed(1))
    .join(' ')

function rateOf(rounds: readonly Timed[], what: Timed['what'], tenants: number): string {
  const fastest = Math.min(...rounds.filter((round) => round.what === what).map(({ ms }) => ms))
  return `${(tenants / (fastest / 1000)).toFixed(1)} (fastest)`
}

const weightRow = (name: string, weight: Weight | null): string[][] =>
  weight === null
    ? []
    : [[name, String(weight.processes), bytesText(weight.pss), bytesText(weight.rss), String(weight.descriptors)]]
