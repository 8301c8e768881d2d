/** What holdfast.yaml says, checked and complete: every default filled in, every path absolute, durations in ms, sizes in bytes. */
import type { SealLevel } from '../model/evidence.ts'

/** A program with its arguments, run without a shell. Never empty. */
export type Command = readonly [string, ...string[]]

export type Endpoint = { readonly kind: 'unix'; readonly socket: string } | { readonly kind: 'https'; readonly url: string }

/** How the service is reached. Secrets are named by their files only: they never stand in the configuration. */
export type ServiceSettings =
  | {
      readonly kind: 'admin-api'
      readonly name: string
      readonly endpoint: Endpoint
      readonly tokenFile: string | null
      readonly caFile: string | null
      readonly requestTimeoutMs: number
    }
  /** `{tenant}` stands in `quiesce` and `resume` for the tenant's id. */
  | {
      readonly kind: 'hooks'
      readonly name: string
      readonly tenants: Command
      readonly quiesce: Command
      readonly resume: Command
      readonly timeoutMs: number
    }

export interface TenantSettings {
  /** Files of tenants outside these folders are refused. */
  readonly roots: readonly [string, ...string[]]
  /** The tenant that monitoring relies on: it comes first (I1.9). */
  readonly statusTenant: string | null
  /** Mount points whose locks are trusted although their file system is not on the list. */
  readonly trustMounts: readonly string[]
}

export interface HoldSettings {
  readonly require: Exclude<SealLevel, 'none'>
  readonly ttlMs: number
  readonly drainTimeoutMs: number
  readonly maxPauseMs: number
  readonly maxPaused: number
  /** WAL tenants larger than this are copied before they are paused. */
  readonly warmAboveBytes: number
}

export interface CheckSettings {
  readonly workers: number | 'auto'
  readonly timeoutMs: number
  readonly memoryBytes: number
  readonly niceness: number
  readonly accept: readonly 'unknown-collation'[]
}

export interface BackupSettings {
  /** Our own verified backups; null: none are kept. */
  readonly own: { readonly dir: string; readonly keep: { readonly last: number; readonly daily: number; readonly weekly: number } } | null
  /** Brings another tool's backup of `{tenant}` to `{out}`; null: there is none. */
  readonly fetch: Command | null
}

export const alarmNames = ['harm', 'paused', 'damage', 'stale', 'inconclusive'] as const
export type AlarmName = (typeof alarmNames)[number]

export type AlertSettings =
  | { readonly kind: 'command'; readonly command: Command; readonly on: readonly AlarmName[] }
  | { readonly kind: 'webhook'; readonly url: string; readonly on: readonly AlarmName[] }
  /** Asked only after full coverage: its absence alarms elsewhere. */
  | { readonly kind: 'heartbeat'; readonly url: string }

export interface Settings {
  /** Absolute path of the configuration file. */
  readonly file: string
  readonly service: ServiceSettings
  readonly tenants: TenantSettings
  readonly hold: HoldSettings
  readonly snapshots: { readonly dir: string }
  readonly check: CheckSettings
  readonly backups: BackupSettings
  readonly ledger: { readonly dir: string }
  readonly registry: { readonly graceMs: number }
  readonly sweep: { readonly maxAgeMs: number; readonly budgetMs: number }
  readonly alerts: readonly AlertSettings[]
}
