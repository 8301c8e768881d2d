/**
 * Judges what the database of a fleet knows: OK, WARNING, CRITICAL or UNKNOWN. The words are those of `status`.
 * README.md lists the reasons.
 */

import {
  agentMissedMs,
  type FleetCounts,
  type FleetFile,
  type HostFacts,
  type FleetSlot,
  type OpenBreaker,
} from '../../../fleet/status/fleet-facts.ts'
import { ageOf } from '../../../model/age.ts'
import { signsOfHarm } from '../../../model/failure.ts'
import { count, groupDigits } from '../../../text/count.ts'
import { humanBytes, humanMs } from '../../../text/units.ts'
import { listSome, someNames } from '../../status/name-some.ts'
import { legibleName, legibleSentence } from '../../text/legible.ts'
import { countsOf, isMissed, lastFullSweep, runsUnderWay, totalOf, type FleetView } from './fleet-view.ts'

export interface FleetJudgement {
  readonly code: 0 | 1 | 2 | 3
  readonly word: 'OK' | 'WARNING' | 'CRITICAL' | 'UNKNOWN'
  /** The gravest first, each with its severity. Names in them are not broken by lines (text/layout.ts). */
  readonly reasons: readonly string[]
  readonly counts: FleetCounts
  /** Files that no check found sound within the wanted age. */
  readonly stale: number
  /** Hosts whose agents did not report for too long. */
  readonly missed: readonly HostFacts[]
  /** Slots that no coordinator frees although it should have. */
  readonly stuck: readonly FleetSlot[]
  /** True if any of the reasons is HARM SUSPECTED. */
  readonly isHarmSuspected: boolean
  /** Files whose tenants may still be paused. */
  readonly paused: readonly FleetFile[]
  /** Age in ms of the oldest of the newest sound checks; null if a file never had one, or if there is no file. */
  readonly oldestSoundAgeMs: number | null
}

export function judgeFleet(view: FleetView): FleetJudgement {
  const { files, hosts, shares, at } = view
  const counts = countsOf(view)
  const found = {
    counts,
    stale: shares.reduce((sum, share) => sum + share.stale, 0),
    missed: hosts.filter((host) => isMissed(host, at)),
    stuck: view.slots.filter((slot) => isStuck(slot, view)),
    paused: files.filter(({ failure }) => failure === 'RESUME_FAILED'),
    oldestSoundAgeMs: oldestSoundAge(view),
  }
  const isBlind = hosts.length > 0 && found.missed.length === hosts.length
  const harm = harmReasons(view)
  const critical = [...harm, ...pausedReasons(found.paused), ...damagedReasons(view, counts)]
  if (isBlind) critical.push(blindReason(view))
  const warning = [
    ...(shares.length === 0 ? ['STALE no agent has registered a file yet'] : []),
    ...breakerReasons(view),
    ...(view.isResting
      ? ['STALE no tenant can be paused: the database was replaced or restored, and a coordinator must watch it first']
      : []),
    ...(isBlind ? [] : missedReasons(found.missed, view)),
    ...coordinatorReasons(view),
    ...stuckReasons(found.stuck, view),
    ...sweepReasons(view),
    ...hostReasons(view),
    ...staleReasons(view, found.stale),
    ...unsureReasons(view, counts),
  ]
  const code = critical.length > 0 ? 2 : knowsNothing(view, counts) ? 3 : warning.length > 0 ? 1 : 0
  return {
    ...found,
    isHarmSuspected: harm.length > 0,
    code,
    word: (['OK', 'WARNING', 'CRITICAL', 'UNKNOWN'] as const)[code],
    reasons: [...critical, ...warning],
  }
}

/** `acme on h12`, unbroken by lines. */
const placeName = ({ tenant, host }: Pick<FleetFile, 'tenant' | 'host'>): string =>
  `${legibleName(tenant)} on ${legibleName(host)}`

/** Opened by a result or by a coordinator, on signs of harm. A person, who may have any reason, is `user@host`. */
const isHarm = ({ by }: OpenBreaker): boolean => by === 'holdfast' || by === 'coordinator'

