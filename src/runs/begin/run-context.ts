/** What a run works with. It is opened once, and closed in the opposite order. */

import type { Checker } from '../../check/check.ts'
import type { InvariantRule } from '../../config/invariants.ts'
import type { HoldProcesses } from '../../hold/hold-processes.ts'
import type { HoldSettings, TenantConnection } from '../../hold/hold.ts'
import type { HoldStep } from '../../hold/record.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import type { SealLevel } from '../../model/result/evidence.ts'
import type { DamagedPage } from '../../model/result/page-map.ts'
import type { CheckDepth } from '../../model/result/reading.ts'
import type { AcceptedLimit } from '../../model/result/verdict.ts'
import type { HarmWatch } from '../harm/harm-watch.ts'
import type { KeepSnapshot } from '../keep-snapshot.ts'
import type { RehearsalTerms } from '../remedies/rehearse-remedy.ts'
import type { RunBackups } from '../run-backups.ts'
import type { Target } from './target.ts'

/** What each hold of a run is told, beside the seal that its tenant needs. */
export type HoldTerms = Omit<HoldSettings, 'require'>

export interface RunContext {
  readonly holdProcesses: HoldProcesses
  readonly checker: Checker
  /** Private folder for the snapshots of this run. */
  readonly folder: string
  /** Folders that live files must lie in; null for bare files. */
  readonly roots: readonly string[] | null
  readonly settings: HoldTerms
  /** The weakest seal that is accepted for a target. */
  readonly levelFor: (target: Target) => SealLevel
  readonly accept: readonly AcceptedLimit[]
  /** Rules of the application; none for runs that change files. */
  readonly invariants: readonly InvariantRule[]
  /** How large a part of the pages a check at depth `sample` reads; null at another depth. */
  readonly sampleShare: number | null
  readonly map: MapChoice
  /** null for bare files without `--ledger`. */
  readonly ledger: Ledger | null
  /** Compares what is damaged with earlier checks; null for bare files. */
  readonly harm: HarmWatch | null
  /** False if tenants are files that patterns find: any of these may be no database. */
  readonly listsDatabases: boolean
  /** How the tenant of a target is paused; null for a bare file, and for a tenant of `service.files`. */
  readonly connectionOf: (target: Target) => TenantConnection | null
  /** Keeps a copy of each snapshot before its check; null if no copies are wanted. */
  readonly keepSnapshot: KeepSnapshot | null
  /** null if no folder of backups is known. */
  readonly backups: RunBackups | null
  /** Which remedies are tried on a copy; null for none. */
  readonly rehearsing: RehearsalTerms | null
  /** Called with the pages of each damaged file before its snapshot is deleted; left out if they are not kept. */
  readonly onDamagedPages?: (pages: readonly DamagedPage[]) => void
  /** Called after each step of each hold, for the log. */
  readonly onStep: (target: Target, step: HoldStep) => void
}

export type Depth = CheckDepth

/** Which results get a map of their pages: all, none, or those with damage. */
export type MapChoice = boolean | 'damaged'

export interface RunLimits {
  readonly depth: Depth
  /** False when no other tenant may begin; those that have begun come to their end. */
  readonly mayBegin: () => boolean
  /** So many targets, from the first on, are served again before any other tenant is held. */
  readonly leadingTargets: number
  /** Tenants that are paused at the same time. */
  readonly maxPaused: number
  /** Tenants in a hold beside those that are paused: before the pause, or after it while the snapshot is hashed. */
  readonly besidePaused: number
  /** Snapshots that are checked at the same time. */
  readonly checksInParallel: number
  /** Snapshots that may lie on the disk at the same time, and their bytes. */
  readonly snapshotsMax: number
  readonly snapshotBytesMax: number
}
