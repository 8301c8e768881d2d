/** Judges what the ledger knows: OK, WARNING, CRITICAL or UNKNOWN. */

import { ageOf } from '../../model/age.ts'
import { signsOfHarm } from '../../model/failure.ts'
import type { VerdictWord } from '../../model/result/verdict.ts'
import { mayBeOurs } from '../../model/service-way.ts'
import { count } from '../../text/count.ts'
import { humanMs } from '../../text/units.ts'
import { withConfiguration } from '../text/hint.ts'
import { legibleName } from '../text/legible.ts'
import { describeOther } from '../text/other-holds.ts'
import type { Absence } from './absences.ts'
import { listSome, someNames } from './name-some.ts'
import type { DecisiveCheck, StatusView, TenantSummary } from './status-view.ts'

export interface StatusJudgement {
  readonly code: 0 | 1 | 2 | 3
  readonly word: 'OK' | 'WARNING' | 'CRITICAL' | 'UNKNOWN'
  /**
   * The gravest first, each with its severity: HARM SUSPECTED, PAUSED, DAMAGED, STALE, INCIDENT, INCONCLUSIVE, FAILED.
   * Names in them are not broken by lines (text/layout.ts).
   */
  readonly reasons: readonly string[]
  /** Number of files with each standing. */
  readonly counts: Readonly<Record<LastVerdict, number>>
  /**
   * Age in ms of the oldest check that settled a file. Null if a file never had one, if its time is in the future, or
   * if there is no file.
   */
  readonly oldestCheckAgeMs: number | null
  /** Number of files whose verdict rests on a pinned snapshot. */
  readonly pinned: number
  /** Holds of this service that were never seen to end. */
  readonly overdueHolds: number
}

export type LastVerdict = VerdictWord | 'never'

/**
 * Damage stands until a full check finds the file sound. A check that was quick, refused or inconclusive does not clear
 * it.
 */
export const lastVerdictOf = ({ verdict, settled }: TenantSummary): LastVerdict =>
  settled?.verdict === 'damaged' ? 'damaged' : (verdict ?? 'never')

/** The check that the verdict rests on; null if there was none. */
export function decisiveCheckOf({
  settled,
  checkedAt,
  verdict,
  damage,
  level,
  depth,
  pauseMs,
}: TenantSummary): DecisiveCheck | null {
  if (settled?.verdict === 'damaged') return settled
  return verdict === null || checkedAt === null ? null : { at: checkedAt, verdict, damage, level, depth, pauseMs }
}

/** True if the verdict rests on a pinned snapshot: a writer outside of SQLite's locks was not excluded. */
export const restsOnPin = (one: TenantSummary): boolean => decisiveCheckOf(one)?.level === 'pinned'

/**
 * True if no check settled the file within `maxAgeMs`. A quick, refused or inconclusive check does not count, nor does
 * one at a time in the future.
 */
export const isStale = ({ settled }: TenantSummary, { generatedAt, maxAgeMs }: StatusView): boolean =>
  settled === null || (ageOf(settled.at, generatedAt) ?? Infinity) > maxAgeMs

export function judgeStatus(view: StatusView): StatusJudgement {
  const { tenants } = view
  const counts = { sound: 0, damaged: 0, inconclusive: 0, failed: 0, never: 0 }
  for (const one of tenants) counts[lastVerdictOf(one)] += 1
  counts.sound += (view.others?.fresh ?? 0) + (view.others?.stale ?? 0)
  const withVerdict = (standing: LastVerdict): readonly TenantSummary[] =>
    tenants.filter((one) => lastVerdictOf(one) === standing)
  const overdue = overdueOf(view)
  const critical = [
    ...harmReasons(view),
    ...pausedReasons(view, overdue),
    ...(counts.damaged > 0 ? [`DAMAGED ${counts.damaged}: ${someNames(withVerdict('damaged').map(nameOf))}`] : []),
    ...absenceReasons(view, 2),
  ]
  const warning = [
    ...(view.ledgerLost ? ['LOST the ledger is gone: it is not known whether a hold is open'] : []),
    ...(view.selection !== null && tenants.length === 0 ? ['STALE no selected tenant was checked yet'] : []),
    ...absenceReasons(view, 1),
    ...incidentReasons(view),
    ...staleReasons(view),
    ...(counts.inconclusive > 0
      ? [`INCONCLUSIVE ${counts.inconclusive}: ${nameWithCauses(withVerdict('inconclusive'))}`]
      : []),
    ...(counts.failed > 0 ? [`FAILED ${counts.failed}: ${nameWithCauses(withVerdict('failed'))}`] : []),
  ]
  const code = critical.length > 0 ? 2 : knowsNothing(view) ? 3 : warning.length > 0 ? 1 : 0
  return {
    code,
    word: (['OK', 'WARNING', 'CRITICAL', 'UNKNOWN'] as const)[code],
    reasons: [...critical, ...warning],
    counts,
    oldestCheckAgeMs: oldestCheckAge(view),
    pinned: tenants.filter(restsOnPin).length + (view.others?.pinned ?? 0),
    overdueHolds: overdue.left.length + overdue.others.length,
  }
}

