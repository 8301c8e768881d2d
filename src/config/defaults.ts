/**
 * What holds when the configuration says nothing, or when there is none (bare files). The texts of interfaces.md,
 * "Configuration".
 */

import type { CheckSettings, HoldSettings } from './settings.ts'

export const secondMs = 1000
export const minuteMs = 60 * secondMs

export const defaultHoldSettings: HoldSettings = {
  require: 'sealed',
  ttlMs: 30 * secondMs,
  drainTimeoutMs: 5 * secondMs,
  maxPauseMs: 10 * secondMs,
  maxPaused: 1,
  warmAboveBytes: 8_000_000,
}

export const defaultCheckSettings: CheckSettings = {
  workers: 'auto',
  timeoutMs: 30 * minuteMs,
  memoryBytes: 1_000_000_000,
  niceness: 10,
  accept: [],
}

export const defaultRequestTimeoutMs = 5 * secondMs
export const defaultHookTimeoutMs = 30 * secondMs
export const defaultLedgerDir = '/var/lib/holdfast'
export const defaultSnapshotDir = '/var/lib/holdfast/snapshots'
