/**
 * The settings of holdfast.yaml, checked and complete: defaults are filled in, paths are absolute, durations are in ms,
 * sizes in bytes.
 */

import type { SealLevel } from '../model/result/evidence.ts'
import type { AcceptedLimit } from '../model/result/verdict.ts'
import type { FleetSettings } from './fleet/fleet-settings.ts'
import type { InvariantRule } from './invariants.ts'

/** A program with its arguments, run without a shell. Never empty. */
export type Command = readonly [string, ...string[]]

export type Endpoint =
  | { readonly kind: 'unix'; readonly socket: string }
  | { readonly kind: 'https'; readonly url: string }

/** How the service is reached. Secrets are in files of their own; the configuration has only the paths of these. */
export type ServiceSettings =
  | {
      readonly kind: 'admin-api'
      readonly name: string
      readonly endpoint: Endpoint
      readonly tokenFile: string | null
      readonly caFile: string | null
      readonly requestTimeoutMs: number
    }
  /** In `quiesce` and `resume`, `{tenant}` is replaced by the tenant's id. */
  | {
      readonly kind: 'hooks'
      readonly name: string
      readonly tenants: Command
      readonly quiesce: Command
      readonly resume: Command
      readonly timeoutMs: number
    }
  /** No service is asked: a tenant is a file that one of the patterns finds. Nothing is paused. */
  | {
      readonly kind: 'files'
      readonly name: string
      /** Absolute, each as `pathPattern` (text/path-pattern.ts) takes it. */
      readonly patterns: readonly [string, ...string[]]
      /** The same as `tenants.roots`. */
      readonly roots: readonly [string, ...string[]]
      /** Folders of holdfast itself: what lies there is no tenant. */
      readonly own: readonly string[]
    }

/** Of a service that is reached by the admin API. */
export type AdminSettings = Extract<ServiceSettings, { kind: 'admin-api' }>

interface TenantSettings {
  /** Files outside these folders are refused. By default the fixed parts of `service.files`. */
  readonly roots: readonly [string, ...string[]]
  /** The tenant that monitoring uses: a sweep takes it first (I1.9). */
  readonly statusTenant: string | null
  /** Mount points whose locks are trusted although their file system is not on the list. */
  readonly trustMounts: readonly string[]
}

/** A level that a configuration may ask for. */
export type RequiredLevel = Exclude<SealLevel, 'none'>

export interface LevelRule {
  readonly level: RequiredLevel
  /** Patterns of ids; null: all tenants. */
  readonly tenants: readonly string[] | null
}

export interface HoldConfiguration {
  /** The first rule that fits a tenant counts; `sealed` where none fits (levels/required-level.ts). */
  readonly require: readonly LevelRule[]
  readonly ttlMs: number
  readonly drainTimeoutMs: number
  readonly maxPauseMs: number
  readonly maxPaused: number
  /** A tenant with more bytes than this is prepared before it is paused. */
  readonly warmAboveBytes: number
}

/** The limits of a pinned snapshot, which is taken beside a program that writes. */
export interface LiveSettings {
  /** So long holdfast waits for its place among the locks of the program. */
  readonly pinWaitMs: number
  /** So long the pin may stand. */
  readonly maxPinMs: number
  /** So many bytes the WAL may grow while the pin stands. */
  readonly maxWalGrowthBytes: number
  /** So long a writer of a rollback-journal database may be kept waiting. */
  readonly maxWriterWaitMs: number
}

export interface CheckSettings {
  readonly workers: number | 'auto'
  readonly timeoutMs: number
  readonly memoryBytes: number
  readonly niceness: number
  readonly accept: readonly AcceptedLimit[]
  /** Rules of the application. */
  readonly invariants: readonly InvariantRule[]
  /** Whether a rebuild is tried on a copy. `auto`: always by a check, by a sweep only for files that are not large. */
  readonly rehearse: boolean | 'auto'
}

export interface BackupSettings {
  readonly dir: string
  /** How many verified backups of a tenant are kept: the newest ones, and the newest of so many days and weeks. */
  readonly keep: { readonly last: number; readonly daily: number; readonly weekly: number }
  /** How old the newest verified backup of a file may become. */
  readonly maxAgeMs: number
  /** Brings a backup that another program made. `{tenant}`, `{out}` and `{before}` are replaced. */
  readonly fetch: Command | null
}

/** What may be told to a sink, named as in `on`. */
export type AlertKind = 'harm' | 'paused' | 'damaged' | 'stale' | 'inconclusive' | 'recovered'

/** Where alarms go. The addresses may contain secrets: nothing prints more of them than the host. */
export type AlertSink =
  | { readonly kind: 'command'; readonly command: Command; readonly on: readonly AlertKind[] }
  | { readonly kind: 'webhook'; readonly url: string; readonly on: readonly AlertKind[] }
  /** The file holds the address. */
  | { readonly kind: 'webhook-file'; readonly file: string; readonly on: readonly AlertKind[] }
  /** Gets no alarms: it is asked for after each sweep that covered every tenant. */
  | { readonly kind: 'heartbeat'; readonly url: string }

export interface SweepSettings {
  /** A file whose last check counts for so long is left out if nothing has changed it; null: all files are due. */
  readonly maxAgeMs: number | null
  /** So long after its beginning a sweep begins with no other tenant; null for no limit. */
  readonly budgetMs: number | null
}

export interface Settings {
  /** Absolute path of the configuration file. */
  readonly file: string
  readonly service: ServiceSettings
  readonly tenants: TenantSettings
  readonly hold: HoldConfiguration
  readonly live: LiveSettings
  readonly snapshots: { readonly dir: string }
  readonly check: CheckSettings
  /** null: no backups are kept. */
  readonly backups: BackupSettings | null
  /** Where the originals of changed files are kept. */
  readonly quarantine: { readonly dir: string }
  /** Where the accounts of remedies are written. */
  readonly accounts: { readonly dir: string }
  readonly sweep: SweepSettings
  /** How many tenants one `sweep --heal` may change. */
  readonly heal: { readonly limit: number }
  readonly ledger: { readonly dir: string }
  readonly alerts: readonly AlertSink[]
  /** How long a run goes on with the last good list of tenants, or with the last good configuration (I5.1). */
  readonly registry: { readonly graceMs: number }
  /** null: this host belongs to no fleet. */
  readonly fleet: FleetSettings | null
}
