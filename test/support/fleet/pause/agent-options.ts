/** How an agent of an attack on the limit is started (test/support/programs/fleet/slot-agent.ts). */
import { guardianMs } from '../../../../src/config/fleet/fleet-of.ts'
import type { FleetAddress } from '../../../../src/config/fleet/fleet-settings.ts'
import type { ServiceSettings } from '../../../../src/config/settings.ts'

export interface AttackLimits {
  readonly windowMs: number
  readonly requestTimeoutMs: number
  readonly drainTimeoutMs: number
  readonly ttlMs: number
  readonly maxPauseMs: number
}

export interface AgentOptions {
  readonly database: FleetAddress
  readonly host: string
  readonly service: string
  readonly domain: string | null
  /** Its own: ledger and snapshots. */
  readonly folder: string
  /** Where the databases of the tenants are. */
  readonly files: string
  readonly socket: string
  readonly tenants: readonly string[]
  readonly holds: number
  readonly limits: AttackLimits
  readonly freezeAt: 'taken' | 'asked' | null
  readonly defences: readonly ('window' | 'guardian')[]
}

/** Short, so that an attack does not take minutes. */
export const attackLimits: AttackLimits = {
  windowMs: 1_000,
  requestTimeoutMs: 2_000,
  drainTimeoutMs: 200,
  ttlMs: 1_000,
  maxPauseMs: 300,
}

/** The least that a configuration may have. */
export const attackExpiryMs = 2 * guardianMs(attackLimits.windowMs, { service: serviceAt(''), hold: attackLimits })

export function serviceAt(socket: string, name = 'counting') {
  return {
    kind: 'admin-api',
    name,
    endpoint: { kind: 'unix', socket },
    tokenFile: null,
    caFile: null,
    requestTimeoutMs: attackLimits.requestTimeoutMs,
  } as const satisfies ServiceSettings
}
