/**
 * What should have happened and did not (I4.2): a sweep, all of a sweep, the list of tenants, backups. Judged from the
 * ledger alone. Pure; README.md lists the absences with their words and severities.
 */

import { isFullSweep, isFullyCovered } from '../../ledger/full-sweep.ts'
import type { RecordedRegistry, RecordedRun, RecordedSweep } from '../../ledger/ledger.ts'
import { ageOf } from '../../model/age.ts'
import { count } from '../../text/count.ts'
import { joinedLines, printableSentenceInUtf8 } from '../../text/printable.ts'
import { humanMs } from '../../text/units.ts'

/** One for each kind. The order is that of their gravity. */
export const absenceKinds = [
  'registry-down',
  'configuration-refused',
  'hung',
  'never-run',
  'sweep-too-old',
  'killed',
  'covered-too-little',
  'registry-cached',
  'registry-partly',
  'tenants-gone',
  'configuration-copy',
  'backups-too-old',
] as const
type AbsenceKind = (typeof absenceKinds)[number]

export interface Absence {
  readonly kind: AbsenceKind
  /** For monitors: 1 WARNING, 2 CRITICAL. */
  readonly code: 1 | 2
  /** Since when, in ms since 1970; null if that is not known. */
  readonly since: number | null
  /** A clause with words of its own. It follows the severity STALE. */
  readonly text: string
  /** The command to type, without the configuration. */
  readonly command: string
}

/** The run that works on the service now. */
export interface ActiveRun {
  readonly run: string
  readonly pid: number
  /** When it began, in ms since 1970. */
  readonly since: number
  /** True if its process was stopped by a signal, and does nothing until it is told to go on. */
  readonly stopped: boolean
}

/** What the runs of a fleet have checked of the files that the service lists on this host. */
export interface FleetCoverage {
  readonly files: number
  /** Files that a check at full depth has reached. */
  readonly reached: number
  /** The time of the oldest of these checks; null if one of the files has none, or if there is no file. */
  readonly at: number | null
}

/** What the ledger knows. Times are in ms since 1970. */
export interface SweepFacts {
  /** Newest first. */
  readonly runs: readonly RecordedRun[]
  /** null on a host that belongs to no fleet. */
  readonly fleet: FleetCoverage | null
  /** The newest sweep that knew its tenants; null if there was none. */
  readonly lastSweep: RecordedSweep | null
  /** Runs without an end that no process works on any more. */
  readonly gone: ReadonlySet<string>
  /** null if none works on the service, or if that cannot be seen. */
  readonly atWork: ActiveRun | null
  /** When the newest line of the ledger was written; null without one. */
  readonly newestLineAt: number | null
  /** null if no run asked for the list of tenants yet. */
  readonly registry: RecordedRegistry | null
}

export interface AbsenceTerms {
  readonly now: number
  /** An older full sweep is too old. */
  readonly maxAgeMs: number
  /** How long a sweep may take; null: as long as `maxAgeMs`. */
  readonly budgetMs: number | null
  /** How long a run that works may write nothing to the ledger. */
  readonly quietMsMax: number
  /** How old the newest backup of a file may be; null: as old as it likes. */
  readonly backupMaxAgeMs: number | null
}

/** A sweep takes longer than planned if its tenants grow. One that takes twice as long hangs. */
const budgetsMax = 2

/** The gravest first. */
export function absencesIn(facts: SweepFacts, terms: AbsenceTerms): readonly Absence[] {
  const found = [
    ...hung(facts, terms),
    ...sweepTooOld(facts, terms),
    ...killedSweep(facts),
    ...coveredTooLittle(facts),
    ...registryAbsence(facts, terms),
    ...backupsTooOld(facts, terms),
  ]
  return found.toSorted((one, other) => absenceKinds.indexOf(one.kind) - absenceKinds.indexOf(other.kind))
}

/**
 * The end of the newest sweep that covered all tenants at full depth. In a fleet also the time since which all files
 * were checked at full depth, if that is later. Null if there was neither.
 */
export function lastFullSweepAt({ runs, fleet }: Pick<SweepFacts, 'runs' | 'fleet'>): number | null {
  const sweptAt = runs.find(isFullSweep)?.finished?.at ?? null
  const checkedAt = fleet?.at ?? null
  return sweptAt === null || checkedAt === null ? (sweptAt ?? checkedAt) : Math.max(sweptAt, checkedAt)
}

