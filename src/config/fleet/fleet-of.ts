/** Makes the settings of the section `fleet`, and finds what does not fit the other sections. */

import { hostname } from 'node:os'
import type { ServiceSettings } from '../settings.ts'
import { hostName } from './fleet-address.ts'
import type { FleetAddress, FleetSettings } from './fleet-settings.ts'

/** The section as it is given, with defaults. */
interface FleetSection {
  readonly database: FleetAddress | null
  readonly passwordFile: string | null
  readonly caFile: string | null
  readonly host: string | null
  readonly domain: string | null
  readonly notify: boolean
  readonly window: number
  readonly expiry: number
  readonly maxPaused: FleetSettings['maxPaused']
  readonly outbox: { readonly max: number }
  readonly schedule: { readonly at: string | null; readonly zone: string }
  readonly replicas: FleetSettings['replicas']
}

/** null: this host belongs to no fleet. */
export function fleetOf(given: FleetSection): FleetSettings | null {
  const { database, host, window, expiry, schedule, outbox } = given
  if (database === null) return null
  const { passwordFile, caFile, domain, notify, maxPaused, replicas } = given
  return {
    database,
    passwordFile,
    caFile,
    host: host ?? hostname(),
    domain,
    notify,
    windowMs: window,
    expiryMs: expiry,
    maxPaused,
    outbox: { maxBytes: outbox.max },
    schedule: schedule.at === null ? null : { at: schedule.at, zone: schedule.zone },
    replicas,
  }
}

/** A command that is ended at its time limit may take so long to end. */
const hookEndMs = 6_000

interface PauseTimes {
  readonly service: ServiceSettings
  readonly hold: { readonly ttlMs: number; readonly maxPauseMs: number; readonly drainTimeoutMs: number }
}

/**
 * The longest time from the request for a slot to the end of a pause in it, in ms. By then the guardian has ended the
 * hold. It is the window, the wait for the answer to the request, and the longest hold.
 */
export function guardianMs(windowMs: number, { service, hold }: PauseTimes): number {
  const { ttlMs, maxPauseMs, drainTimeoutMs } = hold
  const answerMs =
    service.kind === 'admin-api'
      ? service.requestTimeoutMs + drainTimeoutMs
      : service.kind === 'hooks'
        ? service.timeoutMs + hookEndMs
        : 0
  return windowMs + answerMs + Math.max(ttlMs, maxPauseMs + 2_000)
}

interface FleetSettingProblem {
  readonly path: readonly PropertyKey[]
  readonly message: string
}

/** A slot that is freed while its tenant may still be paused would let one more tenant be paused than allowed. */
export function fleetConflicts(fleet: FleetSettings | null, times: PauseTimes): readonly FleetSettingProblem[] {
  if (fleet === null) return []
  const least = 2 * guardianMs(fleet.windowMs, times)
  const problems: FleetSettingProblem[] = []
  if (fleet.expiryMs < least)
    problems.push({
      path: ['fleet', 'expiry'],
      message:
        `fleet.expiry must be at least ${Math.ceil(least / 1000)}s: twice the longest time that a pause may last ` +
        'from the request for its slot, by fleet.window, hold.ttl, hold.maxPause and the timeouts of the service',
    })
  if (hostName.read(fleet.host) === null)
    problems.push({
      path: ['fleet'],
      message: `fleet.host is missing, and the name of this machine cannot stand for it: expected ${hostName.expected}`,
    })
  return problems
}
