/** The figures of sweeps as text. */
import type { MemoryUse } from '../memory.ts'
import type { SweepFigures, TimedRun } from '../sweep.ts'
import { formatBytes, formatTable } from '../units.ts'

export function describeSweep(figures: SweepFigures): string {
  const { tenants, bytes, rounds, sweepByLoop, checkByLoop, first, last, mostMemory, each } = figures
  const kinds = [...new Set(rounds.map(({ what }) => what))]
  return [
    `${tenants} tenants of ${formatBytes(bytes)}, each measured ` +
      `${rounds.filter(({ what }) => what === 'holdfast sweep').length} times, in turn`,
    formatTable([
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
    'Memory of all processes of holdfast together. PSS counts a page that several ' +
      'processes share once (the aim: below 250 MB).',
    formatTable([
      ['', 'processes', 'PSS', 'RSS', 'open descriptors of the main process'],
      ...memoryRow('first tenants', first),
      ...memoryRow('last tenants', last),
      ...memoryRow('most memory', mostMemory),
    ]),
    formatTable([
      ['each, once', 'PSS', 'RSS'],
      ...each.map(({ command, pss, rss }) => [command, formatBytes(pss), formatBytes(rss)]),
    ]),
  ].join('\n')
}

const secondsOf = (rounds: readonly TimedRun[], what: TimedRun['what'], which: 'ms' | 'processorMs'): string =>
  rounds
    .filter((round) => round.what === what)
    .map((round) => (round[which] / 1000).toFixed(1))
    .join(' ')

function rateOf(rounds: readonly TimedRun[], what: TimedRun['what'], tenants: number): string {
  const fastest = Math.min(...rounds.filter((round) => round.what === what).map(({ ms }) => ms))
  return `${(tenants / (fastest / 1000)).toFixed(1)} (fastest)`
}

const memoryRow = (name: string, use: MemoryUse | null): string[][] =>
  use === null
    ? []
    : [[name, String(use.processes), formatBytes(use.pss), formatBytes(use.rss), String(use.descriptors)]]