/** A copy of the configuration is used, because the file is not valid. @param since in ms since 1970 */
export const outdatedConfiguration = (since: number, why: string): Absence => ({
  kind: 'configuration-copy',
  code: 1,
  since,
  text: `the configuration is not valid, a copy is used: ${sayWhy(why)}`,
  command: 'holdfast doctor',
})

/** The copy is too old as well, so that no run begins. @param since in ms since 1970 */
export const refusedConfiguration = (since: number, why: string): Absence => ({
  kind: 'configuration-refused',
  code: 2,
  since,
  text: `the configuration is not valid, its copy is too old, and nothing is checked: ${sayWhy(why)}`,
  command: 'holdfast doctor',
})

function* hung({ atWork, newestLineAt }: SweepFacts, terms: AbsenceTerms): Generator<Absence> {
  if (atWork === null) return
  const { pid, since, stopped } = atWork
  const base = { kind: 'hung', code: 2, since } as const
  if (stopped) {
    const text = `the run hangs: its process ${pid} is stopped and does nothing`
    yield { ...base, text, command: `kill -CONT ${pid}` }
    return
  }
  const { now, budgetMs, maxAgeMs, quietMsMax } = terms
  const age = ageOf(since, now) ?? 0
  const limit = budgetMs === null ? maxAgeMs : budgetsMax * budgetMs
  const quiet = newestLineAt === null ? 0 : (ageOf(Math.max(newestLineAt, since), now) ?? 0)
  if (age > limit)
    yield {
      ...base,
      text: `the run hangs: process ${pid} has worked for ${humanMs(age)}, longer than ${humanMs(limit)}`,
      command: `kill ${pid}`,
    }
  else if (quiet > quietMsMax)
    yield {
      ...base,
      text: `the run hangs: process ${pid} has done nothing for ${humanMs(quiet)}`,
      command: `kill ${pid}`,
    }
}

function* sweepTooOld({ runs, fleet, lastSweep }: SweepFacts, { now, maxAgeMs }: AbsenceTerms): Generator<Absence> {
  const command = fleet !== null ? 'holdfast fleet status' : isEmpty(lastSweep) ? 'holdfast doctor' : 'holdfast sweep'
  const base = { code: 1, command } as const
  if (runs.length === 0) {
    yield { ...base, kind: 'never-run', since: null, text: 'never run: no run was ever recorded' }
    return
  }
  const at = lastFullSweepAt({ runs, fleet })
  const age = at === null ? null : ageOf(at, now)
  const kind = 'sweep-too-old'
  if (at !== null && age === null)
    yield { ...base, kind, since: null, text: 'the time of the last full sweep is in the future: a clock was wrong' }
  else if (age === null || age > maxAgeMs)
    yield { ...base, kind, since: at ?? runs.at(-1)?.startedAt ?? null, text: missingSweep(fleet, age, lastSweep) }
}

/** True for a sweep over all tenants that had none. Another one does not help. */
const isEmpty = (sweep: SweepFacts['lastSweep']): boolean =>
  sweep !== null && sweep.only === null && sweep.selected + sweep.notDue === 0

/** @param age of the last full sweep; null if there was none */
function missingSweep(fleet: FleetCoverage | null, age: number | null, last: SweepFacts['lastSweep']): string {
  if (fleet !== null && fleet.reached < fleet.files)
    return `the fleet has not checked ${fleet.files - fleet.reached} of ${count(fleet.files, 'file')} at full depth yet`
  if (age === null && fleet === null && isEmpty(last))
    return 'no full sweep yet: the last sweep had nothing to check, because the service lists no file'
  if (age === null) return 'no full sweep yet'
  return `${fleet === null ? 'last full sweep' : 'last full check of all files'} ${humanMs(age)} ago`
}

/**
 * A sweep without an end in the ledger, that no process works on. A later full sweep makes up for it. One over some
 * tenants that reached all of these does not.
 */
function* killedSweep({ runs, gone, fleet }: SweepFacts): Generator<Absence> {
  const newest = runs.find((run) => run.mode === 'sweep' && (run.finished ? mayBeOfAll(run) : gone.has(run.run)))
  if (newest === undefined || newest.finished !== null || sweptSince(runs, newest)) return
  const since = newest.startedAt
  if (isCheckedSince(fleet, since)) return
  const text = 'the last sweep was killed: it began, and recorded no end'
  yield { kind: 'killed', code: 1, since, text, command: 'holdfast sweep --continue' }
}

