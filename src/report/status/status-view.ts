/** What the ledger knows of one service, as all forms of the status show it. */

import type { StandingHarm } from '../../ledger/incident.ts'
import type { PauseTotals, QuietFiles, RecordedCheck } from '../../ledger/ledger.ts'
import type { OpenHold } from '../../model/event.ts'
import type { FailureCode } from '../../model/failure.ts'
import type { SealLevel } from '../../model/result/evidence.ts'
import type { DamageClass } from '../../model/result/finding.ts'
import type { CheckDepth } from '../../model/result/reading.ts'
import type { VerdictWord } from '../../model/result/verdict.ts'
import type { OtherHold } from '../../model/service-way.ts'
import type { Absence } from './absences.ts'

/** The newest check of one file. Times are ms since 1970; null if there was none. */
export interface TenantSummary {
  readonly tenant: string | null
  readonly path: string
  /** null: never checked. */
  readonly verdict: VerdictWord | null
  readonly damage: DamageClass
  readonly level: SealLevel
  readonly depth: CheckDepth
  readonly checkedAt: number | null
  /** The failure of that check; null if it had none. */
  readonly failure: FailureCode | null
  readonly pauseMs: number | null
  /**
   * The newest check that settles the file: a full one that found it sound, or any that found damage; null if there was
   * none.
   */
  readonly settled: DecisiveCheck | null
}

/** Runs that belong together until a full sweep finds all tenants sound. `since` in ms since 1970. */
export interface OpenIncident {
  readonly id: string
  readonly since: number
}

export type DecisiveCheck = Pick<RecordedCheck, 'at' | 'verdict' | 'damage' | 'level' | 'depth' | 'pauseMs'>

/** `leftBehind`: no run works on it any more. */
export type StandingHold = OpenHold & { readonly leftBehind: boolean }

/** As they were given on the command line. */
export interface StatusSelection {
  readonly tenants: readonly string[]
  readonly only: readonly string[]
}

export interface StatusView {
  readonly service: string
  /** The selected tenants; null for all tenants of the service. */
  readonly selection: StatusSelection | null
  readonly tenants: readonly TenantSummary[]
  /** Sound files that are counted and not among `tenants`; left out if all files are. */
  readonly others?: QuietFiles
  /** How the service is reached: a pause by hooks has no lease that ends it. */
  readonly via: 'admin-api' | 'hooks' | 'files'
  /** Holds that the ledger does not know to have ended. */
  readonly openHolds: readonly StandingHold[]
  /**
   * Holds that may not be of this service, or were asked for in another way, and that no run works on. Those of other
   * services are only reported.
   */
  readonly otherHolds: readonly OtherHold[]
  /** The configuration file, for commands. */
  readonly config: string
  /** The configuration file if the command line named it, because commands must then name it too; else null. */
  readonly configNamed: string | null
  /** As `absences.ts` says. */
  readonly lastFullSweepAt: number | null
  /** Harm that a run suspected, until a full sweep finds all tenants sound; null for none. */
  readonly harm: StandingHarm | null
  /** The open incident; null for none. */
  readonly incident: OpenIncident | null
  /** What should have happened and did not, the gravest first. Empty with a `selection`. */
  readonly absences: readonly Absence[]
  /** The oldest of the newest backups, as the last full sweep saw them; null if none are kept, or with a selection. */
  readonly oldestBackupAt: number | null
  /** For all tenants of the service, also with a `selection`. */
  readonly pauses: PauseTotals
  /** True if the ledger existed and is gone. */
  readonly ledgerLost: boolean
  readonly generatedAt: number
  /** Checks older than this are stale. */
  readonly maxAgeMs: number
}

export type StatusFormat = 'text' | 'json' | 'nagios' | 'monit' | 'prometheus'

export interface StatusOptions {
  readonly format: StatusFormat
  readonly width: number
  readonly cuts?: boolean
  readonly color: boolean
  readonly verbose: boolean
}

/** Number of files that the view is about. */
export const filesIn = ({ tenants, others }: Pick<StatusView, 'tenants' | 'others'>): number =>
  tenants.length + (others?.fresh ?? 0) + (others?.stale ?? 0)
