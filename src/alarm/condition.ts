/** What an alarm is about: something that a run has seen, before it is decided whether sinks are told of it. */

import type { Absence } from '../report/status/absences.ts'
import type { AlarmSeverity, AlarmTenant } from './alarm.ts'

/** A condition holds until a later run clears it. */
export type StandingSeverity = Exclude<AlarmSeverity, 'RECOVERED'>

export interface Condition {
  readonly severity: StandingSeverity
  /** What it is about if not about tenants, such as `covered-too-little`; empty for tenants. */
  readonly subject: string
  /** Follows the severity in the title. */
  readonly headline: string
  readonly text: string
  /** In ms since 1970; null: since it was first seen. */
  readonly since: number | null
  /** The first `tenantsMax` of them. */
  readonly tenants: readonly AlarmTenant[]
  /** Of all of them, as many as are remembered. */
  readonly keys: readonly TenantKey[]
  readonly tenantsTotal: number
  readonly command: string
  /** The first culprit of a triage: it is news also if its damage was told before. */
  readonly isCulprit?: true
}

/** Names a file of a tenant, with the class of its damage: an alarm has grown if it has a new key. */
export interface TenantKey {
  readonly tenant: string | null
  readonly path: string
  readonly damage: string
}

/** Subjects of STALE that a full sweep ends, and nothing else. */
export const missingSweeps: ReadonlySet<string> = new Set<Absence['kind']>([
  'never-run',
  'sweep-too-old',
  'killed',
  'covered-too-little',
])

/** Subjects of STALE of which one takes the place of another: what is missing is the same, more or less of it. */
export const oneLoss: readonly ReadonlySet<string>[] = [
  missingSweeps,
  new Set<Absence['kind']>(['registry-cached', 'registry-down']),
]

/** Subject of a remedy that was undone: it is news although the damage itself was told before. */
export const takenBackSubject = 'taken-back'

/** Subject of a ledger that was lost, and with it the record of open holds. */
export const ledgerLostSubject = 'ledger-lost'

/** Files that are remembered for each condition. */
export const rememberedMax = 1_000

export const fileKey = ({ tenant, path }: Pick<TenantKey, 'tenant' | 'path'>): string => JSON.stringify([tenant, path])

/** An alarm that was sent, and whose condition no run has seen end. Times are in ms since 1970. */
export interface StandingAlarm {
  readonly severity: StandingSeverity
  readonly subject: string
  readonly since: number
  readonly sentAt: number
  readonly keys: readonly TenantKey[]
  /** Files beyond those in `keys` count here too. */
  readonly total: number
  /** The culprit that was told last, with its incident; left out without one. */
  readonly culprit?: string
}

/** What a run has seen that ends earlier conditions. */
export interface ClearedConditions {
  /** Files (`fileKey`) that a full check found sound. */
  readonly sound: ReadonlySet<string>
  /** Files that a check found damaged: they are no longer inconclusive. */
  readonly damaged: ReadonlySet<string>
  /** Files that a sweep of all tenants no longer met: the service does not list them any more. */
  readonly unlisted: ReadonlySet<string>
  /** Tenants that were seen serving again. */
  readonly resumed: ReadonlySet<string>
  /** Tenants whose hold stands open; null if that is not known. */
  readonly held: ReadonlySet<string> | null
  /** Tenants whose newest hold in the ledger was seen to end, and when, in ms since 1970. */
  readonly served: ReadonlyMap<string, number>
  /** The oldest run that the ledger told of, in ms since 1970; null if it may have lost something. */
  readonly recordedSince: number | null
  /** True for a sweep of all tenants that saw each of them serving after its hold. */
  readonly allServing: boolean
  /** Subjects that still hold or were not looked at. Of the others, none holds any more. Null: none was looked at. */
  readonly standingSubjects: ReadonlySet<string> | null
  /** True for a sweep that looked at all tenants, left none out as not due, and found all of them sound. */
  readonly allSound: boolean
  /** `run-sweep` and the like: a run of this kind came to its end. */
  readonly endedRun: string | null
}
