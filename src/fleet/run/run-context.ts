/** Everything that a run works with, opened once and closed in the opposite order. */
import type { Checker } from '../../check/check.ts'
import type { HoldProcesses } from '../../hold/hold-processes.ts'
import type { HoldSettings, TenantKeeper } from '../../hold/hold.ts'
import type { HoldStep } from '../../hold/record.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import type { TenantId } from '../../model/brand.ts'
import type { KeepSnapshot } from '../keep-snapshot.ts'

/** One database file to be examined. `tenant` is null for bare files. */
export interface Target {
  readonly tenant: TenantId | null
  /** As the service or a person named it. */
  readonly named: string
}

export interface RunContext {
  readonly companions: HoldProcesses
  readonly checker: Checker
  /** Private folder for the snapshots of this run. */
  readonly folder: string
  /** Folders that live files must lie in; null for bare files. */
  readonly roots: readonly string[] | null
  readonly settings: HoldSettings
  readonly accept: readonly 'unknown-collation'[]
  /** Does each result get a map of its pages? */
  readonly map: boolean
  /** null where nothing is remembered: bare files without --ledger. */
  readonly ledger: Ledger | null
  readonly keeperOf: (target: Target) => TenantKeeper
  /** Keeps a copy of each snapshot before it is checked; null where none is wanted. */
  readonly keep: KeepSnapshot | null
  /** Told of each step of each hold, for the log. */
  readonly onStep: (target: Target, step: HoldStep) => void
}

export interface RunLimits {
  readonly depth: 'quick' | 'full'
  /** So many of the targets, from the first on, are served again before any other stands still. */
  readonly leading: number
  /** Tenants that stand still at the same time. */
  readonly maxPaused: number
  /** Tenants beside those that stand still: made ready for it, or with a snapshot that is being hashed. */
  readonly besidePaused: number
  /** Snapshots that are checked at the same time. */
  readonly checksAtOnce: number
  /** Snapshots that may wait on the disk, being checked or about to be: their number, and their bytes. */
  readonly snapshotsMax: number
  readonly snapshotBytesMax: number
}