function harmReasons({ files, breakers }: FleetView): readonly string[] {
  const harmed = files.filter(({ failure }) => failure !== null && signsOfHarm.has(failure))
  const open = breakers.filter(isHarm)
  return [
    ...(harmed.length === 0 ? [] : [`HARM SUSPECTED ${harmed.length}: ${listSome(harmed.map(placeName))}`]),
    ...open.map(
      ({ scope, reason }) => `HARM SUSPECTED pauses in ${scopeName(scope)} are stopped: ${oneLineText(reason)}`,
    ),
  ]
}

const pausedReasons = (paused: readonly FleetFile[]): readonly string[] =>
  paused.length === 0
    ? []
    : [
        `PAUSED? ${count(paused.length, 'hold')} never seen to end: ${listSome(paused.map(placeName))}; ` +
          'holdfast resume --all there',
      ]

const ofVerdict = ({ files }: FleetView, verdict: FleetFile['verdict']): readonly FleetFile[] =>
  files.filter((file) => file.verdict === verdict)

const damagedReasons = (view: FleetView, { damaged }: FleetCounts): readonly string[] =>
  damaged === 0
    ? []
    : [`DAMAGED ${groupDigits(damaged)}: ${listSome(ofVerdict(view, 'damaged').map(placeName), damaged)}`]

function blindReason({ hosts, at }: FleetView): string {
  const last = Math.max(...hosts.map(({ seenAt }) => seenAt))
  return `STALE no agent reports, and nothing is known since ${humanMs(ageOf(last, at))} ago`
}

function breakerReasons({ breakers, at }: FleetView): readonly string[] {
  return breakers
    .filter((breaker) => !isHarm(breaker))
    .map(
      ({ scope, reason, since, by }) =>
        `STOPPED pauses in ${scopeName(scope)}, ${humanMs(ageOf(since, at))} ago, ` +
        `by ${legibleName(by)}: ${oneLineText(reason)}`,
    )
}

/** `the fleet`, `service notes`, `domain rack-2`. */
export const scopeName = (scope: string): string =>
  scope === 'fleet' ? 'the fleet' : legibleName(scope).replace(/^(service|domain):/, '$1 ')

const oneLineText = (text: string): string => legibleSentence(text.replaceAll('\n', ' '))

function missedReasons(missed: readonly HostFacts[], { at }: FleetView): readonly string[] {
  if (missed.length === 0) return []
  const named = missed.map(({ name, seenAt }) => `${legibleName(name)} (${humanMs(ageOf(seenAt, at))})`)
  return [`STALE ${count(missed.length, 'agent does', 'agents do')} not report: ${listSome(named)}`]
}

/** Without one no run is fed, no slot of a dead agent is freed, and no alarm is sent. */
function coordinatorReasons({ coordinators, at }: FleetView): readonly string[] {
  const [newest] = coordinators
  if (newest === undefined) return ['STALE no coordinator works']
  const age = ageOf(newest.seenAt, at) ?? 0
  return age > agentMissedMs ? [`STALE no coordinator works, the last one was seen ${humanMs(age)} ago`] : []
}

/** One that is held for longer than twice the time after which a coordinator frees it. */
const isStuck = ({ holder, takenAt, expiryMs }: FleetSlot, view: FleetView): boolean =>
  holder !== null && takenAt !== null && (ageOf(takenAt, view.at) ?? 0) > 2 * Math.max(view.expiryMs, expiryMs)

function stuckReasons(stuck: readonly FleetSlot[], { at }: FleetView): readonly string[] {
  if (stuck.length === 0) return []
  const longest = Math.max(...stuck.map(({ takenAt }) => ageOf(takenAt ?? at, at) ?? 0))
  return [
    `STALE ${count(stuck.length, 'slot is', 'slots are')} taken for ${humanMs(longest)}, and no coordinator frees ` +
      `${stuck.length === 1 ? 'it' : 'them'}: ${someNames([...new Set(stuck.map(({ holder }) => holder ?? ''))])}`,
  ]
}

