/** The status of a fleet for a person. */

import { createColors } from 'picocolors'
import type { FleetFile, FleetRun, FleetSlot } from '../../../fleet/status/fleet-facts.ts'
import { ageOf } from '../../../model/age.ts'
import { count, groupDigits } from '../../../text/count.ts'
import { wrapIndented, wrap } from '../../../text/layout.ts'
import { renderTable } from '../../../text/table.ts'
import { humanMs } from '../../../text/units.ts'
import { legibleCommand, legibleName, legibleSentence } from '../../text/legible.ts'
import type { TextOptions } from '../../text/result-words.ts'
import { agentTable } from './agent-table.ts'
import { scopeName, type FleetJudgement } from './fleet-judgement.ts'
import { fleetNextSteps, type NextStep } from './fleet-next.ts'
import { lastFullSweep, runsUnderWay, totalOf, type FleetView } from './fleet-view.ts'

/** Of each list, unless the text is verbose. */
const listedMax = 20

export function renderFleetText(view: FleetView, judgement: FleetJudgement, options: TextOptions): string {
  const colors = createColors(options.color)
  const { at, hosts } = view
  const { code, counts, word } = judgement
  const paint = code === 0 ? colors.green : code === 2 ? (text: string) => colors.bold(colors.red(text)) : colors.yellow
  const last = lastFullSweep(view)?.endedAt ?? null
  return `${[
    ...wrap(
      `${word}: ${count(hosts.length, 'host')}, ${count(totalOf(counts), 'file')}, ${groupDigits(counts.sound)} sound` +
        (last === null ? '' : `, last full sweep ${ago(last, at)}`),
      options.width,
    ).map((line) => paint(line)),
    ...judgement.reasons.flatMap((reason) => wrapIndented(reason, options)),
    ...slotLines(view.slots, options),
    ...runsUnderWay(view).flatMap((run) => wrap(progressText(run, at), options.width)),
    ...fileLines(view, judgement, options),
    ...hostLines(view, judgement, options),
    ...nextLines(fleetNextSteps(view, judgement)),
    ...(code === 0
      ? []
      : wrap(`Exit code 0: answered. With --format nagios or monit it is ${code}: ${word}.`, options.width)),
  ].join('\n')}\n`
}

export function ago(at: number, now: number): string {
  const age = ageOf(at, now)
  return age === null ? `${humanMs(at - now)} ahead of the clock` : `${humanMs(age)} ago`
}

function slotLines(slots: readonly FleetSlot[], { width }: TextOptions): readonly string[] {
  const taken = [...Map.groupBy(slots, ({ scope }) => scope)]
    .map(([scope, all]) => ({ scope, limit: all.length, held: all.filter(({ holder }) => holder !== null).length }))
    .filter(({ held }) => held > 0)
  if (taken.length === 0) return []
  return wrap(
    `slots to pause a tenant: ${taken
      .map(({ scope, held, limit }) => `${held} of ${limit} taken in ${scopeName(scope)}`)
      .join(', ')}`,
    width,
  )
}

/** `sweep 01J… has 400,000 of 1,000,000 results (40 %), 3 damaged; begun 12 min ago, about 18 min more` */
export function progressText(run: FleetRun, now: number): string {
  const { kind, id, done, total, damaged, begunAt, state, said } = run
  if (kind === 'removal' && said !== null) return `${legibleSentence(said)}; ${ago(begunAt, now)}`
  const age = ageOf(begunAt, now)
  const share = total === 0 ? '' : ` (${Math.floor((100 * done) / total)} %)`
  const rest = age === null || done === 0 || done >= total ? null : (age / done) * (total - done)
  return (
    `${legibleName(kind)} ${legibleName(id)} has ${groupDigits(done)} of ${count(total, 'result')}${share}` +
    `${damaged === 0 ? '' : `, ${groupDigits(damaged)} damaged`}; begun ${ago(begunAt, now)}` +
    (state === 'feeding' ? ', not all of it is queued yet' : '') +
    `${rest === null ? '' : `, about ${humanMs(rest)} more`}${said === null ? '' : `; ${legibleSentence(said)}`}`
  )
}

const words = { sound: 'sound', damaged: 'DAMAGED', inconclusive: 'inconclusive', failed: 'FAILED' } as const

function fileLines(view: FleetView, { counts }: FleetJudgement, options: TextOptions): readonly string[] {
  const colors = createColors(options.color)
  const listed = options.verbose ? view.files : view.files.slice(0, listedMax)
  if (listed.length === 0) return []
  const columns = [
    { head: 'TENANT', align: 'left' },
    { head: 'HOST', align: 'left' },
    { head: 'VERDICT', align: 'left' },
    { head: 'WHAT', align: 'left' },
    { head: 'CHECKED', align: 'right' },
    { head: 'LAST SOUND', align: 'right' },
  ] as const
  const rows = listed.map((file) => fileRow(file, view.at))
  const more = counts.damaged + counts.inconclusive + counts.failed - listed.length
  return [
    '',
    ...renderTable(columns, rows, {
      ...options,
      paint: (cell, column) => (column === 2 && cell === 'DAMAGED' ? colors.bold(colors.red(cell)) : cell),
    }),
    ...(more > 0
      ? wrap(
          `and ${count(more, 'more file')}${options.verbose ? '' : '; --verbose or --json lists them'}`,
          options.width,
        )
      : []),
  ]
}

const fileRow = ({ tenant, host, verdict, damage, failure, checkedAt, soundAt }: FleetFile, now: number) => [
  legibleName(tenant),
  legibleName(host),
  verdict === null ? 'never' : (words[verdict] ?? legibleName(verdict)),
  failure === null ? (damage === 'none' ? '-' : legibleName(damage)) : legibleName(failure),
  checkedAt === null ? 'never' : ago(checkedAt, now),
  soundAt === null ? 'never' : ago(soundAt, now),
]

/** Hosts with something to say; all of them if the text is verbose. */
function hostLines(view: FleetView, { missed }: FleetJudgement, options: TextOptions): readonly string[] {
  const grave = new Set(view.shares.filter(({ counts }) => counts.damaged > 0).map(({ host }) => host))
  const all = options.verbose
    ? view.hosts
    : view.hosts.filter((host) => missed.includes(host) || host.said !== null || grave.has(host.name))
  const listed = options.verbose ? all : all.slice(0, listedMax)
  if (listed.length === 0) return []
  const more = all.length - listed.length
  return [
    '',
    ...agentTable(listed, view, options),
    ...(more > 0 ? wrap(`and ${count(more, 'more host')}; holdfast fleet agents lists them`, options.width) : []),
  ]
}

/** Commands for a host stand below its name, so that each line can be copied as it is. */
function nextLines(steps: readonly NextStep[]): readonly string[] {
  if (steps.length === 0) return []
  const isHereAlone = steps.every(({ host }) => host === null)
  return [
    '',
    'next',
    ...[...Map.groupBy(steps, ({ host }) => host)].flatMap(([host, all]) => [
      ...(host === null ? (isHereAlone ? [] : ['  here']) : [`  on ${legibleName(host)}`]),
      ...all.map(({ command }) => `    ${legibleCommand(command)}`),
    ]),
  ]
}