/** The first sign of harm; null for none. It stands until a full sweep finds all tenants sound. */
export const harmIn = ({ tenants, harm }: StatusView): string | null =>
  tenants.find(isHarmed)?.failure ?? harm?.code ?? null

const isHarmed = ({ failure }: TenantSummary): boolean => failure !== null && signsOfHarm.has(failure)

function harmReasons({ tenants, harm, generatedAt }: StatusView): readonly string[] {
  const harmed = tenants.filter(isHarmed)
  if (harmed.length > 0) return [`HARM SUSPECTED ${harmed.length}: ${someNames(harmed.map(nameOf))}`]
  if (harm === null) return []
  const age = ageOf(harm.at, generatedAt)
  return [
    `HARM SUSPECTED ${age === null ? '' : `${humanMs(age)} ago `}by run ${legibleName(harm.run)} ` +
      `(${legibleName(harm.code)}): it ends with a full sweep that finds all tenants sound`,
  ]
}

/** Holds that were never seen to end: of this service in this way, and those that may be of this service. */
interface OverdueHolds {
  readonly left: StatusView['openHolds']
  readonly others: StatusView['otherHolds']
}

/** A hold that a run works on is no alarm. A hold that its run left or gave up was never seen to end. */
function overdueOf({ tenants, openHolds, otherHolds }: StatusView): OverdueHolds {
  const givenUp = new Set(tenants.filter(({ failure }) => failure === 'RESUME_FAILED').map(({ tenant }) => tenant))
  return {
    left: openHolds.filter(({ leftBehind, tenant }) => leftBehind || givenUp.has(tenant)),
    others: otherHolds.filter(mayBeOurs),
  }
}

function pausedReasons(view: StatusView, { left, others }: OverdueHolds): readonly string[] {
  const overdue = [...left, ...others]
  if (overdue.length === 0) return []
  const [other] = others
  const command =
    left.length > 0 || other === undefined
      ? withConfiguration('holdfast resume --all', view.configNamed)
      : describeOther(other, view.config, view.generatedAt).next
  const via = left.length > 0 ? view.via : other?.via
  const resume = via === 'hooks' ? `NOTHING ENDS THIS BY ITSELF, run ${command}` : command
  const names = someNames(overdue.map(({ tenant }) => tenant))
  return [`PAUSED? ${count(overdue.length, 'hold')} never seen to end: ${names}; ${resume}`]
}

const absenceReasons = ({ absences }: StatusView, code: Absence['code']): readonly string[] =>
  absences.filter((absence) => absence.code === code).map(({ text }) => `STALE ${text}`)

function staleReasons(view: StatusView): readonly string[] {
  const stale = view.tenants.filter((one) => isStale(one, view))
  const total = stale.length + (view.others?.stale ?? 0)
  if (total === 0) return []
  const names = someNames(stale.map(nameOf), total)
  return [`STALE ${count(total, 'tenant')} not fully checked within ${humanMs(view.maxAgeMs)}: ${names}`]
}

function incidentReasons({ incident, generatedAt }: StatusView): readonly string[] {
  if (incident === null) return []
  const age = ageOf(incident.since, generatedAt)
  const begun = age === null ? '' : `, begun ${humanMs(age)} ago`
  return [`INCIDENT ${legibleName(incident.id)}${begun}: it ends with a full sweep that finds all tenants sound`]
}

/** Failures say nothing about the data: if no file was ever found sound or damaged, nothing is known. */
function knowsNothing({ tenants, selection, lastFullSweepAt }: StatusView): boolean {
  if (tenants.length === 0) return lastFullSweepAt === null || selection !== null
  return !tenants.some(({ verdict, settled }) => verdict === 'sound' || settled !== null)
}

function oldestCheckAge({ tenants, others, generatedAt }: StatusView): number | null {
  const ages = tenants.map(({ settled }) => (settled === null ? null : ageOf(settled.at, generatedAt)))
  const oldestAt = others?.oldestAt ?? null
  if (oldestAt !== null) ages.push(ageOf(oldestAt, generatedAt))
  return ages.reduce<number | null>(
    (most, age) => (most === null || age === null ? null : Math.max(most, age)),
    tenants.length === 0 ? null : 0,
  )
}

const nameOf = ({ tenant, path }: TenantSummary): string => tenant ?? path

const nameWithCauses = (some: readonly TenantSummary[]): string =>
  listSome(
    some.map((one) => `${legibleName(nameOf(one))}${one.failure === null ? '' : ` (${legibleName(one.failure)})`}`),
  )
