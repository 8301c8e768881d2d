/**
 * The values of keys that the configuration leaves out. All of them hold for bare files without a configuration.
 */

import type { FleetSettings } from './fleet/fleet-settings.ts'
import type { BackupSettings, CheckSettings, HoldConfiguration, LiveSettings } from './settings.ts'

const secondMs = 1000
const minuteMs = 60 * secondMs

export const defaultHoldSettings: HoldConfiguration = {
  require: [{ level: 'sealed', tenants: null }],
  ttlMs: 30 * secondMs,
  drainTimeoutMs: 5 * secondMs,
  maxPauseMs: 10 * secondMs,
  maxPaused: 1,
  warmAboveBytes: 8_000_000,
}

export const defaultLiveSettings: LiveSettings = {
  pinWaitMs: 3 * secondMs,
  maxPinMs: 5 * secondMs,
  maxWalGrowthBytes: 64_000_000,
  maxWriterWaitMs: 500,
}

export const defaultCheckSettings: CheckSettings = {
  workers: 'auto',
  timeoutMs: 30 * minuteMs,
  memoryBytes: 1_000_000_000,
  niceness: 10,
  accept: [],
  invariants: [],
  rehearse: 'auto',
}

export const defaultInvariantTimeoutMs = minuteMs

export const defaultKept: BackupSettings['keep'] = { last: 3, daily: 7, weekly: 5 }
/** A tenant that is damaged for a week has no newer backup either. */
export const defaultBackupMaxAgeMs = 7 * 24 * 60 * minuteMs
export const defaultHealLimit = 3

export const defaultFleetWindowMs = 2 * secondMs
export const defaultFleetExpiryMs = 90 * secondMs
export const defaultFleetMaxPaused: FleetSettings['maxPaused'] = { fleet: 3, service: 2, domain: 2 }
export const defaultOutboxBytes = 1_000_000_000

export const defaultGraceMs = 8 * 60 * minuteMs

export const defaultRequestTimeoutMs = 5 * secondMs
export const defaultHookTimeoutMs = 30 * secondMs
export const defaultLedgerDir = '/var/lib/holdfast'
export const defaultSnapshotDir = '/var/lib/holdfast/snapshots'
/** Folders within the folder of the ledger. */
export const defaultQuarantineName = 'quarantine'
export const defaultAccountsName = 'accounts'
