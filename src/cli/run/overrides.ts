/** Options of the command line that replace settings of the configuration for one run. */
import type { Settings } from '../../config/settings.ts'

export interface Overrides {
  readonly maxPaused?: number | undefined
  /** Snapshots that are checked in parallel. */
  readonly workers?: number | undefined
  /** ms that one check may take. */
  readonly timeout?: number | undefined
}

export function applyOverrides(settings: Settings, { maxPaused, workers, timeout }: Overrides): Settings {
  const { hold, check } = settings
  return {
    ...settings,
    hold: { ...hold, maxPaused: maxPaused ?? hold.maxPaused },
    check: { ...check, workers: workers ?? check.workers, timeoutMs: timeout ?? check.timeoutMs },
  }
}
