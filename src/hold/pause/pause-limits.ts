/** How long a pause may be: what the configuration allows, and what must have ended by itself afterwards. */
import type { Service } from '../../service/port.ts'

export interface PauseLimits {
  readonly ttlMs: number
  readonly drainTimeoutMs: number
  /** No pause is longer than this: the copy is then abandoned. */
  readonly maxPauseMs: number
}

/** We stop relying on a lease a little before it ends, because its end is measured on another clock. */
export const marginMs = 250

export const maxHoldMs = (limits: PauseLimits): number => Math.max(limits.ttlMs, limits.maxPauseMs + 2_000)

/** Counted from our request: the wait for its answer, and the hold. No lease of ours can stand after that. */
export const longestPauseMs = (service: Service, limits: PauseLimits): number =>
  service.quiesceMsMax(limits.drainTimeoutMs) + maxHoldMs(limits)

/**
 * With a slot of a fleet, counted from the end of its window: when no lease of ours can stand any more. `fleet.expiry`
 * counts with it, so the request is given up in time (`ask-in-time.ts`).
 */
export function slotPauseMs(service: Service, limits: PauseLimits): number {
  const drainMs = service.via === 'hooks' ? 0 : limits.drainTimeoutMs
  return Math.min(service.quiesceMsMax(limits.drainTimeoutMs), service.callMsMax + drainMs) + maxHoldMs(limits)
}

/**
 * The bounds, in ms from now, of the first deadline of the guardian's watch. A lease of `ttlMs` that has yet to be
 * asked for cannot end before `most`. The guardian may kill nothing before `least`: until then we may be waiting for
 * the answer, and hold no lock. If the answer may take as long as the lease, only the longest pause is safe.
 */
export function firstWatchMs(service: Service, limits: PauseLimits): { readonly least: number; readonly most: number } {
  const longestMs = longestPauseMs(service, limits)
  const waitMsMax = service.quiesceMsMax(limits.drainTimeoutMs)
  return limits.ttlMs > waitMsMax
    ? { least: waitMsMax, most: limits.ttlMs + marginMs }
    : { least: longestMs, most: longestMs }
}