function sweepReasons(view: FleetView): readonly string[] {
  const { at, maxAgeMs, runs } = view
  const reasons = runsUnderWay(view)
    .filter(({ begunAt }) => (ageOf(begunAt, at) ?? Infinity) > maxAgeMs)
    .map(
      ({ id, kind, begunAt, done, total }) =>
        `STALE ${legibleName(kind)} ${legibleName(id)} has worked for ${humanMs(ageOf(begunAt, at))}, ` +
        `and has ${groupDigits(done)} of ${count(total, 'result')}`,
    )
  const last = lastFullSweep(view)
  if (last === null)
    reasons.push(runs.length === 0 ? 'STALE never run: no run was ever recorded' : 'STALE no full sweep yet')
  else {
    const age = ageOf(last.endedAt ?? 0, at)
    if (age === null || age > maxAgeMs) reasons.push(`STALE last full sweep ${humanMs(age)} ago`)
    if (last.done < last.total)
      reasons.push(`STALE the last full sweep has results of ${groupDigits(last.done)} of ${count(last.total, 'file')}`)
  }
  return reasons
}

/** So many results wait for the database only if they cannot be delivered. */
const waitingRowsMax = 1000
/** Ages count by the clock of the database, but what a host prints has its own. */
const skewMsMax = 60_000

function hostReasons({ hosts }: FleetView): readonly string[] {
  const waiting = hosts.filter(({ outboxRows }) => outboxRows > waitingRowsMax)
  const rows = waiting.reduce((sum, { outboxRows }) => sum + outboxRows, 0)
  const bytes = waiting.reduce((sum, { outboxBytes }) => sum + outboxBytes, 0)
  const skewed = hosts.filter(({ clockSkewMs }) => Math.abs(clockSkewMs) > skewMsMax)
  const speaking = hosts.filter((host) => host.said !== null)
  return [
    ...speaking.slice(0, 3).map((host) => `STALE ${legibleName(host.name)}: ${oneLineText(host.said ?? '')}`),
    ...(speaking.length > 3 ? [`STALE ${count(speaking.length - 3, 'more host')} with a notice`] : []),
    ...(waiting.length === 0
      ? []
      : [
          `STALE ${count(rows, 'result')} (${humanBytes(bytes)}) not delivered yet: ` +
            someNames(waiting.map(({ name }) => name)),
        ]),
    ...(skewed.length === 0
      ? []
      : [`STALE ${count(skewed.length, 'clock')} wrong by more than a minute: ${listSome(skewed.map(skewText))}`]),
  ]
}

const skewText = ({ name, clockSkewMs }: HostFacts): string =>
  `${legibleName(name)} (${humanMs(Math.abs(clockSkewMs))} ${clockSkewMs > 0 ? 'ahead' : 'behind'})`

function staleReasons({ oldest, maxAgeMs }: FleetView, stale: number): readonly string[] {
  if (stale === 0) return []
  const named = listSome(oldest.map(placeName), stale)
  return [`STALE ${count(stale, 'file')} not found sound within ${humanMs(maxAgeMs)}: ${named}`]
}

function unsureReasons(view: FleetView, { inconclusive, failed }: FleetCounts): readonly string[] {
  const named = (verdict: FleetFile['verdict'], total: number): string =>
    listSome(
      ofVerdict(view, verdict).map(
        (file) => `${placeName(file)}${file.failure === null ? '' : ` (${legibleName(file.failure)})`}`,
      ),
      total,
    )
  return [
    ...(inconclusive > 0 ? [`INCONCLUSIVE ${groupDigits(inconclusive)}: ${named('inconclusive', inconclusive)}`] : []),
    ...(failed > 0 ? [`FAILED ${groupDigits(failed)}: ${named('failed', failed)}`] : []),
  ]
}

/** No file was ever found sound or damaged: failures say nothing about the data. */
const knowsNothing = ({ shares }: FleetView, counts: FleetCounts): boolean =>
  shares.length === 0 || counts.sound + counts.damaged === 0 || totalOf(counts) === 0

const oldestSoundAge = ({ shares, at }: FleetView): number | null =>
  shares.reduce<number | null>(
    (most, { oldestSoundAt }) =>
      most === null || oldestSoundAt === null ? null : Math.max(most, ageOf(oldestSoundAt, at) ?? 0),
    shares.length === 0 ? null : 0,
  )
