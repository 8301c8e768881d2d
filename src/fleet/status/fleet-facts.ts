/** What the database of a fleet knows. Times are in ms since 1970 by the clock of the database. */

import type { DamageClass } from '../../model/result/finding.ts'
import type { VerdictWord } from '../../model/result/verdict.ts'

/** Number of files by the verdict of their newest check; `never`: not checked yet. */
export type FleetCounts = Readonly<Record<VerdictWord | 'never', number>>

export interface HostFacts {
  readonly name: string
  /** What fails with it, such as its rack; null if the configuration does not say. */
  readonly domain: string | null
  readonly version: string
  readonly startedAt: number
  /** When its agent last reported. */
  readonly seenAt: number
  /** Results that its agent has and that are not stored here yet. */
  readonly outboxRows: number
  readonly outboxBytes: number
  /** How far its clock is ahead of the clock of the database. */
  readonly clockSkewMs: number
  /** What its agent has to say, such as why it checks nothing; null for nothing. */
  readonly said: string | null
}

/** The files of one service on one host. */
export interface FleetShare {
  readonly host: string
  readonly service: string
  readonly counts: FleetCounts
  /** Files that no check has found sound within the wanted age; damaged ones are not among them. */
  readonly stale: number
  /** The oldest of the newest sound checks; null if one of the files never had one. */
  readonly oldestSoundAt: number | null
}

/** One file with its newest check. */
export interface FleetFile {
  readonly host: string
  readonly service: string
  readonly tenant: string
  readonly path: string
  /** null: never checked. */
  readonly verdict: VerdictWord | null
  readonly damage: DamageClass
  /** The code of the failure of that check; null without one, and if its result is not kept any more. */
  readonly failure: string | null
  readonly checkedAt: number | null
  /** The newest check that found it sound; null if there was none. */
  readonly soundAt: number | null
  readonly run: string | null
}

/** A run over hosts, with the sums of all of them. */
export interface FleetRun {
  readonly id: string
  readonly kind: string
  readonly state: 'feeding' | 'fed' | 'done' | 'stopped'
  /** True if it was to examine every tenant at full depth. */
  readonly isWhole: boolean
  readonly begunAt: number
  readonly endedAt: number | null
  /** Files that it is to examine, and those that have a result. */
  readonly total: number
  readonly done: number
  readonly sound: number
  readonly damaged: number
  readonly inconclusive: number
  readonly failed: number
  readonly said: string | null
}

/** The permission to pause one tenant at a time. */
export interface FleetSlot {
  readonly scope: string
  readonly slot: number
  /** The host that has it; null: it is free. */
  readonly holder: string | null
  readonly takenAt: number | null
  /** The expiry of the host that took it last: no coordinator frees it sooner. */
  readonly expiryMs: number
}

/** While it is open, no tenant of its scope is paused by a run of the fleet. */
export interface OpenBreaker {
  readonly scope: string
  readonly reason: string
  readonly since: number
  readonly by: string
}

export interface FleetCoordinator {
  /** The host on which it works. */
  readonly host: string
  readonly version: string
  readonly startedAt: number
  /** When it last showed itself. */
  readonly seenAt: number
}

export interface FleetFacts {
  readonly at: number
  readonly hosts: readonly HostFacts[]
  readonly shares: readonly FleetShare[]
  /** Files whose newest check did not find them sound, the gravest first; at most 1,000. */
  readonly files: readonly FleetFile[]
  /** The files that were not found sound for the longest time, a few of each service. */
  readonly oldest: readonly FleetFile[]
  /** The newest first. */
  readonly runs: readonly FleetRun[]
  readonly slots: readonly FleetSlot[]
  readonly breakers: readonly OpenBreaker[]
  /** True if the database was replaced or restored, and no slot is granted until a coordinator has watched it. */
  readonly isResting: boolean
  /** The one that was seen last first. */
  readonly coordinators: readonly FleetCoordinator[]
}

/** Agents and coordinators report every few seconds. One that did not for as long as this is missed. */
export const agentMissedMs = 5 * 60_000