function* coveredTooLittle({ runs, lastSweep, fleet }: SweepFacts): Generator<Absence> {
  const isOfAll = lastSweep?.only === null && lastSweep.depth === 'full'
  const newest = isOfAll ? lastSweep : runs.find(({ finished }) => finished?.whole === true)
  const end = newest?.finished
  if (!end || end.covered >= end.selected || isCheckedSince(fleet, end.at)) return
  const all = end.selected + end.notDue
  const covered = end.covered + end.notDue
  const share = Math.floor((100 * covered) / all)
  yield {
    kind: 'covered-too-little',
    code: 1,
    since: end.at,
    text: `the last sweep covered ${covered} of ${count(all, 'file')} (${share} %)`,
    command: 'holdfast sweep',
  }
}

/** False for a sweep over some tenants that reached them: it says nothing of the others. */
const mayBeOfAll = (run: RecordedRun): boolean => run.finished?.whole === true || !isFullyCovered(run)

const sweptSince = (runs: readonly RecordedRun[], { startedAt }: RecordedRun): boolean =>
  runs.some((run) => isFullSweep(run) && run.startedAt > startedAt)

/** True if the runs of the fleet have checked all files at full depth after this time. */
const isCheckedSince = (fleet: FleetCoverage | null, time: number): boolean =>
  fleet !== null && fleet.at !== null && fleet.at > time

function* registryAbsence({ registry }: SweepFacts, { now }: AbsenceTerms): Generator<Absence> {
  if (registry === null) return
  if (registry.source === 'live') {
    const { unsearched, at } = registry
    if (unsearched !== undefined) yield partlySearched(unsearched, at)
    return
  }
  const { source, since, code, why } = registry
  const last = since === null ? 'no copy of an earlier one can be used' : sayLast(ageOf(since, now))
  const failure = `${code}: ${sayWhy(why)}`
  yield source === 'cached'
    ? {
        kind: 'registry-cached',
        code: 1,
        since,
        text: `the service gives no list of tenants, a copy is used; ${last} (${failure})`,
        command: 'holdfast doctor',
      }
    : {
        kind: 'registry-down',
        code: 2,
        since,
        text: `the service gives no list of tenants, and nothing is checked; ${last} (${failure})`,
        command: 'holdfast doctor',
      }
}

const sayLast = (age: number | null): string =>
  age === null ? 'the time of the last one is in the future: a clock was wrong' : `the last one is ${humanMs(age)} old`

const partlySearched = (
  { places, first }: NonNullable<Extract<RecordedRegistry, { source: 'live' }>['unsearched']>,
  since: number,
): Absence => ({
  kind: 'registry-partly',
  code: 1,
  since,
  text: `${count(places, 'place')} of service.files could not be searched: ${sayWhy(first)}`,
  command: 'holdfast doctor',
})

const whyLettersMax = 300
const sayWhy = (text: string): string => printableSentenceInUtf8(joinedLines(text)).slice(0, whyLettersMax)

/** The oldest of the newest backups; null if none were kept. */
export const oldestBackupAt = (runs: readonly RecordedRun[]): number | null => backupsSeen(runs)?.oldestAt ?? null

/** As the newest full sweep saw them: later runs only add newer ones. */
const backupsSeen = (runs: readonly RecordedRun[]): NonNullable<RecordedRun['finished']>['backups'] =>
  runs.find(({ finished }) => finished?.backups)?.finished?.backups ?? null

function* backupsTooOld({ runs }: SweepFacts, { now, backupMaxAgeMs }: AbsenceTerms): Generator<Absence> {
  const backups = backupsSeen(runs)
  if (!backups || backupMaxAgeMs === null) return
  const base = { kind: 'backups-too-old', code: 1, command: 'holdfast backups list' } as const
  const { oldestAt, tenant, missing } = backups
  const age = oldestAt === null ? null : (ageOf(oldestAt, now) ?? Infinity)
  if (age !== null && age > backupMaxAgeMs)
    yield {
      ...base,
      since: oldestAt,
      text:
        `the newest backup of ${printableSentenceInUtf8(tenant ?? '')} is ${humanMs(age)} old; ` +
        `backups.maxAge is ${humanMs(backupMaxAgeMs)}`,
    }
  else if (missing > 0)
    yield { ...base, since: null, text: `${count(missing, 'sound file has', 'sound files have')} no backup` }
}
